import type { light } from '../../../index.d.js';
import type { Turns } from '../../core/turns.js';

/** Types of elements that are used. */
export type OnnxType = light.OnnxTensor['dtype'];

/** Numbers of types in `TensorProto.DataType`, for `Cast`. */
export const FLOAT = 1;
export const INT32 = 6;
export const INT64 = 7;

/** A size, or the name of one that each call has of its own. */
export type Size = number | string;

/** Name of a value: an input, a constant, or what a node gives. */
export type Ref = string;

/** What makes elements and pauses often. */
export type Steps = Generator<void, ArrayBufferView, undefined>;

const NO_BYTES = new Uint8Array(0);

/** What an operator is told beside its inputs: whole numbers, texts, a body, or `{ float }`. */
export type Attributes = Readonly<
  Record<string, number | string | readonly number[] | readonly string[] | { float: number } | Graph>
>;

function attribute(name: string, value: Attributes[string]): light.OnnxAttribute {
  if (typeof value === 'number') return { name, int: value };
  if (typeof value === 'string') return { name, text: value };
  if (value instanceof Graph) return { name, graph: value.finish() };
  if ('float' in value) return { name, float: value.float };
  if (value.length > 0 && typeof value[0] === 'string') return { name, texts: value as string[] };
  return { name, ints: value as number[] };
}

/** The bytes of an array; files and models of this package are little-endian, and so are all platforms that it has builds for. */
export function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
}

/** A graph of ONNX' operators, built from its inputs to its outputs. */
export class Graph {
  readonly #name: string;
  readonly #nodes: light.OnnxNode[] = [];
  readonly #constants: light.OnnxTensor[] = [];
  readonly #inputs: light.OnnxValue[] = [];
  readonly #outputs: light.OnnxValue[] = [];
  /** Small constants that are there already, by what they are. */
  readonly #known = new Map<string, Ref>();
  /** Constants whose elements are not there yet. */
  #later: { constant: light.OnnxTensor; data: Steps }[] = [];
  #count = 0;

  /** @param name - Values of a body begin with it: they must differ from those of the graph around it. */
  constructor(name: string) {
    this.#name = name;
  }

  /** An input of the caller. */
  input(name: string, dtype: OnnxType, dims: readonly Size[]): Ref {
    this.#inputs.push({ name, dtype, dims: [...dims] });
    return name;
  }

  /** Gives a value to the caller. */
  output(name: string, dtype: OnnxType, dims: readonly Size[], from: Ref): void {
    this.#add('Identity', [from], {}, [name]);
    this.#outputs.push({ name, dtype, dims: [...dims] });
  }

  /** A constant with a name of its own; the elements of a large one may be made later, in steps. */
  tensor(name: string, dtype: OnnxType, dims: readonly number[], data: ArrayBufferView | Steps): Ref {
    const constant: light.OnnxTensor = { name, dtype, dims: [...dims], data: NO_BYTES };
    this.#constants.push(constant);
    if (ArrayBuffer.isView(data)) constant.data = bytesOf(data);
    else this.#later.push({ constant, data });
    return name;
  }

  /** Whole numbers in a row. */
  ints(values: readonly number[]): Ref {
    return this.#small('int64', [values.length], BigInt64Array.from(values, BigInt));
  }

  /** A whole number without a dimension. */
  int(value: number): Ref {
    return this.#small('int64', [], BigInt64Array.of(BigInt(value)));
  }

  /** A number without a dimension. */
  float(value: number): Ref {
    return this.#small('float32', [], Float32Array.of(value));
  }

  #small(dtype: OnnxType, dims: number[], data: ArrayBufferView): Ref {
    const bytes = bytesOf(data);
    const key = `${dtype} [${dims}] ${bytes}`;
    let name = this.#known.get(key);
    if (name === undefined) {
      name = this.tensor(`${this.#name}/constant_${this.#known.size}`, dtype, dims, data);
      this.#known.set(key, name);
    }
    return name;
  }

  /** What an operator gives that gives one value. */
  op(operator: string, inputs: readonly Ref[], attributes: Attributes = {}): Ref {
    return this.ops(operator, inputs, 1, attributes)[0]!;
  }

  /** What an operator gives that gives several. */
  ops(operator: string, inputs: readonly Ref[], outputs: number, attributes: Attributes = {}): Ref[] {
    const name = `${this.#name}/${operator}_${this.#count}`;
    const names = Array.from({ length: outputs }, (_, at) => (outputs === 1 ? name : `${name}.${at}`));
    this.#add(operator, inputs, attributes, names);
    return names;
  }

  #add(operator: string, inputs: readonly Ref[], attributes: Attributes, outputs: Ref[]): void {
    this.#nodes.push({
      operator,
      name: `${this.#name}/${operator}_${this.#count++}`,
      inputs: [...inputs],
      outputs,
      attributes: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
    });
  }

  /** Makes the elements of constants that are not there yet; the event loop goes round meanwhile. */
  async settle(turns: Turns): Promise<void> {
    for (const { constant, data } of this.#later) constant.data = bytesOf(await turns.run(data));
    this.#later = [];
  }

  /** The graph as the addon takes it; {@link settle} comes before. */
  finish(): light.OnnxGraph {
    return {
      name: this.#name,
      nodes: this.#nodes,
      constants: this.#constants,
      inputs: this.#inputs,
      outputs: this.#outputs,
    };
  }
}
