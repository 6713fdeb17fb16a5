/**
 * WebAssembly as far as our kernels need it: modules in base64, compiled at once and without waiting, so that they load in any
 * form of bundle. Kernels are accelerators only: every one has a twin in TypeScript that takes over where `undefined` comes back.
 */

/** Memory that a kernel works on. `grow(0)` detaches the buffer and every view of it, and makes a new one of the same bytes. */
export interface KernelMemory {
  readonly buffer: ArrayBuffer
  grow(pages: number): number
}

/** What a kernel exports: functions and memories by name. */
export type KernelExports = Readonly<Record<string, unknown>>

/** Bytes of a page of kernel memory. */
export const kernelPageBytes = 65_536

/** The compiler's library knows WebAssembly from browsers only. */
interface Runtime {
  readonly Module: new(bytes: Uint8Array) => object
  readonly Instance: new(module: object, imports?: object) => { readonly exports: KernelExports }
  readonly Memory: new(size: { readonly initial: number; readonly maximum: number }) => KernelMemory
}

const runtime = (globalThis as { readonly WebAssembly?: Runtime }).WebAssembly

const attempt = <A>(make: (runtime: Runtime) => A): A | undefined => {
  if (runtime === undefined) return undefined
  try {
    return make(runtime)
  } catch {
    // Refused: no vectors here, code generation forbidden, or no address space left.
    return undefined
  }
}

/** Compiles a module given in base64; undefined where it cannot run. A kilobyte takes about a tenth of a millisecond. */
export const compileKernel = (base64: string): object | undefined =>
  attempt(({ Module }) => new Module(Buffer.from(base64, "base64")))

/** An instance of a compiled module, over `memory` when it imports one as `kernel.memory`. */
export const startKernel = (module: object | undefined, memory?: KernelMemory): KernelExports | undefined =>
  module === undefined ? undefined : attempt(({ Instance }) => new Instance(module, { kernel: { memory } }).exports)

/** Zeroed memory of a fixed number of pages; the system makes pages when they are first written. */
export const makeKernelMemory = (pages: number): KernelMemory | undefined =>
  attempt(({ Memory }) => new Memory({ initial: pages, maximum: pages }))
