// Saves a model where it cannot be saved: saveInto.mjs PATH [UID]. Prints the error's code, whether the event loop went on,
// and what is in the folder, as JSON.
import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { TextClassifier } from '../../../dist/index.js';
import { saveFile, zeros } from '../../../dist/torch/index.js';
import { torchHalf } from '../../support/halves.mjs';
import { codeOf, SMALL, texts } from './common.mjs';

const [path, uid] = process.argv.slice(2);
const model = await TextClassifier.train(texts(64), { ...SMALL, epochs: 1, embeddingDim: 4_096 });
const tensors = torchHalf ? { weight: zeros([64, 4_096]) } : undefined;
if (Number(uid) > 0) {
  process.setgid(Number(uid));
  process.setuid(Number(uid));
}
const codes = [await codeOf(() => model.save(path))];
if (tensors) codes.push(await codeOf(() => saveFile(tensors, path)));
const { label } = await model.predict('cat dog');
console.log(JSON.stringify({ codes, label, files: readdirSync(dirname(path)).sort() }));
