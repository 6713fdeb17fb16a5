/**
 * Copies `bytes[start..end)` into memory of its own. Not `slice`: on a `Buffer`, which is a `Uint8Array` to the type checker,
 * `slice` returns a view of the same memory.
 */
export const copyBytes = (bytes: Uint8Array, start = 0, end = bytes.length): Uint8Array =>
  new Uint8Array(bytes.subarray(start, end))
