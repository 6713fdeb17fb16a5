/**
 * Input files of checks: read whole, within a bound, before anything runs. Also pipes, as of `/dev/stdin` or `<(…)`, which tell no size and
 * may have to be waited for.
 */
import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs"
import type { CheckContext } from "../contract/Command.ts"

/** Bytes of an input file, which is read whole: a placement has 16 MiB at most. */
export const maxInputBytes = 16 * 1024 * 1024

const chunkBytes = 64 * 1024

/** Everything up to one byte more than is taken: what is longer, and be it endless, costs no more than that. */
const readUpTo = (descriptor: number, maxBytes: number): Uint8Array | undefined => {
  const chunks: Array<Uint8Array> = []
  let length = 0
  while (length <= maxBytes) {
    const chunk = new Uint8Array(chunkBytes)
    const count = readSync(descriptor, chunk, 0, Math.min(chunkBytes, maxBytes + 1 - length), null)
    if (count === 0) {
      const whole = new Uint8Array(length)
      let at = 0
      for (const each of chunks) {
        whole.set(each, at)
        at += each.length
      }
      return whole
    }
    chunks.push(chunk.subarray(0, count))
    length += count
  }
  return undefined
}

/**
 * While this thread waits for whoever writes into a pipe, no listener of ours could hear a signal. Without listeners it ends the process,
 * which holds nothing yet, with the same exit code.
 */
const endedBySignals = <A>(wait: () => A): A => {
  const heard = (["SIGINT", "SIGTERM"] as const).map((signal) => ({ signal, listeners: process.listeners(signal) }))
  for (const { signal } of heard) process.removeAllListeners(signal)
  try {
    return wait()
  } finally {
    for (const { listeners, signal } of heard) {
      for (const listener of listeners) process.on(signal, listener)
    }
  }
}

const readWhole = (path: string, maxBytes: number): Uint8Array | { readonly problem: string } => {
  const descriptor = openSync(path, "r")
  try {
    const about = fstatSync(descriptor)
    if (about.isDirectory()) return { problem: `${path} is a directory; give a file` }
    if (about.isFile() && about.size > maxBytes) {
      return { problem: `${path} has ${about.size} bytes, at most ${maxBytes} are read` }
    }
    return readUpTo(descriptor, maxBytes) ?? { problem: `${path} has more than ${maxBytes} bytes, which are not read` }
  } finally {
    closeSync(descriptor)
  }
}

/** Reads an input file of a check from disk, or from a pipe. */
export const readInputFile: CheckContext["read"] = (path, maxBytes = maxInputBytes) => {
  try {
    const about = statSync(path)
    if (about.isSocket()) return { problem: `${path} is a socket, which cannot be opened; give a file or a pipe` }
    const read = () => readWhole(path, maxBytes)
    return about.isFile() ? read() : endedBySignals(read)
  } catch (cause) {
    return { problem: `${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}` }
  }
}
