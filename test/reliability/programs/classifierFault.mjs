// With RECURRA_FAULT set, one of the calls meets a fault of the native side. Prints what each call gave, as JSON.
import { TextClassifier } from '../../../dist/index.js';
import { codeOf, SMALL, texts } from './common.mjs';

const rows = texts(64);
const many = Array.from({ length: 3_000 }, (_, i) => rows[i % 64].text);
const codes = {};
let model;
codes.train = await codeOf(async () => {
  model = await TextClassifier.train(rows, SMALL);
});
const accuracy = async (of) => {
  const { accuracy, loss } = await of.evaluate(rows);
  return Number.isFinite(loss) ? accuracy : Number.NaN;
};
if (model) {
  codes.predict = await codeOf(() => model.predict('cat'));
  codes.predictMany = await codeOf(() => model.predictMany(many));
  codes.evaluate = await codeOf(() => accuracy(model));
}
// Whatever happened: everything works from here on.
const again = await TextClassifier.train(rows, SMALL);
const result = { codes, accuracy: await accuracy(again), rows: (await again.predictMany(many)).length };
if (model) result.first = await accuracy(model);
again.close();
console.log(JSON.stringify(result));
