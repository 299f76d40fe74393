// `npm ci`, but only when node_modules does not hold what package-lock.json lists.

import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * Why `npm ci` is needed, in a few words; undefined when node_modules is current. npm's own record of what it
 * installed, node_modules/.package-lock.json, is compared entry by entry with package-lock.json; packages for other
 * systems (optional) may be absent.
 */
export function staleModules(top) {
  const wanted = readJson(join(top, 'package-lock.json'))?.packages;
  if (!wanted) return 'package-lock.json cannot be read';
  const installed = readJson(join(top, 'node_modules', '.package-lock.json'))?.packages;
  if (!installed) return 'nothing installed yet';
  const manifest = readJson(join(top, 'package.json')) ?? {};
  for (const field of ['dependencies', 'devDependencies', 'optionalDependencies'])
    if (JSON.stringify(manifest[field] ?? {}) !== JSON.stringify(wanted['']?.[field] ?? {}))
      return `package.json and package-lock.json differ in ${field}`;
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '' || entry.link) continue;
    const there = installed[path];
    if (!there && entry.optional) continue;
    if (there?.version !== entry.version || there?.integrity !== entry.integrity)
      return `${path} is ${there ? there.version : 'missing'}, not ${entry.version}`;
    if (!existsSync(join(top, path, 'package.json'))) return `${path} is gone`;
  }
  return undefined;
}

/** npm as a child process is started: on Windows it is a script, which Node runs by way of a shell only. */
export const npm =
  process.platform === 'win32' ? { command: 'npm.cmd', shell: true } : { command: 'npm', shell: false };

/** Runs `npm ci`; rejects with an Error that holds what npm said. */
export function installModules(top, env = process.env) {
  return new Promise((resolve, reject) => {
    const child = spawn(npm.command, ['ci', '--no-audit', '--no-fund'], {
      cwd: top,
      shell: npm.shell,
      // Set when npm runs this script; NODE_ENV=production would leave the development tools out. onnxruntime-node,
      // which tests alone use, would download the libraries for CUDA from its own server.
      env: {
        ONNXRUNTIME_NODE_INSTALL: 'skip',
        ...env,
        NODE_ENV: 'development',
        npm_config_production: undefined,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    const keep = (text) => {
      said = (said + text).slice(-6000);
    };
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    child.on('error', (error) =>
      reject(new Error(`npm could not be started: ${error.message}. It comes with Node.js.`)),
    );
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`npm ci ended with exit code ${code}. It said:\n${said.trim()}`));
    });
  });
}
