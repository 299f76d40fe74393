import { afterEach } from 'vitest';

const open: { close(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

/** The same, which is closed after the test. */
export function opened<T extends { close(): void }>(one: T): T {
  open.push(one);
  return one;
}
