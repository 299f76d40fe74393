import { ArgumentError, describe, invalidArgument, ModelFileError } from '../../core/errors.js';
import { isTensor } from '../tensor/base.js';
import type { Tensor } from '../tensor/tensor.js';

/** The key of an object that stands for a tensor of the file, or for a number that JSON does not have. */
const TENSOR = '$tensor';
const NUMBER = '$number';
/** Deeper values are taken for ones that contain themselves. */
const DEEPEST = 100;

/** A value in two parts: its tensors by name, and the rest as JSON. */
export interface Parts {
  /** The tensors, named by their path: `optimizer.state.0.exp_avg`. */
  tensors: Record<string, Tensor>;
  /** The value with `{ "$tensor": name }` for each tensor. */
  structure: unknown;
}

function refuse(path: string, value: unknown): never {
  const name = path === '' ? 'value of save' : `${path} of the value of save`;
  if (typeof value === 'object' && value !== null && 'stateDict' in value)
    throw new ArgumentError(
      'INVALID_ARGUMENT',
      `save cannot save ${name.replace(/^value of save$/, 'this')}, a ${describe(value)}, as a whole; save what its stateDict() returns`,
      { option: name },
    );
  const what = ArrayBuffer.isView(value) ? ' (make a tensor of the array)' : '';
  throw invalidArgument(name, `tensors, numbers, strings, booleans, null, plain objects and arrays${what}`, value);
}

/**
 * Takes a value apart. An object with a method `toJSON`, such as a `Vocab`, counts as what that returns.
 *
 * @throws `INVALID_ARGUMENT` naming the path of what cannot be saved.
 *
 * @internal
 */
export function takeApart(value: unknown): Parts {
  const tensors = Object.create(null) as Record<string, Tensor>;
  const visit = (value: unknown, path: string, depth: number): unknown => {
    if (depth > DEEPEST)
      throw new ArgumentError(
        'INVALID_ARGUMENT',
        `The value of save is nested more than ${DEEPEST} deep: ${path.slice(0, 80)}...`,
      );
    if (isTensor(value)) {
      path ||= 'tensor';
      if (path in tensors)
        throw new ArgumentError(
          'INVALID_ARGUMENT',
          `Two tensors of the value of save would be named ${JSON.stringify(path)}; rename one`,
        );
      tensors[path] = value;
      return { [TENSOR]: path };
    }
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
    if (typeof value === 'number') return Number.isFinite(value) ? value : { [NUMBER]: String(value) };
    const under = (name: string | number) => (path === '' ? `${name}` : `${path}.${name}`);
    if (Array.isArray(value)) return value.map((item, i) => visit(item, under(i), depth + 1));
    if (typeof value !== 'object' || value === undefined) return refuse(path, value);
    if ('toJSON' in value && typeof value.toJSON === 'function') return visit(value.toJSON(), path, depth + 1);
    const prototype: unknown = Object.getPrototypeOf(value);
    // An object of another realm has another Object.prototype, which has no prototype itself.
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null) return refuse(path, value);
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    if (entries.some(([name]) => name === TENSOR || name === NUMBER))
      throw new ArgumentError(
        'INVALID_ARGUMENT',
        `The value of save has a property ${TENSOR} or ${NUMBER}, which the file needs itself`,
      );
    return Object.fromEntries(entries.map(([name, item]) => [name, visit(item, under(name), depth + 1)]));
  };
  return { structure: visit(value, '', 0), tensors };
}

/**
 * Puts a value together again.
 *
 * @throws ModelFileError `INVALID_FILE` if a tensor is missing.
 *
 * @internal
 */
export function putTogether(file: string, { tensors, structure }: Parts): unknown {
  const visit = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map(visit);
    const entries = Object.entries(value);
    const [[key, content] = []] = entries;
    if (entries.length === 1 && key === NUMBER) return Number(content);
    if (entries.length === 1 && key === TENSOR) {
      const found = typeof content === 'string' && Object.hasOwn(tensors, content) ? tensors[content] : undefined;
      if (!found) throw new ModelFileError('INVALID_FILE', `${file}: the tensor ${describe(content)} is missing`);
      return found;
    }
    return Object.fromEntries(entries.map(([name, item]) => [name, visit(item)]));
  };
  return visit(structure);
}
