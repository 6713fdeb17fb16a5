/**
 * Makes a new identity: a key pair, then stamps until one proves the work. At the difficulty of public networks (26) that is 67 million
 * hashes on average: 10 to 20 s of one core with libsodium, spread here over worker threads.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { availableParallelism } from "node:os"
import { Worker } from "node:worker_threads"
import { peerIdOf } from "../codec/identity/PeerId.ts"
import { expectedTries, meetsTarget, proofOfWorkTarget } from "../codec/identity/ProofOfWork.ts"
import { Crypto, type CryptoFunctions } from "../contract/Crypto.ts"
import { type Identity, identityBytes } from "../contract/Identity.ts"
import { SessionLimits } from "../contract/SessionLimits.ts"
import { stampSearchModule, stampSearchProgram, type StampSearchReport } from "./StampSearchWorker.ts"

/** How far a search is. The number of tries has no end: after `expected` tries 63 % of all searches are over, after four times that, 98 %. */
export interface IdentityProgress {
  readonly tried: number
  readonly expected: number
  readonly ratePerSecond: number
}

/** How much work the identity proves, and how it is searched for. */
export interface GenerateIdentityOptions {
  /** Default 26, which public networks ask for. May be fractional; 0 to 256. */
  readonly difficulty?: number
  /** Worker threads; 0 searches in the calling thread, in slices. Default: available parallelism − 1, at least 1; 0 for small difficulties. */
  readonly threads?: number
  /** Called after each slice of a search, of any thread. */
  readonly onProgress?: (progress: IdentityProgress) => void
}

const publicNetworkDifficulty = 26

type Report = (tried: number) => void

/** Adds one to a big-endian number, wrapping. */
const increment = (bytes: Uint8Array, from: number): void => {
  for (let i = bytes.length - 1; i >= from; i--) {
    bytes[i]!++
    if (bytes[i] !== 0) return
  }
}

/** One slice: the stamp, or undefined when none of the tries was good. `input` is public key ‖ stamp and counts on. */
const searchSlice = (crypto: CryptoFunctions, input: Uint8Array, target: Uint8Array, report: Report) => {
  for (let tried = 1; tried <= SessionLimits.triesPerSlice; tried++) {
    if (meetsTarget(crypto.blake2b(input, 32), target)) {
      report(tried)
      return input.slice(identityBytes.publicKey)
    }
    increment(input, identityBytes.publicKey)
  }
  report(SessionLimits.triesPerSlice)
  return undefined
}

/** A turn of the event loop, so that timers, sockets and interruption get theirs between two slices. */
const breathe = Effect.callback<void>((resume) => {
  const turn = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(turn))
})

const searchInThread = Effect.fnUntraced(
  function*(crypto: CryptoFunctions, publicKey: Uint8Array, target: Uint8Array, report: Report) {
    const input = new Uint8Array(identityBytes.publicKey + identityBytes.proofOfWorkStamp)
    input.set(publicKey)
    input.set(crypto.randomBytes(identityBytes.proofOfWorkStamp), identityBytes.publicKey)
    while (true) {
      const stamp = searchSlice(crypto, input, target, report)
      if (stamp !== undefined) return stamp
      yield* breathe
    }
  }
)

/** The first stamp that any worker finds; undefined when a worker fails, which the caller makes good in its own thread. */
const searchInWorkers = (
  crypto: CryptoFunctions,
  publicKey: Uint8Array,
  target: Uint8Array,
  threads: number,
  report: Report
): Effect.Effect<Uint8Array | undefined> =>
  Effect.callback<Uint8Array | undefined>((resume) => {
    const module = stampSearchModule(crypto.implementation)
    if (module === undefined) return resume(Effect.as(Effect.void, undefined))
    const workers: Array<Worker> = []
    const stop = Effect.promise(() => Promise.all(workers.map((worker) => worker.terminate())))
    const finish = (stamp: Uint8Array | undefined) => resume(Effect.as(stop, stamp))
    for (let i = 0; i < threads; i++) {
      const worker = new Worker(stampSearchProgram, {
        eval: true,
        workerData: {
          ...module,
          publicKey,
          target,
          firstStamp: crypto.randomBytes(identityBytes.proofOfWorkStamp),
          triesPerSlice: SessionLimits.triesPerSlice
        }
      })
      workers.push(worker)
      worker.on("message", ({ stamp, tried }: StampSearchReport) => {
        report(tried)
        if (stamp !== undefined) finish(new Uint8Array(stamp))
      })
      worker.on("error", () => finish(undefined))
    }
    return Effect.asVoid(stop)
  })

const threadsFor = (options: GenerateIdentityOptions, difficulty: number): number =>
  options.threads ??
    (difficulty <= SessionLimits.maxInThreadDifficulty ? 0 : Math.max(1, availableParallelism() - 1))

/**
 * A fresh identity that proves the work. Interruptible: the threads end with it. Needs `Crypto`, whose implementation the worker threads load as
 * well; where they cannot (a bundle without `node_modules`), the calling thread searches in slices.
 */
export const generateIdentity = Effect.fn("generateIdentity")(
  function*(options: GenerateIdentityOptions = {}): Effect.fn.Return<Identity, never, Crypto> {
    const crypto = yield* Crypto
    const clock = yield* Clock.Clock
    const difficulty = options.difficulty ?? publicNetworkDifficulty
    const target = proofOfWorkTarget(difficulty)
    const expected = expectedTries(difficulty)
    const startMillis = clock.currentTimeMillisUnsafe()
    let tried = 0
    const report: Report = (more) => {
      tried += more
      const seconds = Math.max(clock.currentTimeMillisUnsafe() - startMillis, 1) / 1000
      options.onProgress?.({ tried, expected, ratePerSecond: tried / seconds })
    }
    const { publicKey, secretKey } = crypto.keyPair()
    const threads = threadsFor(options, difficulty)
    const found = threads === 0
      ? undefined
      : yield* searchInWorkers(crypto, publicKey, target, threads, report)
    const proofOfWorkStamp = found ?? (yield* searchInThread(crypto, publicKey, target, report))
    return { peerId: peerIdOf(crypto, publicKey), publicKey, secretKey, proofOfWorkStamp }
  }
)
