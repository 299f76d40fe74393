/**
 * Items as a message lists them: the first ones between commas, and how many more there are.
 *
 * @internal
 */
export function listed(items: readonly string[], most = 20): string {
  const more = items.length > most ? `, and ${items.length - most} more` : '';
  return items.slice(0, most).join(', ') + more;
}
