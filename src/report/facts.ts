import type { TextClassifier } from '../models/classifier/classifier.js';
import type { Model } from '../models/model.js';
import type { Fact } from './format.js';

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** Facts of every network. */
export function networkFacts({ settings, vocab }: Pick<Model, 'settings' | 'vocab'>): Fact[] {
  const { cell, hiddenSize, numLayers, bidirectional, embeddingDim } = settings;
  return [
    { name: 'cell', value: cell.toUpperCase() },
    { name: 'hidden size', value: hiddenSize },
    { name: 'layers', value: `${numLayers}${bidirectional ? ', in both directions' : ''}` },
    { name: 'size of word vectors', value: embeddingDim },
    { name: 'known words', value: vocab.length },
  ];
}

/** Facts of a classifier. */
export function classifierFacts(model: TextClassifier): Fact[] {
  const { labels, mix, recurrent, members, thresholds } = model;
  const network = recurrent ? networkFacts(model) : [];
  return [
    { name: 'kind', value: thresholds ? 'classifier, several labels per text' : 'classifier' },
    { name: 'labels', value: labels.length },
    ...network,
    ...(members > 1 ? [{ name: 'networks', value: members }] : []),
    ...(mix
      ? [
          {
            name: 'share of the linear model',
            value: recurrent ? percent(1 - mix.network) : 'all: there is no network',
          },
        ]
      : []),
  ];
}
