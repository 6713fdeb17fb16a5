// Requests that a real client sent to a real node, sent to our server with the data that the answers show: the answers are the same bytes.
import { assert, describe, it } from "@effect/vitest"
import { Memory, Transport } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { existsSync, readFileSync } from "node:fs"
import { sharedMissing, sharedPath } from "../../../tools/shared.ts"
import { FrameSplitter } from "../src/codec/Frame.ts"
import { MessageReader } from "../src/codec/Message.ts"
import {
  type NamespaceData,
  ReplicaData,
  type ReplicaSeries,
  ReplicaShard,
  startReplica
} from "../src/testing/index.ts"
import { bytesAt, fieldOf, int32At, int64At, listAt, readTree, type ThriftTree } from "../src/testing/RawThrift.ts"

interface RecordedCall {
  readonly id: number
  readonly method: string
  readonly request: ThriftTree | undefined
  readonly result: ThriftTree | undefined
  readonly code: number
  /** All frames of the answer, as they came. */
  readonly answer: Uint8Array
}

interface Recording {
  readonly sent: Uint8Array
  readonly calls: ReadonlyArray<RecordedCall>
}

const tree = (bytes: Uint8Array): ThriftTree | undefined => {
  try {
    return readTree(bytes)
  } catch {
    return undefined
  }
}

/** Frames by id and the message they make. */
const messages = (bytes: Uint8Array, kind: "request" | "response") => {
  const out = new Map<number, { frames: Array<Uint8Array>; reader: MessageReader }>()
  const splitter = new FrameSplitter((type, id, buffer, start, end) => {
    const known = out.get(id) ?? { frames: [], reader: new MessageReader(kind, { maxBytes: 1 << 26 }) }
    out.set(id, known)
    known.frames.push(buffer.slice(start - 16, end))
    if (type === 3 || type === 0x13 || type === 4 || type === 0x14) known.reader.push(type, buffer, start, end)
    return undefined
  })
  assert.isUndefined(splitter.push(bytes))
  return out
}

const recording = (name: string): Recording => {
  const sent = new Uint8Array(readFileSync(sharedPath(`data/m3db/wire/${name}.c2s.bin`)))
  const received = new Uint8Array(readFileSync(sharedPath(`data/m3db/wire/${name}.s2c.bin`)))
  const requests = messages(sent, "request")
  const calls: Array<RecordedCall> = []
  for (const [id, { frames, reader }] of messages(received, "response")) {
    const request = requests.get(id)!.reader
    const head = reader.head
    calls.push({
      id,
      method: new TextDecoder().decode(request.arg1),
      request: fieldOf(tree(request.arg3), 1),
      result: tree(reader.arg3),
      code: head?.kind === "response" ? head.code : 0,
      answer: Uint8Array.from(Buffer.concat(frames))
    })
  }
  return { sent, calls }
}

interface Known {
  readonly id: Uint8Array
  tags: Uint8Array | undefined
  readonly blocks: Map<
    bigint,
    {
      size: number
      checksum: number
      inMemory: boolean
      streams: ReplicaSeries["blocks"][number]["streams"] | undefined
    }
  >
}

const keyOf = (id: Uint8Array) => Buffer.from(id).toString("hex")

/** What the answers show of a node: listings in their order, streams where they were fetched, else bytes of the announced size. */
class Shown {
  readonly shards = new Map<string, Map<number, Map<string, Known>>>()
  volume = 0

  private series(call: RecordedCall, id: Uint8Array): Known {
    const namespace = new TextDecoder().decode(bytesAt(call.request, 1))
    const shard = int32At(call.request, 2) ?? 0
    const shards = this.shards.get(namespace) ?? new Map<number, Map<string, Known>>()
    this.shards.set(namespace, shards)
    const members = shards.get(shard) ?? new Map<string, Known>()
    shards.set(shard, members)
    const known = members.get(keyOf(id)) ?? { id, tags: undefined, blocks: new Map() }
    members.set(keyOf(id), known)
    return known
  }

  listing(call: RecordedCall): void {
    const token = bytesAt(call.request, 6)
    const next = bytesAt(fieldOf(call.result, 0), 2)
    if (next !== undefined && next.length > 2 && next.at(-2) === 0x18) this.volume = next.at(-1)!
    for (const element of listAt(fieldOf(call.result, 0), 1) ?? []) {
      const known = this.series(call, bytesAt(element, 1)!)
      known.tags ??= bytesAt(element, 8)
      const start = int64At(element, 2)!
      const size = Number(int64At(element, 4) ?? 1n)
      const inMemory = token === undefined || token[0] === 0x0a
      if (known.blocks.get(start)?.streams === undefined) {
        known.blocks.set(start, { size, checksum: Number(int64At(element, 5) ?? 0n), inMemory, streams: undefined })
      }
    }
  }

  blocks(call: RecordedCall): void {
    for (const element of listAt(fieldOf(call.result, 0), 1) ?? []) {
      const known = this.series(call, bytesAt(element, 1)!)
      for (const block of listAt(element, 2) ?? []) {
        const segments = fieldOf(block, 2)
        const merged = fieldOf(segments, 1)
        const streams = (merged === undefined ? listAt(segments, 2)! : [merged]).map((segment) => ({
          head: bytesAt(segment, 1)!,
          tail: bytesAt(segment, 2)!,
          checksum: Number(int64At(segment, 5)!)
        }))
        const start = int64At(block, 1)!
        const inMemory = known.blocks.get(start)?.inMemory ?? streams.some(({ tail }) => tail.length > 0)
        known.blocks.set(start, { size: 0, checksum: 0, inMemory, streams })
      }
    }
  }

  data(bootstrapped: boolean): ReplicaData {
    const namespaces = ["raw", "idx", "fast", "fastidx"].map((name): NamespaceData => {
      const made = new Map<number, ReplicaShard>()
      for (const [number, members] of this.shards.get(name) ?? []) made.set(number, new ReplicaShard(seriesOf(members)))
      const empty = new ReplicaShard([])
      return {
        name,
        blockSize: 7_200_000_000_000n,
        shards: new Set([0, 1, 2, 3, 4, 5, 6, 7]),
        shard: (shard) => made.get(shard) ?? empty,
        volume: this.volume
      }
    })
    return new ReplicaData(namespaces, () => bootstrapped)
  }
}

const seriesOf = (members: ReadonlyMap<string, Known>): ReadonlyArray<ReplicaSeries> =>
  [...members.values()].map(({ blocks, id, tags }) => ({
    id,
    encodedTags: tags,
    blocks: [...blocks].toSorted(([a], [b]) => (a < b ? -1 : 1)).map((
      [start, { checksum, inMemory, size, streams }]
    ) => ({
      start,
      inMemory,
      streams: streams ?? [{ head: new Uint8Array(size), tail: new Uint8Array(0), checksum }]
    }))
  }))

const served = new Set([
  "Node::health",
  "Node::bootstrapped",
  "Node::bootstrappedInPlacementOrNoPlacement",
  "Node::fetchBlocksMetadataRawV2",
  "Node::fetchBlocksRaw"
])

const unknown = new Set(["Node::nope", "Cluster::health"])

const replay = Effect.fnUntraced(function*(name: string, bootstrapped = true) {
  const { calls, sent } = recording(name)
  const shown = new Shown()
  for (const call of calls) {
    if (call.method === "Node::fetchBlocksMetadataRawV2") shown.listing(call)
    if (call.method === "Node::fetchBlocksRaw") shown.blocks(call)
  }
  const data = shown.data(bootstrapped)
  const replica = yield* startReplica({ data: { source: () => data, madeUp: { id: () => sent, start: () => 0n } } })
  const transport = yield* Transport
  const connection = yield* transport.dial(replica.address)
  const frames = yield* Queue.unbounded<{ readonly id: number; readonly bytes: Uint8Array }>()
  const splitter = new FrameSplitter((_, id, buffer, start, end) => {
    Queue.offerUnsafe(frames, { id, bytes: buffer.slice(start - 16, end) })
    return undefined
  })
  connection.receive((chunk) => splitter.push(chunk) === undefined)
  yield* Effect.forkScoped(connection.write([sent]))
  const waiting = new Map(calls.map((call) => [call.id, call]))
  const got = new Map<number, Array<Uint8Array>>()
  while (waiting.size > 0) {
    const { bytes, id } = yield* Queue.take(frames)
    got.set(id, [...(got.get(id) ?? []), bytes])
    const more = (bytes[2] === 4 || bytes[2] === 0x14) && bytes[16] === 1
    if (!more) waiting.delete(id)
  }
  return { calls, answer: (id: number) => Buffer.concat(got.get(id) ?? []) }
})

const captures: ReadonlyArray<readonly [name: string, calls: number]> = [
  ["init-health-conn00", 3],
  ["ping-conn00", 1],
  ["unknown-method-conn00", 3],
  ["errors-conn00", 8],
  ["metadata-pages-conn00", 3],
  ["metadata-pages-range-conn00", 6],
  ["metadata-pages-indexed-conn00", 3],
  ["metadata-no-includes-conn00", 6],
  ["blocks-batches-conn00", 3],
  ["blocks-indexed-conn00", 1],
  ["blocks-missing-conn00", 5],
  ["blocks-wrong-shard-conn00", 1],
  ["blocks-large-conn00", 1],
  ["blocks-large-request-conn00", 1],
  ["write-unmerged-conn00", 5],
  ["session-batch8/A-conn00", 3],
  ["session-batch8/B-conn00", 3],
  ["session-batch8/C-conn00", 3],
  ["session-default/A-conn00", 3],
  ["session-default/B-conn00", 3],
  ["session-default/C-conn00", 3]
]

describe("recorded sessions", () => {
  if (sharedMissing !== undefined) {
    it("has no recordings here", () => assert.isFalse(existsSync(sharedPath("data/m3db")), sharedMissing))
    return
  }

  for (const [name, least] of captures) {
    it.live(`${name}: the same bytes come back`, () =>
      Effect.gen(function*() {
        const { answer, calls } = yield* replay(name)
        let compared = 0
        for (const call of calls) {
          const ping = call.answer[2] === 0xd1
          if (!ping && !served.has(call.method) && !unknown.has(call.method)) continue
          assert.strictEqual(
            answer(call.id).toString("hex"),
            Buffer.from(call.answer).toString("hex"),
            `${call.method} ${call.id}`
          )
          compared++
        }
        assert.isAtLeast(compared, least)
      }).pipe(Effect.scoped, Effect.provide(Memory.layer)))
  }

  it.live("not-bootstrapped/errors-conn00: the same bytes come back", () =>
    Effect.gen(function*() {
      const { answer, calls } = yield* replay("not-bootstrapped/errors-conn00", false)
      let compared = 0
      for (const call of calls) {
        if (!served.has(call.method)) continue
        assert.strictEqual(
          answer(call.id).toString("hex"),
          Buffer.from(call.answer).toString("hex"),
          `${call.method} ${call.id}`
        )
        compared++
      }
      assert.isAtLeast(compared, 8)
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))
})
