// The packages as a user gets them, in the quickest form: installed by npm, on this Node. `npm run test:packages` is the
// whole proof.

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deadLinks } from '../../scripts/package/linked.mjs';
import { packAll } from '../../scripts/package/main.mjs';
import { checkout } from '../support/guide.js';
import { torchHalf } from '../support/halves.mjs';
import { sectionOf } from './fixture.js';
import { Project } from './install.js';

const out = mkdtempSync(join(tmpdir(), 'recurra-packed-'));
let project: Project;

beforeAll(async () => {
  project = new Project('npm', await packAll({ quick: true, light: !torchHalf, out }));
  project.install();
}, 120_000);
afterAll(() => {
  project?.remove();
  rmSync(out, { recursive: true, force: true });
});

describe.runIf(process.platform === 'linux' && process.arch === 'x64')('installed by npm, with Node alone', () => {
  it('trains, saves, loads and predicts; import and require share one implementation', () => {
    expect(project.script('classify.mjs')).toEqual({
      label: 'animal',
      other: 'tool',
      same: true,
      error: 'FILE_NOT_FOUND',
    });
    expect(project.script('classify.cjs')).toEqual({ label: 'animal', same: true });
  });

  it('says what to do where a tensor needs libtorch, and computes once there is one', () => {
    expect(project.script('tensors.mjs')).toEqual({ code: 'LIBTORCH_NOT_FOUND', command: true });
  });

  it('has every file that its README and its guides link to', () => {
    const folder = join(project.folder, 'node_modules', 'recurra');
    expect(deadLinks(folder)).toEqual([]);
    for (const name of ['docs/images/quality.svg', 'docs/images/report.png', 'docs/internals/files.md'])
      expect(existsSync(join(folder, name)), name).toBe(true);
    expect(deadLinks(join(project.folder, 'node_modules', 'recurra-linux-x64-gnu'))).toEqual([]);
    rmSync(join(folder, 'docs', 'images', 'report.png'));
    expect(deadLinks(folder)).toEqual(['docs/reporting.md: docs/images/report.png']);
  });

  it('serves a model over HTTP, with the page', () => {
    expect(project.script('serve.mjs')).toEqual({ label: 'animal', same: true, page: '<!doctype html>', ended: 0 });
  });

  it('trains and predicts in a bundle that leaves it out, as docs/bundlers.md says', () => {
    const { files, commands } = sectionOf('Rollup');
    for (const [name, code] of Object.entries({ ...sectionOf().files, ...files }))
      writeFileSync(join(project.folder, name), code);
    const rollup = join(checkout, 'node_modules', 'rollup', 'dist', 'bin', 'rollup');
    expect(commands).toEqual(['npx rollup --config rollup.config.mjs', 'node dist/app.mjs']);
    project.node([rollup, '--config', 'rollup.config.mjs']);
    expect(project.node([join('dist', 'app.mjs')]).stdout).toBe('billing\n');
  });

  it.each(['recurra', 'recurra/serve'])('names recurra-web where a page imports %s', async (name) => {
    const { build } = await import('vite');
    const root = join(project.folder, 'page');
    mkdirSync(root, { recursive: true });
    const used = name === 'recurra' ? 'TextClassifier' : 'createServer';
    writeFileSync(join(root, 'index.html'), '<!doctype html><script type="module" src="./page.js"></script>');
    writeFileSync(join(root, 'page.js'), `import { ${used} } from '${name}';\n\nconsole.log(${used});\n`);
    const settings = { write: false, minify: false, modulePreload: { polyfill: false } };
    const [built] = [await build({ root, configFile: false, logLevel: 'error', build: settings })].flat();
    const { output } = built as { output: { type: string; code: string }[] };
    const { code } = output.find(({ type }) => type === 'chunk')!;
    expect(code).not.toContain('node:');
    const program = join(project.folder, 'bundle.mjs');
    writeFileSync(program, code);
    const { stderr } = project.node([program], { status: 1 });
    expect(stderr).toContain('Error: recurra runs in Node.js, not in a browser');
    expect(stderr).toContain("import { load } from 'recurra-web'");
    expect(stderr).toContain("code: 'ADDON_NOT_FOUND'");
  });

  it('names recurra-web where a bundle for browsers requires it, and is itself where there is Node', () => {
    const folder = join(project.folder, 'node_modules', 'recurra');
    const { exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    for (const name of ['.', './torch', './lesson', './serve']) {
      const { stderr } = project.node([join(folder, exports[name].browser.require.default)], { status: 1 });
      expect(stderr).toContain('use the package recurra-web');
    }
    // A window of Electron with access to Node.js has both conditions.
    for (const [type, code] of [
      ['module', "import { TextClassifier } from 'recurra'; console.log(typeof TextClassifier);"],
      ['commonjs', "console.log(typeof require('recurra').TextClassifier);"],
    ]) {
      const both = ['--conditions=browser', `--input-type=${type}`, '--eval', code!];
      expect(project.node(both).stdout).toBe('function\n');
    }
  });

  it('names the file of its addon where programs that collect a deployment read it', () => {
    const dist = join(project.folder, 'node_modules', 'recurra', 'dist');
    const code = readFileSync(join(dist, 'shared-device.cjs'), 'utf8');
    const named = [...code.matchAll(/join\(__dirname, '(.*\.node)'\)/g)].map(([, path]) => join(dist, path!));
    const addon = join(project.folder, 'node_modules', 'recurra-linux-x64-gnu', 'recurra.linux-x64-gnu.node');
    expect(named).toContain(addon);
    expect(named.length).toBeGreaterThan(7);
    expect(existsSync(addon)).toBe(true);
  });

  it('has the command recurra, whose doctor is content without libtorch', () => {
    const found = JSON.parse(project.command(['doctor', '--json']));
    expect(found).toMatchObject({ ok: true, libtorch: { code: 'LIBTORCH_NOT_FOUND' } });
    expect(found.addon.path).toContain(join('node_modules', 'recurra-linux-x64-gnu'));
  });
});
