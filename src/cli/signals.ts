/**
 * The signals by which a terminal or a service manager stops a process: Ctrl-C, `kill`, and a closed terminal. All are
 * handled alike.
 */
const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Calls a function for each of these signals instead of ending the process; returns a function that removes the
 * handlers.
 */
export function onStopSignal(listener: (signal: NodeJS.Signals) => void): () => void {
  for (const name of STOP_SIGNALS) process.on(name, listener);
  return () => {
    for (const name of STOP_SIGNALS) process.removeListener(name, listener);
  };
}
