import { statSync } from 'node:fs';
import { BYTE_SIZE, byteSize } from '../../core/byteSize.js';
import { counted } from '../../core/counted.js';
import { constraint } from '../../core/errors.js';
import { checkOutputs } from '../../core/outputs.js';
import { jsonLine, note, percent } from '../../core/terminal.js';
import { TextClassifier } from '../../models/classifier/classifier.js';
import { COMPRESS, type CompressionFacts, type CompressOptions } from '../../models/compression/index.js';
import { LanguageModel } from '../../models/language/language.js';
import { TextTagger } from '../../models/tagger/tagger.js';
import { givenOptions } from '../flags.js';
import { CORPUS_COLUMNS, LABELLED_COLUMNS, TAG_COLUMNS, withModelColumns } from '../modelColumns.js';
import { EXIT } from '../output.js';
import { checkReadAgain, openCorpus, openRows, openTags, type RowFlags } from '../rows.js';
import { loadModel, type ModelOf } from '../tasks.js';
import { abortOnSignals } from './train.js';

/** Flags of `recurra compress`. */
export interface CompressFlags extends RowFlags {
  maxSize?: string;
  out?: string;
  eval?: string;
  json?: boolean;
}

/** What `--max-size` says, in bytes. */
function maxBytesOf(text: string): number {
  const bytes = byteSize(text);
  if (bytes === undefined)
    throw constraint('maxSize', `--max-size: expected ${BYTE_SIZE} but received ${JSON.stringify(text)}`);
  return bytes;
}

const bytesText = (bytes: number): string => `${bytes.toLocaleString('en-US')} bytes`;

/** What a model is worth on a file of rows: what is reported, and in words. */
async function measure(model: ModelOf<'compress'>, file: string, given: CompressFlags, signal: AbortSignal) {
  if (model instanceof LanguageModel) {
    const { flags, explained } = withModelColumns(model, given, CORPUS_COLUMNS);
    const { loss, perplexity } = await model.evaluate(explained(openCorpus(file, flags)), { signal });
    return { figures: { loss, perplexity }, words: `perplexity ${perplexity.toFixed(2)}` };
  }
  if (model instanceof TextTagger) {
    const { flags, explained } = withModelColumns(model, given, TAG_COLUMNS);
    const evaluation = await model.evaluate(explained(openTags(file, flags)), { signal });
    const { accuracy } = evaluation;
    if (evaluation.scheme === undefined) return { figures: { accuracy }, words: `accuracy ${percent(accuracy)}` };
    const { f1 } = evaluation.microAverage;
    return { figures: { accuracy, f1 }, words: `F1 ${percent(f1)}, token accuracy ${percent(accuracy)}` };
  }
  const { flags, explained } = withModelColumns(model, given, LABELLED_COLUMNS);
  const { accuracy, loss } = await model.evaluate(explained(openRows(file, flags)), { signal });
  return { figures: { accuracy, loss }, words: `accuracy ${percent(accuracy)}, loss ${loss.toFixed(4)}` };
}

/** What was done, in words. */
function described({ code, words, features, levels }: CompressionFacts, all: number): string {
  const bits = {
    int8: '8 bits a number',
    int4: '4 bits a number',
    product4: 'product codes of 2 bits',
    product8: 'product codes of 1 bit',
  };
  const parts = [`${words.toLocaleString('en-US')} of ${counted(all, 'word')}`];
  if (code !== undefined) parts.push(bits[code as keyof typeof bits] ?? code);
  if (features !== undefined)
    parts.push(`${features.toLocaleString('en-US')} n-grams of the linear model, weights from -${levels} to ${levels}`);
  return parts.join(', ');
}

/** What the smaller model does not have, since its probabilities differ from those that were measured. */
function lostParts({ precision, scope }: TextClassifier['validated']): string | undefined {
  const lost = [...(precision ? ['thresholds for --precision'] : []), ...(scope ? ['limits for --out-of-scope'] : [])];
  return lost.length === 0 ? undefined : `without ${lost.join(' and ')}, which were measured on the whole model`;
}

/** `recurra compress`: makes a model smaller. */
export async function compressCommand(modelFile: string, flags: CompressFlags): Promise<number> {
  if (flags.maxSize === undefined && Object.keys(givenOptions(COMPRESS, flags)).length === 0)
    throw constraint('maxSize', 'give at least one of --max-size, --bits and --keep-words');
  const out = flags.out ?? modelFile.replace(/(\.safetensors)?$/, '.small.safetensors');
  const inputs = [{ what: 'the model', path: modelFile }];
  if (flags.eval !== undefined) inputs.push({ what: 'the file of the rows', path: flags.eval });
  await checkOutputs([{ option: 'out', what: 'the compressed model', path: out }], inputs);
  if (flags.eval !== undefined) checkReadAgain('eval', flags.eval, 'the rows are read for both models');
  const model = await loadModel('compress', modelFile);
  const { signal, release } = abortOnSignals('stopping');
  try {
    const options: CompressOptions = {
      ...givenOptions<CompressOptions>(COMPRESS, flags),
      ...(flags.maxSize !== undefined && { maxBytes: maxBytesOf(flags.maxSize) }),
      signal,
    };
    const small = await model.compress(options);
    const before = flags.eval === undefined ? undefined : await measure(model, flags.eval, flags, signal);
    const after = flags.eval === undefined ? undefined : await measure(small, flags.eval, flags, signal);
    await small.save(out);
    const facts = small.compression!;
    const size = statSync(modelFile).size;
    if (flags.json) {
      const evaluation = before && after && { before: before.figures, after: after.figures };
      jsonLine({ event: 'end', model: modelFile, out, bytesBefore: size, ...facts, ...(evaluation && { evaluation }) });
      return EXIT.ok;
    }
    const lines = [
      `${out}: ${bytesText(facts.bytes)}, ${(size / facts.bytes).toFixed(1)} times smaller than ${bytesText(size)}`,
      described(facts, model.vocab.size),
    ];
    const lost = model instanceof TextClassifier ? lostParts(model.validated) : undefined;
    if (lost !== undefined) lines.push(lost);
    if (before && after) lines.push(`before: ${before.words}`, `after:  ${after.words}`);
    process.stdout.write(`${lines.join('\n')}\n`);
    return EXIT.ok;
  } catch (error) {
    if (!signal.aborted) throw error;
    note('recurra: stopped; nothing was written');
    return EXIT.interrupted;
  } finally {
    release();
  }
}
