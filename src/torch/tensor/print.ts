import { type NativeTensor, torch } from '../../native/torch.js';
import { countElements, type DType, isFloating, shapeText, type TypedArray } from './dtype.js';
import { elementsOf } from './elements.js';
import { exponential, fixed } from './numberText.js';

// The defaults of torch.set_printoptions in PyTorch 2.11.
/** Digits after the point. */
const PRECISION = 4;
/** A tensor of more elements shows only the ends of its dimensions. */
const THRESHOLD = 1000;
/** Number of elements at each end of a dimension that is not shown whole. */
const EDGE = 3;
/** Characters of a line. */
const LINE = 80;

/** What the text of a tensor is made of. */
export interface Printed {
  /** The handle. */
  native: NativeTensor;
  /** Sizes of its dimensions. */
  shape: readonly number[];
  /** Its element type. */
  dtype: DType;
  /** Its device. */
  device: string;
}

/** What follows the elements. */
interface Suffix {
  text: string;
  /** Length in PyTorch, whose names are longer: lines break where PyTorch breaks them. */
  length: number;
}

/** How all elements of a tensor are written: each has the same width. */
interface Format {
  width: number;
  text: (value: number | bigint) => string;
}

/**
 * A tensor as PyTorch prints it, with names and values as JavaScript writes them: `tensor([[1., 2.], [3., 4.]], requiresGrad=true)`.
 * Of a large tensor only the elements that are shown are fetched.
 *
 * @internal
 */
export function tensorText({ native, shape, dtype, device }: Printed): string {
  const prefix = 'tensor(';
  const suffixes: Suffix[] = [];
  const add = (text: string, python = text) => suffixes.push({ text, length: python.length });
  if (device !== 'cpu') add(`device='${device}'`);
  let body = '[]';
  const isEmpty = countElements(shape) === 0;
  if (isEmpty) {
    if (shape.length !== 1) add(`size=${shapeText(shape)}`);
  } else {
    body = bodyText(native, shape, dtype, prefix.length);
  }
  // Elements show that they are integers or booleans.
  if (dtype !== 'float32' && (isEmpty || (dtype !== 'int64' && dtype !== 'bool')))
    add(`dtype=${dtype}`, `dtype=torch.${dtype}`);
  const gradName = gradNameOf(native);
  if (gradName !== null) add(`gradFn=<${gradName}>`, `grad_fn=<${gradName}>`);
  else if (native.requiresGrad()) add('requiresGrad=true', 'requires_grad=True');
  return withSuffixes(prefix + body, suffixes, prefix.length);
}

/** The name of the function that computed a tensor, or `null`; libtorch refuses it for some views that were changed in place. */
function gradNameOf(native: NativeTensor): string | null {
  try {
    return native.gradName();
  } catch {
    return 'Invalid';
  }
}

function bodyText(native: NativeTensor, shape: readonly number[], dtype: DType, indent: number): string {
  const whole = countElements(shape) <= THRESHOLD;
  const flat = whole ? elementsOf(native, dtype) : ends(native, shape, dtype);
  const isCut = (dim: number) => !whole && shape[dim]! > 2 * EDGE;
  const sizes = shape.map((size, dim) => (isCut(dim) ? 2 * EDGE : size));
  const format = isFloating(dtype) ? floatFormat(flat as Float32Array) : plainFormat(flat, dtype === 'bool');

  let next = 0;
  const visit = (dim: number, indent: number): string => {
    if (dim === shape.length) return format.text(flat[next++]!);
    const parts = Array.from({ length: sizes[dim]! }, () => visit(dim + 1, indent + 1));
    const last = dim === shape.length - 1;
    if (isCut(dim)) parts.splice(EDGE, 0, last ? ' ...' : '...');
    if (!last) return `[${parts.join(`,${'\n'.repeat(shape.length - dim - 1)}${' '.repeat(indent + 1)}`)}]`;
    const perLine = Math.max(1, Math.floor((LINE - indent) / (format.width + 2)));
    const lines: string[] = [];
    for (let i = 0; i < parts.length; i += perLine) lines.push(parts.slice(i, i + perLine).join(', '));
    return `[${lines.join(`,\n${' '.repeat(indent + 1)}`)}]`;
  };
  return visit(0, indent);
}

/** The elements at both ends of every dimension that is cut, row by row. */
function ends(native: NativeTensor, shape: readonly number[], dtype: DType): TypedArray {
  const previous = torch().setGradEnabled(false);
  const made: NativeTensor[] = [];
  const keep = (one: NativeTensor) => {
    made.push(one);
    return one;
  };
  // The inner dimensions are cut first: what is joined, and so copied, is small.
  const cut = (view: NativeTensor, dim: number): NativeTensor => {
    if (dim === shape.length) return view;
    const size = shape[dim]!;
    if (size <= 2 * EDGE) return cut(view, dim + 1);
    const parts = [view.slice(dim, 0, EDGE, 1), view.slice(dim, size - EDGE, size, 1)];
    return keep(
      torch().cat(
        parts.map((part) => cut(keep(part), dim + 1)),
        dim,
      ),
    );
  };
  try {
    return elementsOf(cut(native, 0), dtype);
  } finally {
    torch().setGradEnabled(previous);
    for (const one of made) one.dispose();
  }
}

function plainFormat(flat: TypedArray, isBool: boolean): Format {
  const write = (value: number | bigint) => (isBool ? String(value !== 0) : String(value));
  let width = 1;
  for (const value of flat) width = Math.max(width, write(value).length);
  return { width, text: (value) => write(value).padStart(width) };
}

/** The choice between `1.`, `1.0000` and `1.0000e+00`, which is one for all elements. */
function floatFormat(flat: Float32Array | Float64Array): Format {
  let least = Number.POSITIVE_INFINITY;
  let most = 0;
  let isInteger = true;
  const seen: number[] = [];
  for (const value of flat) {
    if (!Number.isFinite(value) || value === 0) continue;
    seen.push(value);
    least = Math.min(least, Math.abs(value));
    most = Math.max(most, Math.abs(value));
    isInteger &&= Number.isInteger(value);
  }
  const scientific = seen.length > 0 && (most / least > 1000 || most > 1e8 || least < 1e-4);
  const write = (value: number): string => {
    if (Number.isNaN(value)) return 'nan';
    if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
    if (scientific) return exponential(value, PRECISION);
    return isInteger ? `${fixed(value, 0)}.` : fixed(value, PRECISION);
  };
  const width = seen.reduce((width, value) => Math.max(width, write(value).length), 1);
  return { width, text: (value) => write(value as number).padStart(width) };
}

/** The text with what follows the elements, on the last line where there is room. */
function withSuffixes(text: string, suffixes: readonly Suffix[], indent: number): string {
  let result = text;
  let used = text.length - text.lastIndexOf('\n') + 1;
  for (const { text, length } of suffixes) {
    if (used + length + 2 > LINE) {
      result += `,\n${' '.repeat(indent)}${text}`;
      used = indent + length;
    } else {
      result += `, ${text}`;
      used += length + 2;
    }
  }
  return `${result})`;
}
