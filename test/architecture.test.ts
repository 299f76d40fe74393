import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { findCircles, type Graph } from './support/architecture/cycles.js';
import { type Floors, findCrossings, findRising } from './support/architecture/floors.js';
import { dependenciesOf, expandUse, modulesOf } from './support/architecture/rust.js';
import { importsOf, staticImports, valueImports } from './support/architecture/typescript.js';

// Arrows run down: whoever adds a room gives it a floor here, and ARCHITECTURE.md says what it is for.

const root = fileURLToPath(new URL('..', import.meta.url));

/** What both wings of `src` stand on, the ground floor first. */
const GROUND: Floors = [
  ['core', 'libtorch/places'],
  ['libtorch/systems'],
  ['libtorch/platform'],
  ['native'],
  ['text', 'tensorboard', 'libtorch'],
  ['measures', 'data', 'pickle'],
];
/** `recurra`: models without libtorch, their server and their command. */
const MODELS: Floors = [
  ['engine'],
  ['training'],
  ['tuning'],
  ['models'],
  ['inspection', 'export', 'import'],
  ['report'],
  ['serve', 'web'],
  ['cli'],
  ['index'],
];
/** `recurra/torch` and `recurra/lesson`: tensors and layers over libtorch. */
const TORCH: Floors = [
  ['torch/tensor'],
  ['torch/distributed'],
  ['torch/nn', 'torch/optim', 'torch/amp', 'torch/cuda', 'torch/safetensors'],
  ['torch/train', 'torch/utils'],
  ['lesson', 'torch/index'],
];

const CRATES: Floors = [
  ['core'],
  ['codes'],
  ['kernels', 'files', 'onnx', 'text', 'binding'],
  ['torch', 'linear', 'vectors'],
  ['compress'],
  ['light', 'torch-addon', 'web'],
];

/** A floor of the kernels knows nothing of a task; heads stand on the encoder, the network on both, and what it writes on that. */
const KERNELS: Floors = [
  ['phases', 'simd', 'threads'],
  ['random', 'optim'],
  ['recurrent'],
  ['encoder'],
  ['pool'],
  ['heads'],
  ['network'],
  ['generate', 'seq2seq'],
  ['lib'],
];

/** The floors that `crates/torch/src/lib.rs` describes. */
const TORCH_CRATE: Floors = [
  ['error'],
  ['shim'],
  ['tensor/info', 'autocast', 'count', 'cuda', 'random'],
  ['check', 'context', 'init'],
  ['tensor'],
  ['autograd', 'late', 'packing'],
  ['clip', 'distributed', 'embedded', 'tally'],
  ['functional', 'optim', 'recurrent'],
  ['network'],
  ['lib'],
];

/** Circles that stay, by one of their files. */
const ONE_THING_IN_SEVERAL_FILES = [
  // The class `Tensor` in five files: its methods' types name the finished class.
  'torch/tensor/base.ts',
];

const src = importsOf(join(root, 'src'));
const crates = readdirSync(join(root, 'crates'));

/** Circles, each as one line. */
function circles(graph: Graph): string[] {
  return findCircles(graph)
    .filter((circle) => !circle.some((file) => ONE_THING_IN_SEVERAL_FILES.includes(file)))
    .map((circle) => circle.join(' <-> '));
}

describe('the sources', () => {
  it('have arrows that run down only', () => {
    expect(src.size).toBeGreaterThan(150);
    expect(findRising(src, [...GROUND, ...MODELS, ...TORCH])).toEqual([]);
  });

  it('have two wings that do not know each other', () => {
    expect(findCrossings(src, MODELS, TORCH)).toEqual([]);
  });

  it('have an entry for browsers that reaches neither Node nor an addon', () => {
    const reached = valueImports(join(root, 'src'), 'web/index.ts');
    expect(reached).toContain('models/description.ts');
    expect(reached.filter((name) => name.startsWith('native/') || !name.endsWith('.ts'))).toEqual([]);
    expect(valueImports(join(root, 'src'), 'models/file.ts')).toEqual(
      expect.arrayContaining(['native/light.ts', 'node:fs']),
    );
  });

  it('have no circles', () => {
    expect(circles(src)).toEqual([]);
  });
});

describe('the crates', () => {
  it('depend on crates below them only', () => {
    const graph = new Map(
      crates.map((crate) => {
        const manifest = readFileSync(join(root, 'crates', crate, 'Cargo.toml'), 'utf8');
        return [`${crate}/Cargo.toml`, new Set(dependenciesOf(manifest).map((name) => `${name}/Cargo.toml`))];
      }),
    );
    expect(graph.get('torch-addon/Cargo.toml')).toContain('torch/Cargo.toml');
    expect(findRising(graph, CRATES)).toEqual([]);
  });

  it.each(crates)('%s has no circles inside', (crate) => {
    const graph = modulesOf(join(root, 'crates', crate, 'src'));
    expect(graph.size).toBeGreaterThan(1);
    expect(circles(graph)).toEqual([]);
  });

  it.each([
    { crate: 'kernels', floors: KERNELS, arrow: ['network/step.rs', 'recurrent/layers.rs'] as const },
    { crate: 'torch', floors: TORCH_CRATE, arrow: ['autograd.rs', 'tensor/info.rs'] as const },
  ])('$crate has arrows that run down only', ({ crate, floors, arrow }) => {
    const graph = modulesOf(join(root, 'crates', crate, 'src'));
    expect(graph.get(arrow[0])).toContain(arrow[1]);
    expect(findRising(graph, floors)).toEqual([]);
  });
});

describe('the search for circles', () => {
  const graph = (arrows: Record<string, string[]>): Graph =>
    new Map(Object.entries(arrows).map(([from, to]) => [from, new Set(to)]));

  it('finds each circle with all of its files, and nothing else', () => {
    const arrows = { a: ['b'], b: ['c', 'd'], c: ['a'], d: ['e'], e: ['f', 'd'], f: [], g: ['g'], h: ['a', 'e'] };
    expect(findCircles(graph(arrows))).toEqual([['a', 'b', 'c'], ['d', 'e'], ['g']]);
  });

  it('joins circles that share a file', () => {
    expect(findCircles(graph({ a: ['b'], b: ['a', 'c'], c: ['b'] }))).toEqual([['a', 'b', 'c']]);
  });

  it('finds none where all arrows run down, by whatever way', () => {
    expect(findCircles(graph({ a: ['b', 'c'], b: ['d'], c: ['d'] }))).toEqual([]);
  });

  it('names arrows to the same floor and above it, and files without a floor', () => {
    const arrows = graph({
      'core/a.ts': ['core/b.ts', 'data/c.ts'],
      'text/d.ts': ['core/a.ts', 'data/c.ts'],
      'data/c.ts': ['core/a.ts', 'data/index.ts', 'attic/e.ts'],
      'index.ts': ['data/c.ts'],
    });
    expect(findRising(arrows, [['core'], ['text', 'data'], ['index']])).toEqual([
      'attic/e.ts has no floor',
      'core/a.ts -> data/c.ts',
      'text/d.ts -> data/c.ts',
    ]);
  });

  it('gives a file to the longest room that holds it', () => {
    const arrows = graph({ 'torch/nn/a.ts': ['torch/index.ts'], 'torch/index.ts': ['torch/nn/a.ts'] });
    expect(findRising(arrows, [['torch/nn'], ['torch/index']])).toEqual(['torch/nn/a.ts -> torch/index.ts']);
  });
});

describe('the reading of arrows', () => {
  it('sees imports of types and exports, and not what is loaded later', () => {
    const source = `
      import { a } from './a.js';
      import type { b } from './b.js';
      export * from './c.js';
      export type { D } from './d.js';
      let e: import('./e.js').E;
      const later = () => import('./f.js');
      // import './g.js'
    `;
    expect(staticImports(source)).toEqual(['./a.js', './b.js', './c.js', './d.js', './e.js']);
  });

  it('writes out a tree of `use`', () => {
    const paths = expandUse('crate::{self, a::{b, c as d}, e::*}').map(
      ({ path, name }) => `${path.join('::')} ${name}`,
    );
    expect(paths).toEqual(['crate crate', 'crate::a::b b', 'crate::a::c d', 'crate::e::* *']);
  });

  it('reads what a crate needs, without what its tests need', () => {
    const manifest =
      '[dependencies]\nrecurra-core.workspace = true\nnapi = "3"\n[dev-dependencies]\nrecurra-text = "1"\n' +
      '[build-dependencies]\nrecurra-files = { path = "../files" }\n[target.x.dependencies]\nrecurra-torch-addon = "1"\n';
    expect(dependenciesOf(manifest)).toEqual(['core', 'files', 'torch-addon']);
  });
});
