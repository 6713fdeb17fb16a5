/** The identity of a node on disk: read and judged, or made with its proof of work; a file of mode 600 that nothing replaces. */
import { type FileError, FileSystem } from "@peerstrap/storage"
import {
  checkProofOfWork,
  Crypto,
  encodeIdentity,
  generateIdentity,
  type Identity,
  type IdentityProgress,
  parseIdentity,
  proofOfWorkTarget,
  SessionLimits
} from "@peerstrap/tezos-wire"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { stat } from "node:fs/promises"
import { dirname } from "node:path"

const privateMode = 0o600
const openToOthers = 0o077

/** A file that is there and cannot be this node's identity on this network. It is left as it is. */
export class IdentityUnusable extends Schema.TaggedError<IdentityUnusable>()("IdentityUnusable", {
  path: Schema.String,
  message: Schema.String
}) {}

/** Whether others than the owner may read it. */
const isOpenToOthers = (path: string): Effect.Effect<boolean> =>
  Effect.promise(() => stat(path).then(({ mode }) => (mode & openToOthers) !== 0, () => false))

/** An identity that was read. */
export interface LoadedIdentity {
  readonly identity: Identity
  /** Something to tell a person, or undefined. */
  readonly warning: string | undefined
}

/** Undefined when there is no such file. */
export const loadIdentity = Effect.fnUntraced(function*(path: string, difficulty: number) {
  const fs = yield* FileSystem
  const crypto = yield* Crypto
  const bytes = yield* fs.readFile(path, SessionLimits.maxIdentityFileBytes).pipe(
    Effect.catchIf(({ reason }) => reason === "not-found", () => Effect.void)
  )
  if (bytes === undefined) return undefined
  const identity = parseIdentity(crypto, new TextDecoder().decode(bytes))
  if ("problems" in identity) {
    return yield* new IdentityUnusable({
      path,
      message: `${path} is no identity file: ${identity.problems.join("; ")}`
    })
  }
  if (!checkProofOfWork(crypto, identity.publicKey, identity.proofOfWorkStamp, proofOfWorkTarget(difficulty))) {
    return yield* new IdentityUnusable({
      path,
      message: `the identity in ${path} proves less work than the network asks for (difficulty ${difficulty})`
    })
  }
  const warning = (yield* isOpenToOthers(path))
    ? `${path} can be read by others, and whoever has it is this node: chmod 600 ${path}`
    : undefined
  return { identity, warning } satisfies LoadedIdentity as LoadedIdentity
})

/** Where a new identity goes, and how much work it proves. */
export interface NewIdentity {
  readonly path: string
  readonly difficulty: number
  readonly threads?: number | undefined
  readonly onProgress: (progress: IdentityProgress) => void
}

/** Searches and writes; the caller has made sure that there is none. */
export const makeIdentity: (
  wanted: NewIdentity
) => Effect.Effect<Identity, FileError, FileSystem | Crypto> = Effect.fnUntraced(
  function*({ difficulty, onProgress, path, threads }: NewIdentity) {
    const fs = yield* FileSystem
    // A place that cannot be written to is found before the search, not after it.
    yield* fs.makeDirectory(dirname(path))
    const identity = yield* generateIdentity({ difficulty, onProgress, ...(threads === undefined ? {} : { threads }) })
    yield* fs.writeFileAtomic(path, new TextEncoder().encode(encodeIdentity(identity)), { mode: privateMode })
    return identity
  }
)
