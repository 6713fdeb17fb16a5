/** One series in every fileset that holds it, in order of time: looked up by bloom filter, summaries and index, then decoded. */
import { defaultStreamLimits } from "@peerstrap/m3db-bootstrap"
import { type FilesetError, type FilesetKey, FilesetReader, type SeekResult } from "@peerstrap/m3db-files"
import { type Datapoints, decodeBlock, DecodeError } from "@peerstrap/m3tsz"
import * as Effect from "effect/Effect"
import type { ChosenFileset } from "./ChooseFileset.ts"
import { type FileProblem, isLocal, problemOf } from "./DataDirectory.ts"

export interface FoundBlock {
  readonly key: FilesetKey
  readonly found: SeekResult
  readonly points: Datapoints
}

export interface SeriesSearch {
  /** Filesets that were looked into. */
  looked: number
  blocks: number
  points: number
  problems: number
  /** Every problem is that this machine did not let us read. */
  onlyLocal: boolean
}

export interface InspectSeriesOptions<E> {
  readonly directory: string
  readonly id: Uint8Array
  /** Of complete filesets; in the order of the output. */
  readonly filesets: ReadonlyArray<ChosenFileset>
  readonly onBlock: (block: FoundBlock) => Effect.Effect<void, E>
  readonly onProblem: (problem: FileProblem) => void
}

const seek = (key: FilesetKey, id: Uint8Array) =>
  Effect.scoped(Effect.flatMap(FilesetReader.open(key), (reader) => reader.seek(id)))

export const inspectSeries = Effect.fnUntraced(function*<E>(options: InspectSeriesOptions<E>) {
  const { directory, id, onProblem } = options
  const search: SeriesSearch = { looked: 0, blocks: 0, points: 0, problems: 0, onlyLocal: true }
  const tell = (problem: FileProblem, local: boolean): undefined => {
    search.problems++
    search.onlyLocal &&= local
    onProblem(problem)
  }
  for (const { fileset, namespace, shard } of options.filesets) {
    const { blockStart, legacy, volume } = fileset
    const key = { prefix: directory, namespace, shard, blockStart, volume, legacy }
    search.looked++
    const found = yield* Effect.catch(
      seek(key, id),
      (error: FilesetError) => Effect.sync(() => tell(problemOf(error), isLocal(error)))
    )
    if (found === undefined) continue
    const points = decodeBlock([found.bytes], { maxPoints: defaultStreamLimits.maxPointsPerBlock })
    if (points instanceof DecodeError) {
      const remedy = "fetch the block again from its replicas; protobuf streams cannot be shown"
      tell({ path: `${directory}/data/${namespace}/${shard}`, offset: -1, what: points.message, remedy }, false)
      continue
    }
    search.blocks++
    search.points += points.count
    yield* options.onBlock({ key, found, points })
  }
  return search
})
