import type { JsonObject } from './jsonLines.js';

/** Unit of positions in a text: UTF-16 code units, as in JavaScript, or code points, as in Python. */
export type SpanOffsets = 'utf16' | 'codePoints';

/** The unchecked spans of an object. */
export interface RawSpans {
  spans: RawSpan[];
  /** How positions are counted by the program that writes this shape. */
  offsets: SpanOffsets;
}

/** An unchecked span. */
export interface RawSpan {
  start: unknown;
  end: unknown;
  label: unknown;
  /** The text that the span claims to have. */
  text: unknown;
}

type Refuse = (message: string) => Error;

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const own = (record: JsonObject, name: string): unknown => (Object.hasOwn(record, name) ? record[name] : undefined);

/** Fields that may have the spans, the most reliable first. */
const FIELDS = ['spans', 'ents', 'entities', 'labels', 'label'] as const;

/**
 * Finds the text's object and the spans of a record, in any shape.
 *
 * @param field - The field of the spans; undefined to search for it.
 */
export function spansOf(record: JsonObject, field: string | undefined, refuse: Refuse): RawSpans {
  if (field === undefined && Array.isArray(own(record, 'annotations'))) {
    return { spans: labelStudioSpans(own(record, 'annotations') as unknown[], refuse), offsets: 'utf16' };
  }
  const name = field ?? FIELDS.find((each) => Object.hasOwn(record, each));
  if (name === undefined) throw refuse(`the spans are missing: expected a field ${FIELDS.join(', ')} or annotations`);
  const list = own(record, name);
  if (!Array.isArray(list)) {
    const found = list === undefined ? 'is missing' : list === null ? 'is null' : `is a ${typeof list}`;
    throw refuse(`the field ${JSON.stringify(name)} ${found}: expected an array of spans`);
  }
  const spans = list.map((each, i) => spanOf(each, `${name}[${i}]`, refuse));
  const python =
    name === 'ents' || list.some((each) => Array.isArray(each) || Object.hasOwn(each as object, 'start_offset'));
  return { spans, offsets: python ? 'codePoints' : 'utf16' };
}

/** `[start, end, label]`, or an object. */
function spanOf(value: unknown, name: string, refuse: Refuse): RawSpan {
  if (Array.isArray(value)) {
    if (value.length === 3) return { start: value[0], end: value[1], label: value[2], text: undefined };
    throw refuse(`${name} is an array of ${value.length}: expected [start, end, label]`);
  }
  if (!isObject(value))
    throw refuse(`${name} is not a span: expected {"start", "end", "label"} or [start, end, label]`);
  const doccano = Object.hasOwn(value, 'start_offset');
  return {
    start: own(value, doccano ? 'start_offset' : 'start'),
    end: own(value, doccano ? 'end_offset' : 'end'),
    label: Object.hasOwn(value, 'label') ? value.label : oneLabel(own(value, 'labels'), name, refuse),
    text: own(value, 'text'),
  };
}

/** The single label in Label Studio's list of labels. */
function oneLabel(labels: unknown, name: string, refuse: Refuse): unknown {
  if (!Array.isArray(labels)) return undefined;
  if (labels.length > 1) throw refuse(`${name} has ${labels.length} labels: a token has one tag`);
  return labels[0];
}

/**
 * The spans of the first annotation that was not cancelled; other results, such as choices and relations, are skipped.
 */
function labelStudioSpans(annotations: readonly unknown[], refuse: Refuse): RawSpan[] {
  const annotation = annotations.find((each) => isObject(each) && own(each, 'was_cancelled') !== true);
  if (annotation === undefined) throw refuse('the row has no annotation that was not cancelled');
  const results = own(annotation as JsonObject, 'result');
  if (!Array.isArray(results)) throw refuse('annotations[0].result is missing: expected an array');
  return results.flatMap((result, i) => {
    const value = isObject(result) ? own(result, 'value') : undefined;
    if (!isObject(value) || !Object.hasOwn(value, 'labels')) return [];
    return [spanOf(value, `annotations[0].result[${i}].value`, refuse)];
  });
}
