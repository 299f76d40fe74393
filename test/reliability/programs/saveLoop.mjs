// Saves a model over and over until something ends the process: saveLoop.mjs PATH. Says when the first save has begun.
import { TextClassifier } from '../../../dist/index.js';
import { SMALL, texts } from './common.mjs';

const model = await TextClassifier.train(texts(200), { ...SMALL, epochs: 1, embeddingDim: 2_048 });
console.log('saving');
for (;;) await model.save(process.argv[2]);
