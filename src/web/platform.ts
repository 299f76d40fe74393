/**
 * An object of the platform by the name of its class, if the compiler knows it: a program without the library of the DOM then compiles
 * too, and has these objects left out.
 */
export type Platform<Name extends string> =
  typeof globalThis extends Record<Name, { prototype: infer Instance }> ? Instance : never;

/** A compiled module. A compiler without the library of the DOM takes any object for one. */
export type CompiledModule = typeof globalThis extends {
  WebAssembly: { Module: { prototype: infer Module } };
}
  ? Module
  : object;
