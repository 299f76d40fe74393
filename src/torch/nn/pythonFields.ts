import { refusePythonNames } from '../tensor/python.js';
import { RecurrentCell } from './cells.js';
import { Embedding, EmbeddingBag } from './embedding.js';
import { Linear } from './linear.js';
import { CrossEntropyLoss, NLLLoss } from './loss.js';
import { RecurrentBase } from './recurrentBase.js';

/** Properties of layers that PyTorch names otherwise. */
const FIELDS = [
  { layer: Linear, variable: 'linear', fields: ['inFeatures', 'outFeatures'] },
  { layer: Embedding, variable: 'embedding', fields: ['numEmbeddings', 'embeddingDim', 'paddingIdx'] },
  { layer: EmbeddingBag, variable: 'embedding', fields: ['numEmbeddings', 'embeddingDim', 'paddingIdx'] },
  { layer: RecurrentBase, variable: 'rnn', fields: ['inputSize', 'hiddenSize', 'numLayers', 'batchFirst', 'projSize'] },
  { layer: RecurrentCell, variable: 'cell', fields: ['inputSize', 'hiddenSize'] },
  { layer: CrossEntropyLoss, variable: 'lossFn', fields: ['ignoreIndex', 'labelSmoothing'] },
  { layer: NLLLoss, variable: 'lossFn', fields: ['ignoreIndex'] },
] as const;

for (const { layer, variable, fields } of FIELDS) refusePythonNames(layer.prototype, { variable, fields });
refusePythonNames(Embedding, { variable: 'nn.Embedding' });
refusePythonNames(EmbeddingBag, { variable: 'nn.EmbeddingBag' });
