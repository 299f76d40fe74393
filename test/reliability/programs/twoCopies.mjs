// Loads the library from two paths in one process: twoCopies.mjs FOLDER, which gets a copy. Prints what both say, as JSON.
import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { SMALL, texts } from './common.mjs';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const copy = join(process.argv[2], 'copy');
mkdirSync(copy);
for (const name of ['dist', 'native', 'package.json']) cpSync(join(root, name), join(copy, name), { recursive: true });
symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));

async function use({ TextClassifier, manualSeed, nn, optim, randn }) {
  const rows = texts(200);
  const path = join(process.argv[2], 'model.safetensors');
  const model = await TextClassifier.train(rows, SMALL);
  await model.save(path);
  const loaded = await TextClassifier.load(path);
  const { probability } = await loaded.predict('cat dog');
  model.close();
  loaded.close();
  manualSeed(4);
  const layer = new nn.GRU(4, 3);
  const optimizer = new optim.Adam(layer.parameters());
  const x = randn([5, 2, 4]);
  let last = 0;
  for (let i = 0; i < 5; i++) {
    optimizer.zeroGrad();
    const loss = layer.forward(x)[0].square().mean();
    loss.backward();
    await optimizer.stepAsync();
    last = loss.item();
  }
  return { probability, last };
}

const load = async (folder) => ({
  ...(await import(pathToFileURL(join(folder, 'dist/index.js')))),
  ...(await import(pathToFileURL(join(folder, 'dist/torch/index.js')))),
});
const first = await load(root);
const second = await load(copy);
const results = [await use(first), await use(second), ...(await Promise.all([use(first), use(second)]))];
console.log(JSON.stringify({ same: first === second, results }));
