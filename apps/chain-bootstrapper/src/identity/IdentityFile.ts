/** Our identity on disk: read and judged, or made with its proof of work; a file of mode 600 that no run replaces. */
import { CommandError, ExitCode } from "@peerstrap/command-line"
import { formatCount, formatDuration } from "@peerstrap/progress"
import { FileSystem } from "@peerstrap/storage"
import {
  checkProofOfWork,
  Crypto,
  encodeIdentity,
  formatPeerId,
  generateIdentity,
  type Identity,
  type IdentityProgress,
  parseIdentity,
  proofOfWorkTarget,
  SessionLimits
} from "@peerstrap/tezos-wire"
import * as Effect from "effect/Effect"
import { stat } from "node:fs/promises"
import { dirname } from "node:path"
import { fileFault } from "../LocalFaults.ts"

const privateMode = 0o600
const openToOthers = 0o077

const usage = (message: string, remedy: string) => new CommandError({ exitCode: ExitCode.usage, message, remedy })

const whatToDo = "make another with: peerstrap-chain identity generate --out FILE, and name it with --identity"

/** How far a search is, in words. It has no memory: what is left is always the whole average. */
export const searchText = ({ expected, ratePerSecond, tried }: IdentityProgress): string =>
  `identity: ${formatCount(tried)} stamps tried, about ${formatCount(expected)} are needed on average, ` +
  `${formatCount(ratePerSecond)}/s: ${formatDuration(expected / Math.max(1, ratePerSecond) * 1000)} on average`

/** Whether others than the owner may read it. */
const isOpenToOthers = (path: string): Effect.Effect<boolean> =>
  Effect.promise(() => stat(path).then(({ mode }) => (mode & openToOthers) !== 0, () => false))

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
    Effect.catch((error) => error.reason === "not-found" ? Effect.void : Effect.fail(fileFault(error)))
  )
  if (bytes === undefined) return undefined
  const identity = parseIdentity(crypto, new TextDecoder().decode(bytes))
  if ("problems" in identity) {
    return yield* usage(`${path} is no identity file: ${identity.problems.join("; ")}`, whatToDo)
  }
  if (!checkProofOfWork(crypto, identity.publicKey, identity.proofOfWorkStamp, proofOfWorkTarget(difficulty))) {
    return yield* usage(
      `the identity in ${path} proves less work than the network asks for (difficulty ${difficulty})`,
      whatToDo
    )
  }
  const warning = (yield* isOpenToOthers(path))
    ? `${path} can be read by others, and whoever has it is this node: chmod 600 ${path}`
    : undefined
  return { identity, warning } satisfies LoadedIdentity as LoadedIdentity
})

export interface NewIdentity {
  readonly path: string
  readonly difficulty: number
  readonly threads?: number | undefined
  readonly onProgress: (progress: IdentityProgress) => void
}

/** Searches and writes; the caller has made sure that there is none. */
export const makeIdentity = Effect.fnUntraced(function*({ difficulty, onProgress, path, threads }: NewIdentity) {
  const fs = yield* FileSystem
  // A place that cannot be written to is found before the search, not after it.
  yield* fs.makeDirectory(dirname(path)).pipe(Effect.mapError(fileFault))
  const identity = yield* generateIdentity({ difficulty, onProgress, ...(threads === undefined ? {} : { threads }) })
  yield* fs.writeFileAtomic(path, new TextEncoder().encode(encodeIdentity(identity)), { mode: privateMode }).pipe(
    Effect.mapError(fileFault)
  )
  return identity
})

export const peerIdText = ({ peerId }: Identity): string => formatPeerId(peerId)
