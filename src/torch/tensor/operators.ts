import { ArgumentError } from '../../core/errors.js';

/** What a tensor says where JavaScript asks it for a plain value. */
const OPERATORS =
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the text shows a template.
  "JavaScript's operators do not compute with tensors: write a.add(b), a.sub(b), a.mul(b), a.div(b), a.eq(b), a.lt(b) for a + b, a - b, a * b, a / b, a == b, a < b; t.item() gives the number of one element, `${t}` or String(t) a text";
const JSON_LOSES =
  'JSON.stringify would lose the elements of a tensor; save(value, path) writes tensors with plain values, toArray() gives nested arrays, item() a number';
/** Positions that programs for PyTorch ask for; other ones are undefined, as for every object. */
const POSITIONS = [-2, -1, 0, 1];

/**
 * Methods of PyTorch's tensors that have another name here, and what to write.
 *
 * @internal
 */
export const TENSOR_NAMES: Readonly<Record<string, string>> = {
  cuda: "t.to('cuda')",
  cpu: "t.to('cpu')",
  double: "t.to('float64')",
  int: "t.to('int32')",
  bool: "t.to('bool')",
  bfloat16: "t.to('bfloat16')",
  type: "t.dtype, or t.to('int64')",
  numpy: 't.toTypedArray()',
  tolist: 't.toArray()',
  dim: 't.shape.length',
  nelement: 't.numel()',
};

const refuse = (message: string): never => {
  throw new ArgumentError('INVALID_ARGUMENT', message);
};

/**
 * Makes the operators of JavaScript, `JSON.stringify` and `t[0]` throw for tensors, where they would otherwise give `NaN`, a text, nothing or `undefined`. Types refuse them; this is for programs without types. Texts are as ever: `${t}`, `String(t)`, `console.log(t)`.
 *
 * @param prototype - The prototype of all tensors.
 *
 * @internal
 */
export function refuseOperators(prototype: object): void {
  const own = (key: string | symbol, descriptor: PropertyDescriptor) =>
    Object.defineProperty(prototype, key, { configurable: true, enumerable: false, ...descriptor });
  own(Symbol.toPrimitive, {
    value(this: object, hint: string): string {
      return hint === 'string' ? this.toString() : refuse(OPERATORS);
    },
  });
  own('toJSON', { value: () => refuse(JSON_LOSES) });
  for (const position of POSITIONS) {
    const message = `A tensor has no property ${position}: PyTorch's t[${position}] is t.at(${position})`;
    own(String(position), { get: () => refuse(message), set: () => refuse(message) });
  }
}
