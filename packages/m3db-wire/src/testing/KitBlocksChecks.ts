/** The kit's checks of block answers: what was announced is delivered, edge cases answered as real nodes do. */
import { adler32, decodeBlock, DecodeError } from "@peerstrap/m3tsz"
import * as Effect from "effect/Effect"
import {
  type AnsweredBlock,
  blocks,
  blocksArg3,
  blocksMethod,
  declared,
  type Listed,
  listing,
  type NodeFacts,
  utf8
} from "./KitCalls.ts"
import type { NodeCheck } from "./NodeServerKit.ts"
import { breach, connectReady, must, type RawPeer } from "./RawPeer.ts"

const check = (name: string, run: NodeCheck["run"]): NodeCheck => ({ name, hostile: false, run })

const maxPoints = 10_000_000

const announced = (peer: RawPeer, facts: NodeFacts) =>
  Effect.map(listing(peer, facts, {}), (pages) => pages.flatMap(({ elements }) => elements))

const streamProblem = (facts: NodeFacts, start: bigint, bytes: Uint8Array): string | undefined => {
  const points = decodeBlock([bytes], { maxPoints })
  if (points instanceof DecodeError) return `does not decode: ${points.message}`
  if (points.count === 0) return "has no points"
  for (let i = 0; i < points.count; i++) {
    const time = points.timestamps[i]!
    if (time < start || time >= start + facts.blockSize) return `has a point at ${time}, outside of its block`
    if (i > 0 && time <= points.timestamps[i - 1]!) return "has points out of order"
  }
  return undefined
}

/** Every rule about one block that was announced as `element`. */
const blockProblem = (facts: NodeFacts, element: Listed, block: AnsweredBlock): string | undefined => {
  if (block.start !== element.start) return `has start ${block.start}`
  const size = block.segments.reduce((sum, { bytes }) => sum + bytes.length, 0)
  if (BigInt(size) !== element.size) return `has ${size} bytes, announced ${element.size}`
  for (const { blockSize, bytes, checksum, startTime } of block.segments) {
    if (startTime !== block.start || blockSize !== facts.blockSize) {
      return "has a segment of another start or block size"
    }
    if (checksum !== BigInt(adler32(bytes))) return "has a segment whose checksum is wrong"
    const problem = streamProblem(facts, block.start, bytes)
    if (problem !== undefined) return problem
  }
  if (!block.merged) {
    return block.checksum === undefined && element.checksum === undefined ? undefined : "is unmerged and has a checksum"
  }
  if (block.checksum !== block.segments[0]!.checksum) return "has another checksum than its segment"
  return element.checksum === block.checksum
    ? undefined
    : `has checksum ${block.checksum}, announced ${element.checksum}`
}

const delivered = check(
  "blocks: what was announced is delivered, in order, under its checksum",
  (facts) =>
    Effect.gen(function*() {
      const peer = yield* connectReady(facts.address)
      const elements = yield* announced(peer, facts)
      const answers = yield* blocks(peer, facts, {
        elements: elements.map(({ id, start }) => ({ id, starts: [start] }))
      })
      for (const [index, element] of elements.entries()) {
        const answer = answers[index]!.blocks
        yield* must(answer.length === 1, () => `${answer.length} blocks for one start announced`)
        const problem = blockProblem(facts, element, answer[0]!)
        yield* must(problem === undefined, () => `the block at ${element.start} ${problem}`)
      }
    })
)

/** The series with the most blocks, its starts ascending. */
const richest = (
  elements: ReadonlyArray<Listed>
): { readonly id: Uint8Array; readonly starts: ReadonlyArray<bigint> } => {
  const starts = new Map<string, { readonly id: Uint8Array; readonly starts: Array<bigint> }>()
  for (const { id, start } of elements) {
    const key = Buffer.from(id).toString("hex")
    const known = starts.get(key) ?? { id, starts: [] }
    known.starts.push(start)
    starts.set(key, known)
  }
  const best = [...starts.values()].reduce((a, b) => b.starts.length > a.starts.length ? b : a)
  return { id: best.id, starts: [...new Set(best.starts)].toSorted((a, b) => (a < b ? -1 : 1)) }
}

const edges = check(
  "blocks: repeated, descending, absent, unaligned and empty requests",
  (facts) =>
    Effect.gen(function*() {
      const peer = yield* connectReady(facts.address)
      const elements = yield* announced(peer, facts)
      if (elements.length === 0) return yield* breach("nothing is listed")
      const { id, starts } = richest(elements)
      const startsOf = (asked: ReadonlyArray<bigint>, shard = facts.shard) =>
        Effect.map(
          blocks(peer, facts, { shard, elements: [{ id, starts: asked }] }),
          ([one]) => one!.blocks.map(({ start }) => start).join()
        )
      const all = starts.join()
      yield* must((yield* startsOf(starts)) === all, () => "several starts of one element are not all answered")
      yield* must((yield* startsOf(starts.toReversed())) === all, () => "blocks are not ascending by start")
      const first = starts[0]!
      yield* must(
        (yield* startsOf([first, first])) === `${first},${first}`,
        () => "a start asked twice is not answered twice"
      )
      const absent = [first + 1n, facts.rangeEnd + 1_000n * facts.blockSize, 0n]
      yield* must((yield* startsOf(absent)) === "", () => "starts without data are answered")
      yield* must((yield* startsOf([])) === "", () => "no starts, yet blocks")
      yield* must(
        (yield* startsOf(starts, facts.otherShard)) === "",
        () => "a series is answered from a shard that it is not in"
      )
      const unknown = [{ id: utf8("no-such-series"), starts }, { id: new Uint8Array(0), starts }]
      const none = yield* blocks(peer, facts, { elements: unknown })
      yield* must(none.every((one) => one.blocks.length === 0), () => "an unknown series has blocks")
      yield* blocks(peer, facts, { elements: [] })
    })
)

const errors = check("blocks: declared errors and their texts", (facts) =>
  Effect.gen(function*() {
    const peer = yield* connectReady(facts.address)
    const elements = [{ id: utf8("x"), starts: [facts.rangeStart] }]
    const fails = (args: { namespace?: string; shard?: number }, type: 0 | 1, text: string) =>
      declared(peer, blocksMethod, blocksArg3(facts, { ...args, elements }), type, text)
    yield* fails({ namespace: "no-such" }, 1, "unable to find specified namespace: no-such")
    yield* fails({ shard: facts.unownedShard }, 0, `not responsible for shard ${facts.unownedShard}`)
    yield* fails({ shard: -1 }, 0, "not responsible for shard 4294967295")
  }))

const large = check("blocks: an answer of several frames is whole", (facts) =>
  Effect.gen(function*() {
    const peer = yield* connectReady(facts.address)
    const listed = yield* announced(peer, facts)
    const elements: Array<{ readonly id: Uint8Array; readonly starts: ReadonlyArray<bigint> }> = []
    let bytes = 0
    for (let i = 0; bytes < 140_000 && listed.length > 0; i++) {
      const { id, size, start } = listed[i % listed.length]!
      elements.push({ id, starts: [start] })
      bytes += Number(size ?? 0n) + id.length + 1
    }
    const { answer } = yield* peer.answered({ arg1: blocksMethod, arg3: blocksArg3(facts, { elements }) })
    yield* must(answer.frames > 1, () => "140,000 bytes in one frame")
  }))

export const blocksChecks: ReadonlyArray<NodeCheck> = [delivered, edges, errors, large]
