/**
 * Adler-32 by 128-bit vectors in WebAssembly (Adler32.wat): the bytes are copied into the kernel's one page of memory, which
 * stays in the cache, and summed there.
 */
import { adler32Module } from "./Adler32Module.ts"
import { compileKernel, type KernelMemory, startKernel } from "./Kernels.ts"

/** Continues a checksum over `bytes[offset, offset + length)`. */
export type AdlerUpdate = (previous: number, bytes: Uint8Array, offset: number, length: number) => number

/** Where the input lies; see Adler32.wat. */
const inputOffset = 64

/** Makes the kernel; undefined where WebAssembly or its vectors are missing. */
export const makeVectorAdler32 = (): AdlerUpdate | undefined => {
  const kernel = startKernel(compileKernel(adler32Module))
  if (kernel === undefined) return undefined
  const input = new Uint8Array((kernel["memory"] as KernelMemory).buffer, inputOffset)
  const update = kernel["update"] as (previous: number, at: number, length: number) => number
  return (previous, bytes, offset, length) => {
    if (length <= input.length) {
      input.set(offset === 0 && length === bytes.length ? bytes : bytes.subarray(offset, offset + length))
      return update(previous, inputOffset, length) >>> 0
    }
    let sum = previous
    for (let done = 0; done < length; done += input.length) {
      const count = Math.min(input.length, length - done)
      input.set(bytes.subarray(offset + done, offset + done + count))
      sum = update(sum, inputOffset, count)
    }
    return sum >>> 0
  }
}
