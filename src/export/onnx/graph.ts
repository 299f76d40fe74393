import type { light } from '../../../index.d.js';
import type { Turns } from '../../core/turns.js';

/** Element types in use. */
export type OnnxType = light.OnnxTensor['dtype'];

/** Numbers of types in `TensorProto.DataType`, for `Cast`. */
export const FLOAT = 1;
export const INT32 = 6;
export const INT64 = 7;

/** A size, or the name of one that varies from call to call. */
export type Size = number | string;

/** Name of a value: an input, a constant, or an output of a node. */
export type Ref = string;

/** A generator that computes elements and pauses often. */
export type Steps = Generator<void, ArrayBufferView, undefined>;

const NO_BYTES = new Uint8Array(0);

/** Attributes of an operator: whole numbers, texts, a body, or `{ float }`. */
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

/**
 * The bytes of an array; files and models of this package are little-endian, as are all platforms it has builds for.
 */
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
  /** Existing small constants, by their content. */
  readonly #known = new Map<string, Ref>();
  /** Constants whose elements have not been computed yet. */
  #later: { constant: light.OnnxTensor; data: Steps }[] = [];
  #count = 0;

  /** @param name - Prefix of a body's values, which must differ from those of the enclosing graph. */
  constructor(name: string) {
    this.#name = name;
  }

  /** An input. */
  input(name: string, dtype: OnnxType, dims: readonly Size[]): Ref {
    this.#inputs.push({ name, dtype, dims: [...dims] });
    return name;
  }

  /** Declares an output. */
  output(name: string, dtype: OnnxType, dims: readonly Size[], from: Ref): void {
    this.#add('Identity', [from], {}, [name]);
    this.#outputs.push({ name, dtype, dims: [...dims] });
  }

  /** A named constant; the elements of a large one may be computed later, in steps. */
  tensor(name: string, dtype: OnnxType, dims: readonly number[], data: ArrayBufferView | Steps): Ref {
    const constant: light.OnnxTensor = { name, dtype, dims: [...dims], data: NO_BYTES };
    this.#constants.push(constant);
    if (ArrayBuffer.isView(data)) constant.data = bytesOf(data);
    else this.#later.push({ constant, data });
    return name;
  }

  /** A vector of whole numbers. */
  ints(values: readonly number[]): Ref {
    return this.#small('int64', [values.length], BigInt64Array.from(values, BigInt));
  }

  /** A scalar whole number. */
  int(value: number): Ref {
    return this.#small('int64', [], BigInt64Array.of(BigInt(value)));
  }

  /** A scalar number. */
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

  /** The output of an operator with one output. */
  op(operator: string, inputs: readonly Ref[], attributes: Attributes = {}): Ref {
    return this.ops(operator, inputs, 1, attributes)[0]!;
  }

  /** The outputs of an operator with several outputs. */
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

  /** Computes the elements of pending constants, yielding to the event loop. */
  async settle(turns: Turns): Promise<void> {
    for (const { constant, data } of this.#later) constant.data = bytesOf(await turns.run(data));
    this.#later = [];
  }

  /** The graph as the addon takes it; call {@link settle} first. */
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
