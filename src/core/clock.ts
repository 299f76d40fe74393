/**
 * The timers, taken when this file is loaded. A test that replaces them later, as `jest.useFakeTimers()` does, must not
 * make a model wait forever. Browsers have no `setImmediate`.
 */
const timers = {
  setImmediate: globalThis.setImmediate ?? ((work: () => void) => setTimeout(work, 0)),
  setTimeout,
  clearTimeout,
};
const { performance } = globalThis;
const readClock = performance.now;

/**
 * Milliseconds since the process began.
 *
 * @internal
 */
export function now(): number {
  return readClock.call(performance);
}

/**
 * Calls a function in the next turn of the event loop.
 *
 * @internal
 */
export function inNextTurn(work: () => void): void {
  timers.setImmediate(work);
}

/**
 * Waits for one turn of the event loop.
 *
 * @internal
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => timers.setImmediate(resolve));
}

/**
 * Calls a function after some milliseconds; returns a function that cancels it.
 *
 * @internal
 */
export function after(milliseconds: number, work: () => void): () => void {
  const timer = timers.setTimeout(work, milliseconds);
  return () => timers.clearTimeout(timer);
}
