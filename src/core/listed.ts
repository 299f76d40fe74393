/**
 * Items for a message: the first few, separated by commas, and the number of others.
 *
 * @internal
 */
export function listed(items: readonly string[], most = 20): string {
  const more = items.length > most ? `, and ${items.length - most} more` : '';
  return items.slice(0, most).join(', ') + more;
}
