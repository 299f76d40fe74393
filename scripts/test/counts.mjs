// How many tests passed, failed and were skipped, and which failed, from what cargo prints and what vitest reports.

import { existsSync, readFileSync } from 'node:fs';

/** The sum of several counts. */
export function addCounts(parts) {
  const sum = { passed: 0, failed: 0, skipped: 0 };
  for (const part of parts) for (const key of Object.keys(sum)) sum[key] += part[key];
  return sum;
}

/** `12 passed, 0 failed`, with `, 3 skipped` where there are any. */
export function summaryLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** A program that failed although none of its tests did (it did not compile, it crashed) counts as one failure. */
function atLeastOneFailure(counts, code) {
  return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

/** From the standard output of `cargo test`: each test program ends with a line `test result: ...`. */
export function cargoCounts(output, code) {
  const results = [...output.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored/gm)];
  const parts = results.map(([, passed, failed, skipped]) => ({
    passed: Number(passed),
    failed: Number(failed),
    skipped: Number(skipped),
  }));
  return atLeastOneFailure(addCounts(parts), code);
}

/** From vitest's JSON report; a test file that could not be loaded has no tests and counts as one failure. */
export function vitestCounts(path, code) {
  const none = { passed: 0, failed: 0, skipped: 0 };
  if (!existsSync(path)) return { ...none, failed: 1 };
  const report = JSON.parse(readFileSync(path, 'utf8'));
  const unloadable = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((assertion) => assertion.status === 'failed'),
  ).length;
  const counts = {
    passed: report.numPassedTests,
    failed: report.numFailedTests + unloadable,
    skipped: report.numPendingTests + report.numTodoTests,
  };
  return atLeastOneFailure(counts, code);
}

/** Lines of a message that are worth repeating. */
const MESSAGE_LINES = 12;

function excerpt(message) {
  const lines = message.trim().split('\n');
  const more = lines.length > MESSAGE_LINES ? ['...'] : [];
  return [...lines.slice(0, MESSAGE_LINES), ...more].map((line) => `    ${line}`.trimEnd()).join('\n');
}

/** Each failed test of `cargo test` with what it printed, from the standard output. */
export function cargoFailures(output) {
  return [...output.matchAll(/^---- (.+) stdout ----\n([\s\S]*?)(?=\n---- |\nfailures:\n)/gm)].map(
    ([, name, printed]) => `cargo test: ${name}\n${excerpt(printed)}`,
  );
}

/** Each failed test of vitest with its first message, from the JSON report; so too files that could not be loaded. */
export function vitestFailures(path) {
  if (!existsSync(path)) return [];
  const { testResults } = JSON.parse(readFileSync(path, 'utf8'));
  return testResults.flatMap(({ name, status, message, assertionResults }) => {
    const failed = assertionResults.filter((assertion) => assertion.status === 'failed');
    if (status === 'failed' && failed.length === 0) return [`vitest: ${name}\n${excerpt(message ?? '')}`];
    return failed.map(
      ({ fullName, failureMessages }) => `vitest: ${name}: ${fullName}\n${excerpt(failureMessages?.[0] ?? '')}`,
    );
  });
}
