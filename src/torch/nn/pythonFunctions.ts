import { refusedFunctions } from '../tensor/python.js';

// Exported by the namespaces that PyTorch has them in, without types: `nn.utils.clip_grad_norm_` is not a function otherwise.

/** @internal */
export const [cross_entropy, embedding_bag, log_softmax, nll_loss] = refusedFunctions('nn.functional.', [
  'crossEntropy',
  'embeddingBag',
  'logSoftmax',
  'nllLoss',
]);

/** @internal */
export const [kaiming_uniform_, xavier_normal_, xavier_uniform_] = refusedFunctions('nn.init.', [
  'kaimingUniform_',
  'xavierNormal_',
  'xavierUniform_',
]);

/** @internal */
export const [clip_grad_norm_, clip_grad_value_] = refusedFunctions(
  'nn.utils.',
  ['clipGradNorm', 'clipGradValue'],
  '_',
);

/** @internal */
export const [pack_padded_sequence, pack_sequence, pad_packed_sequence, pad_sequence, unpack_sequence, unpad_sequence] =
  refusedFunctions('nn.utils.rnn.', [
    'packPaddedSequence',
    'packSequence',
    'padPackedSequence',
    'padSequence',
    'unpackSequence',
    'unpadSequence',
  ]);
