/** Checks every fileset of a directory to the last byte, one after the other: memory is that of one. */
import { defaultStreamLimits } from "@peerstrap/m3db-bootstrap"
import {
  checkM3tsz,
  filePath,
  type FilesetKey,
  type ScannedNamespace,
  verifyFileset,
  type VerifyOptions
} from "@peerstrap/m3db-files"
import * as Effect from "effect/Effect"
import { type BlockGap, findGaps } from "./BlockGaps.ts"
import { type FileProblem, filesetsOf, isLocal } from "./DataDirectory.ts"
import { MisplacedFilesets } from "./MisplacedFilesets.ts"

/** A fileset without a whole checkpoint file: a node ignores it. */
export interface IncompleteFileset {
  readonly path: string
  readonly namespace: string
  readonly shard: number
  /** ns. */
  readonly blockStart: bigint
  readonly volume: number
}

export interface DirectoryVerification {
  /** Complete ones, all of which were checked. */
  readonly filesets: number
  readonly entries: number
  /** Of the data files. */
  readonly bytes: number
  /** Listed as they are found, at most 100 a fileset. */
  readonly problems: ReadonlyArray<FileProblem>
  /** Beyond those listed. */
  readonly furtherProblems: number
  readonly incomplete: ReadonlyArray<IncompleteFileset>
  readonly gaps: ReadonlyArray<BlockGap>
  /** No problem and nothing incomplete. Gaps do not count. */
  readonly verified: boolean
  /** Every problem is that a file could not be read. */
  readonly onlyUnreadable: boolean
}

export interface VerifyDirectoryOptions {
  readonly directory: string
  readonly namespaces: ReadonlyArray<ScannedNamespace>
  readonly sharding: VerifyOptions["sharding"]
  /** So many shards, from 0 on, should be there; 0: those that are. */
  readonly expectedShards: number
  /** False for namespaces whose streams are no M3TSZ: they are checked as bytes. */
  readonly decode: boolean
  /** Before each fileset: how many are done of how many. */
  readonly onFileset: (done: number, total: number, path: string) => Effect.Effect<void>
  /** As soon as it is found. */
  readonly onProblem: (problem: FileProblem) => Effect.Effect<void>
}

/** Problems kept of one run; all are counted. */
const maxProblems = 10_000

export const verifyDirectory = Effect.fnUntraced(function*(options: VerifyDirectoryOptions) {
  const { directory, namespaces } = options
  const all = [...filesetsOf(namespaces)]
  const problems: Array<FileProblem> = []
  const incomplete: Array<IncompleteFileset> = []
  const misplaced = new MisplacedFilesets()
  let [filesets, entries, bytes, further, unreadable, found] = [0, 0, 0, 0, 0, 0]
  for (const [at, { fileset, namespace, shard }] of all.entries()) {
    const { blockSize, blockStart, complete, legacy, volume } = fileset
    const key: FilesetKey = { prefix: directory, namespace, shard, blockStart, volume, legacy }
    const path = filePath(key, "checkpoint")
    if (!complete) {
      incomplete.push({ path, namespace, shard, blockStart, volume })
      continue
    }
    yield* options.onFileset(at, all.length, path)
    const checkStream = options.decode && blockSize !== undefined && blockSize > 0n
      ? checkM3tsz(blockStart, blockSize, defaultStreamLimits.maxPointsPerBlock)
      : undefined
    const result = yield* verifyFileset(key, {
      ...(options.sharding === undefined ? {} : { sharding: options.sharding }),
      ...(checkStream === undefined ? {} : { checkStream })
    })
    filesets++
    entries += result.entries
    bytes += result.dataBytes
    further += result.further
    for (const { message, offset, path: file, reason, remedy } of misplaced.add(result)) {
      const problem = { path: file, offset, what: message, remedy }
      found++
      if (isLocal({ reason })) unreadable++
      if (problems.length < maxProblems) problems.push(problem)
      else further++
      yield* options.onProblem(problem)
    }
  }
  const wrong = misplaced.problem(options.sharding)
  if (wrong !== undefined) {
    found++
    problems.push(wrong)
    yield* options.onProblem(wrong)
  }
  return {
    filesets,
    entries,
    bytes,
    problems,
    furtherProblems: further,
    incomplete,
    gaps: findGaps(namespaces, options.expectedShards),
    verified: found === 0 && incomplete.length === 0,
    onlyUnreadable: found > 0 && unreadable === found && further === 0 && incomplete.length === 0
  } satisfies DirectoryVerification as DirectoryVerification
})
