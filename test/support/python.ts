import { execFileSync, spawnSync } from 'node:child_process';

/**
 * The Python that has some modules: that of `RECURRA_PYTHON`, or `python3`. Undefined where there is none; then it says so, and what needs it
 * is skipped.
 */
export function pythonWith(...modules: string[]): string | undefined {
  const python = process.env.RECURRA_PYTHON ?? 'python3';
  const { status } = spawnSync(python, ['-c', modules.map((module) => `import ${module}`).join('\n')]);
  if (status === 0) return python;
  console.warn(
    `${python} lacks one of ${modules.join(', ')}: what needs them is not tested (RECURRA_PYTHON names another)`,
  );
  return undefined;
}

/** Runs a script, whose standard input and output are JSON. */
export function runPython(python: string, script: string, args: readonly string[], input: unknown): unknown {
  const output = execFileSync(python, [script, ...args], {
    input: JSON.stringify(input),
    maxBuffer: 2 ** 28,
    encoding: 'utf8',
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', PYTHONIOENCODING: 'utf-8' },
  });
  return JSON.parse(output);
}
