import { ArgumentError, DistributedError, type ErrorCode, LibtorchError, RecurraError } from '../core/errors.js';
import { isError, isPromise } from '../core/realms.js';

/**
 * Wire format of errors: `RECURRA:<code>:<message>`, or with the option concerned and the system's message, each
 * possibly empty, `RECURRA:<code>\x1f<option>\x1f<cause>\x1f:<message>`.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: a separator that no option or cause contains.
const WIRE = /^RECURRA:([A-Z_]+)(?:\x1f([^\x1f]*)\x1f([^\x1f]*)\x1f)?:([\s\S]*)$/;

/** Turns an error of a binding into the typed error that users see. */
export function decodeError(error: unknown): unknown {
  if (!isError(error) || error instanceof RecurraError) return error;
  const match = WIRE.exec(error.message);
  if (match) {
    const [, code, option, cause, message] = match as unknown as [string, string, string?, string?, string?];
    const options = cause ? { cause: new Error(cause) } : {};
    if (code === 'LIBTORCH') return new LibtorchError('LIBTORCH_UNREADABLE', message!, options);
    if (code === 'DISTRIBUTED') {
      // The native side writes the rank at fault in place of the option.
      return new DistributedError(message!, option ? { ...options, rank: Number(option) } : options);
    }
    if (option) return new ArgumentError(code as ErrorCode, message!, { ...options, option });
    return new RecurraError(code as ErrorCode, message!, options);
  }
  // Errors of napi's argument conversion, and caught panics, have no code of ours.
  const status = (error as { code?: unknown }).code;
  const ofArguments = typeof status === 'string' && /Expected|InvalidArg/.test(status);
  return new RecurraError(ofArguments ? 'INVALID_ARGUMENT' : 'INTERNAL', error.message, { cause: error });
}

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

function guarded(original: AnyFunction): AnyFunction {
  return function (this: unknown, ...args: unknown[]): unknown {
    let result: unknown;
    try {
      result = original.apply(this, args);
    } catch (error) {
      throw decodeError(error);
    }
    if (isPromise(result)) {
      return result.catch((error: unknown) => {
        throw decodeError(error);
      });
    }
    return result;
  };
}

function guardMethods(target: object): void {
  for (const name of Object.getOwnPropertyNames(target)) {
    const property = Object.getOwnPropertyDescriptor(target, name)!;
    if (name !== 'constructor' && name !== 'prototype' && typeof property.value === 'function' && property.writable) {
      Object.defineProperty(target, name, { ...property, value: guarded(property.value as AnyFunction) });
    }
  }
}

/**
 * Makes every function and method of a loaded binding throw typed errors.
 *
 * Done once here, so that callers need no `try`. Classes are wrapped in place, since `instanceof` and the handles that
 * methods return must keep working.
 */
export function wrapBinding<T extends object>(binding: T): T {
  const wrapped: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(binding)) {
    if (typeof value !== 'function') {
      wrapped[name] = value;
    } else if (
      /^class |^[A-Z]/.test(value.name) &&
      value.prototype &&
      Object.getOwnPropertyNames(value.prototype).length > 1
    ) {
      guardMethods(value);
      guardMethods(value.prototype);
      wrapped[name] = new Proxy(value, {
        construct(target, args, newTarget): object {
          try {
            return Reflect.construct(target, args, newTarget) as object;
          } catch (error) {
            throw decodeError(error);
          }
        },
      });
    } else {
      wrapped[name] = guarded(value as AnyFunction);
    }
  }
  return wrapped as T;
}
