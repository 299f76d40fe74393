// The part of WebAssembly that is used here. The compiler has it among the names of browsers alone, which the rest of the project must not know.

declare namespace WebAssembly {
  class Module {
    private readonly module: never;
  }
  interface Instance {
    readonly exports: Record<string, unknown>;
  }
  interface Memory {
    readonly buffer: ArrayBuffer;
  }
  function instantiate(
    module: Module,
    imports: Record<string, Record<string, (...values: never[]) => unknown>>,
  ): Promise<Instance>;
  function compile(bytes: ArrayBuffer | ArrayBufferView<ArrayBuffer>): Promise<Module>;
  function validate(bytes: Uint8Array<ArrayBuffer>): boolean;
  function compileStreaming(response: Response): Promise<Module>;
}
