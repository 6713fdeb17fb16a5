/**
 * The program of a worker thread that looks for a proof-of-work stamp, as text: the same in tests that run from TypeScript, in the built package
 * and in a bundle of one file, none of which share a path that a `Worker` could load. It is CommonJS and needs one module, by absolute path.
 */
import { createRequire } from "node:module"
import * as NativeCrypto from "./NativeCrypto.ts"
import * as PortableCrypto from "./PortableCrypto.ts"

/** What a worker is started with. */
export interface StampSearchInput {
  /** Absolute path of `sodium-native` or of `libsodium-wrappers`. */
  readonly modulePath: string
  readonly native: boolean
  readonly publicKey: Uint8Array
  /** 24 bytes; the search counts up from here. */
  readonly firstStamp: Uint8Array
  /** 32 bytes, big-endian. */
  readonly target: Uint8Array
  readonly triesPerSlice: number
}

/** What a worker posts: after each slice, and once with the stamp. */
export interface StampSearchReport {
  readonly tried: number
  readonly stamp?: Uint8Array
}

/** The loop runs in slices, so that a thread that is told to terminate does so at once. */
export const stampSearchProgram = `
"use strict"
const { parentPort, workerData } = require("node:worker_threads")
const { firstStamp, modulePath, native, publicKey, target, triesPerSlice } = workerData
const sodium = require(modulePath)
const input = new Uint8Array(56)
input.set(publicKey)
input.set(firstStamp, 32)
let digest = new Uint8Array(32)
const good = () => {
  for (let i = 0; i < 32; i++) {
    const difference = digest[31 - i] - target[i]
    if (difference !== 0) return difference < 0
  }
  return true
}
const slice = () => {
  for (let tried = 1; tried <= triesPerSlice; tried++) {
    if (native) sodium.crypto_generichash(digest, input)
    else digest = sodium.crypto_generichash(32, input, null)
    if (good()) return parentPort.postMessage({ tried, stamp: input.slice(32) })
    for (let i = 55; i >= 32; i--) {
      input[i]++
      if (input[i] !== 0) break
    }
  }
  parentPort.postMessage({ tried: triesPerSlice })
  setImmediate(slice)
}
Promise.resolve(sodium.ready).then(slice)
`

/** The absolute path of a module seen from here; undefined where it is not installed. */
const pathOf = (name: string): string | undefined => {
  try {
    return createRequire(import.meta.url).resolve(name)
  } catch {
    return undefined
  }
}

/** Which module a worker can load; undefined when neither is there, as in a bundle without `node_modules`. */
export const stampSearchModule = (
  implementation: string
): Pick<StampSearchInput, "modulePath" | "native"> | undefined => {
  const native = implementation === "native"
  const modulePath = pathOf(native ? NativeCrypto.moduleName : PortableCrypto.moduleName)
  return modulePath === undefined ? undefined : { modulePath, native }
}
