import { assertType, describe, expectTypeOf, it } from 'vitest';
import {
  type DataError,
  type Evaluation,
  type LabelledText,
  type Prediction,
  type Progress,
  RecurraError,
  readCsv,
  TextClassifier,
  type TextModel,
  type TrainingError,
  type TrainingEvent,
  type TrainingRun,
  type TrainOptions,
  type ValidationResult,
} from '../../src/index.js';

describe('TextClassifier', () => {
  it('takes rows of any iterable and gives a classifier', () => {
    expectTypeOf(TextClassifier.train).returns.resolves.toEqualTypeOf<TextClassifier>();
    const rows: LabelledText[] = [];
    assertType<Promise<TextClassifier>>(TextClassifier.train(rows));
    assertType<Promise<TextClassifier>>(
      TextClassifier.train(readCsv('f', { text: ['a', 2], label: 'b' }), { cell: 'gru' }),
    );
    // @ts-expect-error a row needs a label
    TextClassifier.train([{ text: 'a' }]);
    assertType<Promise<TextClassifier>>(
      TextClassifier.train(rows, { tokenizer: 'unicode_words', ngrams: 2, truncate: 'both' }),
    );
    // @ts-expect-error no such tokenizer
    TextClassifier.train(rows, { tokenizer: 'spacy' });
    // @ts-expect-error no such cell
    TextClassifier.train(rows, { cell: 'transformer' });
    // @ts-expect-error no such option
    TextClassifier.train(rows, { hidenSize: 3 });
  });

  it('takes the options of the training by their types', () => {
    const rows: LabelledText[] = [];
    assertType<TrainOptions>({ classWeights: 'balanced', freezeEmbeddings: true, pooling: 'attention' });
    assertType<TrainOptions>({ classWeights: { a: 2 }, freezeEmbeddings: 3, optimizer: 'sgd', momentum: 0.9 });
    assertType<TrainOptions>({ classWeights: new Map([['a', 2]]), tokensPerBatch: 4096, bucketing: false });
    assertType<Promise<TextClassifier>>(TextClassifier.train([{ text: 'a', label: ['b', 'c'] }], { multiLabel: true }));
    expectTypeOf<TextClassifier['thresholds']>().toEqualTypeOf<readonly number[] | undefined>();
    expectTypeOf<Prediction['labels']>().toEqualTypeOf<readonly string[]>();
    // @ts-expect-error no such optimizer
    TextClassifier.train(rows, { optimizer: 'rmsprop' });
    // @ts-expect-error weights are numbers
    TextClassifier.train(rows, { classWeights: { a: '2' } });
  });

  it('predicts iterables of labels', () => {
    const model = null as unknown as TextClassifier;
    expectTypeOf(() => model.predict('a')).returns.resolves.toEqualTypeOf<Prediction>();
    expectTypeOf(() => model.predictMany(['a'], { topK: 1 })).returns.resolves.toEqualTypeOf<Prediction[]>();
    expectTypeOf(() => model.predict('a', { minProbability: 0.5 })).returns.resolves.toEqualTypeOf<
      Prediction<string | null>
    >();
    expectTypeOf(() => model.predictMany(['a'], { precision: 0.99, topK: 1 })).returns.resolves.toEqualTypeOf<
      Prediction<string | null>[]
    >();
    const [best] = null as unknown as Prediction;
    expectTypeOf(best!.label).toEqualTypeOf<string>();
    const evaluation = null as unknown as Evaluation;
    expectTypeOf(evaluation.accuracy).toEqualTypeOf<number>();
    if (!evaluation.multiLabel) expectTypeOf(evaluation.confusionMatrix).toEqualTypeOf<number[][] | null>();
    else expectTypeOf(evaluation.hammingLoss).toEqualTypeOf<number>();
  });

  it('reports progress by kind', () => {
    expectTypeOf<NonNullable<TrainOptions['onProgress']>>().parameter(0).toEqualTypeOf<Progress>();
    expectTypeOf<Progress['kind']>().toEqualTypeOf<'step' | 'epoch'>();
  });

  it('tells a training by events of its own types', () => {
    const run = TextClassifier.start([]);
    expectTypeOf(run.result).resolves.toEqualTypeOf<TextClassifier>();
    expectTypeOf<NonNullable<TrainOptions['onEvent']>>().parameter(0).toEqualTypeOf<TrainingEvent>();
    const event = null as unknown as TrainingEvent;
    if (event.type === 'start') expectTypeOf(event.labels).toEqualTypeOf<readonly string[]>();
    if (event.type === 'validation') expectTypeOf(event.validation).toEqualTypeOf<ValidationResult>();
    // @ts-expect-error a step measures nothing on validation rows
    if (event.type === 'step') event.validation;
    assertType<TrainingRun>(run);
    assertType<TextModel>(null as unknown as TextClassifier);
  });

  it('has errors with codes', () => {
    expectTypeOf<TrainingError>().toExtend<RecurraError>();
    expectTypeOf<TrainingError<TextClassifier>['model']>().toEqualTypeOf<TextClassifier | undefined>();
    expectTypeOf<DataError['line']>().toEqualTypeOf<number | undefined>();
    // @ts-expect-error codes are a closed list
    new RecurraError('OOPS', '');
  });
});
