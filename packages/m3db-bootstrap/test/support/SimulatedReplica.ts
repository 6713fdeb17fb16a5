/** Replicas of a simulation: what they hold, how they answer, what is wrong with them; and the data sets that they are made of. */
import {
  type BlocksAnswer,
  type BlocksElement,
  type BlocksRequest,
  type CallErrorReason,
  encodeTags,
  type MetadataElement,
  type MetadataPage,
  type MetadataRequest,
  shardOf
} from "@peerstrap/m3db-wire"
import { encodeBlock } from "@peerstrap/m3tsz"
import { generateDatapoints } from "@peerstrap/m3tsz/testing"

export const blockSize = 7_200_000_000_000n
export const firstBlock = 1_795_204_800_000_000_000n

/** What one replica holds of a series-block. */
export interface Held {
  readonly id: Uint8Array
  readonly tags: Uint8Array
  readonly start: bigint
  /** One stream, or several unmerged ones (then no checksum is advertised). */
  readonly streams: ReadonlyArray<Uint8Array>
  /** Advertised in place of the true one. */
  readonly advertised?: number
}

export interface Failure {
  readonly reason: CallErrorReason
  readonly message?: string
  readonly afterMillis?: number
}

interface ServedAs {
  readonly maxAnswerBytes: number
  readonly answered: (answer: MetadataPage | BlocksAnswer) => void
  readonly failed: (reason: CallErrorReason, message: string, receivedBytes: number) => void
}

/** A call as whoever stands in for a replica gets it. */
export type ServedCall =
  | ServedAs & { readonly kind: "list"; readonly request: MetadataRequest }
  | ServedAs & { readonly kind: "fetch"; readonly request: BlocksRequest }

/** Takes calls over whole: their time, their faults, what is answered. */
export interface Served {
  /** What is returned gives the call up: nothing of it is told any more. */
  serve(call: ServedCall): () => void
}

export interface Replica {
  readonly id: string
  /** By shard, in listing order. */
  readonly held: Map<number, Array<Held>>
  /** ms that a call takes. */
  delay: (kind: "list" | "fetch") => number
  /** ms that each byte of a block answer takes beside `delay`. */
  millisPerByte: number
  /** Called for each call; a failure makes it fail. `nth` counts the calls of this kind on this replica from 1. */
  fault: (kind: "list" | "fetch", nth: number, nowMillis: number) => Failure | undefined
  /** Changes an answer before it is encoded. */
  tamper: (elements: Array<BlocksElement>, request: BlocksRequest) => Array<BlocksElement>
  tamperPage: (elements: Array<MetadataElement>, request: MetadataRequest) => Array<MetadataElement>
  /** Elements a page; the token is the index of the next one. */
  pageSize: number
  /** Overrides the token that would be sent. */
  nextToken: (next: number | undefined, asked: number, request: MetadataRequest) => number | undefined
  calls: { list: number; fetch: number }
  /** Stands in for everything above. */
  served?: Served
}

export const makeReplica = (id: string, held: Map<number, Array<Held>> = new Map()): Replica => ({
  id,
  held,
  delay: () => 5,
  millisPerByte: 0,
  fault: () => undefined,
  tamper: (elements) => elements,
  tamperPage: (elements) => elements,
  pageSize: 100,
  nextToken: (next) => next,
  calls: { list: 0, fetch: 0 }
})

export interface DatasetSpec {
  readonly seed: number
  readonly series: number
  readonly blocks: number
  readonly numShards: number
  readonly points?: number
}

/** The truth: series-blocks by shard, as M3TSZ streams. */
export const makeDataset = (spec: DatasetSpec): Map<number, Array<Held>> => {
  const byShard = new Map<number, Array<Held>>()
  const text = new TextEncoder()
  for (let series = 0; series < spec.series; series++) {
    const id = text.encode(`series-${spec.seed}-${series}`)
    const tags = encodeTags([[text.encode("n"), text.encode(String(series))]])
    const shard = shardOf(id, 0, spec.numShards)
    const list = byShard.get(shard) ?? []
    for (let block = 0; block < spec.blocks; block++) {
      const start = firstBlock + BigInt(block) * blockSize
      list.push({ id, tags, start, streams: [makeStream(spec.seed + series * 31 + block, start, spec.points ?? 8)] })
    }
    byShard.set(shard, list)
  }
  return byShard
}

export const makeStream = (seed: number, start: bigint, points: number): Uint8Array => {
  const encoded = encodeBlock(
    generateDatapoints({ seed, blockStart: start, blockSize, points, shape: "mixed", unit: 1 }),
    start
  )
  if ("_tag" in encoded) throw new Error(encoded.message)
  return encoded.bytes
}

/** The same series-blocks under `change`, which may drop one by returning undefined. */
export const replicaOf = (
  dataset: Map<number, Array<Held>>,
  change: (held: Held, index: number) => Held | undefined = (held) => held
): Map<number, Array<Held>> =>
  new Map([...dataset].map(([shard, list]) => [
    shard,
    list.flatMap((held, index) => {
      const changed = change(held, index)
      return changed === undefined ? [] : [changed]
    })
  ]))

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

/** What the sink should hold for a data set, in the form of `Simulation.written`. */
export const expectedOf = (dataset: Map<number, Array<Held>>): Map<string, Map<string, string>> => {
  const expected = new Map<string, Map<string, string>>()
  for (const [shard, list] of dataset) {
    for (const held of list) {
      const name = `${shard}/${held.start}`
      const block = expected.get(name) ?? new Map<string, string>()
      expected.set(name, block)
      block.set(hex(held.id), hex(held.streams[0]!))
    }
  }
  return expected
}
