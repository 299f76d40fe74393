/**
 * The signals by which a terminal or a service manager ends a process: Ctrl-C, `kill`, and the terminal that closes. All are
 * handled alike.
 */
const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Calls a function at each of these signals, which then do not end the process; returns what ends that. */
export function onStopSignal(listener: (signal: NodeJS.Signals) => void): () => void {
  for (const name of STOP_SIGNALS) process.on(name, listener);
  return () => {
    for (const name of STOP_SIGNALS) process.removeListener(name, listener);
  };
}
