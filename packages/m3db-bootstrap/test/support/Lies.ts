/** Everything that a lying or broken replica may say: in listings, in page tokens, in blocks. What it does to one series it does always. */
import {
  type BlockParts,
  type BlocksElement,
  type CallErrorReason,
  type MetadataElement,
  RemoteError,
  shardOf
} from "@peerstrap/m3db-wire"
import { adler32 } from "@peerstrap/m3tsz"
import { Random } from "@peerstrap/simulator"
import { blockSize, firstBlock, makeStream, type Replica } from "./SimulatedCluster.ts"

export const metadataLies = [
  "other-checksum",
  "no-checksum",
  "huge-size",
  "zero-size",
  "element-error",
  "twice",
  "foreign-ids",
  "misaligned-starts",
  "starts-out-of-range",
  "made-up-ids"
] as const

export const tokenLies = ["loop", "reset", "empty-pages", "endless"] as const

export const blockLies = [
  "missing",
  "hollow",
  "corrupt",
  "false-checksum",
  "block-error",
  "extra-element",
  "other-start",
  "twice",
  "reordered",
  "valid-lie",
  "undecodable",
  "short-answer"
] as const

export interface Lies {
  readonly metadata: ReadonlyArray<(typeof metadataLies)[number]>
  readonly token: (typeof tokenLies)[number] | undefined
  readonly blocks: ReadonlyArray<(typeof blockLies)[number]>
  /** A failure of every call that is proof in itself, or of no call. */
  readonly reason: CallErrorReason | undefined
  /** What it holds, and advertises as such, in place of the truth. */
  readonly holds: "other" | "garbage" | undefined
  /** Share of the series-blocks that a lie is about. */
  readonly share: number
}

const some = <A>(random: Random, from: ReadonlyArray<A>, most: number): ReadonlyArray<A> =>
  random.shuffle(from).slice(0, random.int(0, most))

export const drawLies = (random: Random): Lies => ({
  metadata: some(random, metadataLies, 2),
  token: random.chance(0.15) ? random.pick(tokenLies) : undefined,
  blocks: some(random, blockLies, 2),
  reason: random.chance(0.1)
    ? random.pick(["protocol", "other-protocol", "bad-request", "not-owned"] as const)
    : undefined,
  holds: random.chance(0.2) ? random.pick(["other", "garbage"] as const) : undefined,
  share: random.pick([0.1, 0.5, 1])
})

interface Telling {
  readonly random: Random
  readonly numShards: number
}

const utf8 = new TextEncoder()
const empty = new Uint8Array(0)

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

/** No stream: ends in the middle of its first time. */
const garbage = Uint8Array.of(0xff, 0xff)

const other = (id: Uint8Array, start: bigint): Uint8Array =>
  makeStream(adler32(id) ^ Number(start & 0xffffn) ^ 0x5eed, start, 5)

const streamsOf = (block: BlockParts): BlockParts["merged"] => block.merged ?? block.unmerged?.[0]

class Liar {
  private readonly lies: Lies
  private readonly given: Telling
  private readonly chosen = new Map<string, boolean>()
  private readonly names = new Map<string, Uint8Array>()
  private made = 0

  constructor(lies: Lies, given: Telling) {
    this.lies = lies
    this.given = given
  }

  /** Whether this lie is told about this series-block: the same answer every time. */
  private about(lie: string, id: Uint8Array, start: bigint): boolean {
    const name = `${lie} ${hexOf(id)} ${start}`
    let told = this.chosen.get(name)
    if (told === undefined) {
      told = this.given.random.fork(name).chance(this.lies.share)
      this.chosen.set(name, told)
    }
    return told
  }

  /** A name of its own beside each true one: the same every time. */
  private beside(name: string, shard: number, same: boolean): Uint8Array | undefined {
    const known = this.names.get(name)
    if (known !== undefined) return known
    const id = this.idOf(shard, same)
    if (id !== undefined) this.names.set(name, id)
    return id
  }

  private idOf(shard: number, same: boolean): Uint8Array | undefined {
    for (let attempt = 0; attempt < 200; attempt++) {
      const id = utf8.encode(`made-up-${this.made++}`)
      if ((shardOf(id, 0, this.given.numShards) === shard) === same) return id
    }
    return undefined
  }

  page(elements: Array<MetadataElement>, shard: number): Array<MetadataElement> {
    if (this.lies.token === "empty-pages") return []
    if (this.lies.token === "endless") {
      const id = this.idOf(shard, true)
      return id === undefined ? [] : [{ id, start: firstBlock, size: 20n, checksum: 7 }]
    }
    let out = elements
    for (const lie of this.lies.metadata) out = out.flatMap((element) => this.row(lie, element, shard))
    return out
  }

  private row(lie: Lies["metadata"][number], element: MetadataElement, shard: number): Array<MetadataElement> {
    if (!this.about(lie, element.id, element.start)) return [element]
    const again = (id: Uint8Array | undefined) => (id === undefined ? [element] : [element, { ...element, id }])
    switch (lie) {
      case "other-checksum":
        return [{ ...element, checksum: ((element.checksum ?? 5) ^ 0x1010) >>> 0 }]
      case "no-checksum":
        return [{ ...element, checksum: undefined }]
      case "huge-size":
        return [{ ...element, size: 30n << 30n }]
      case "zero-size":
        return [{ ...element, size: 0n }]
      case "element-error":
        return [{ id: element.id, start: element.start, error: new RemoteError(0, "simulated") }]
      case "twice":
        return [element, { ...element, checksum: 99 }]
      case "foreign-ids":
        return again(this.beside(`${lie} ${hexOf(element.id)}`, shard, false))
      case "misaligned-starts":
        return [element, { ...element, start: element.start + 7n }]
      case "starts-out-of-range":
        return [element, { ...element, start: element.start + 100n * blockSize }]
      case "made-up-ids":
        return again(this.beside(`${lie} ${hexOf(element.id)}`, shard, true))
    }
  }

  answer(elements: Array<BlocksElement>): Array<BlocksElement> {
    let out = elements
    for (const lie of this.lies.blocks) {
      if (lie === "extra-element") {
        out = out.toSpliced(0, 0, { id: utf8.encode("nobody asked"), blocks: out[0]?.blocks ?? [] })
      } else if (lie === "reordered") out = this.given.random.shuffle(out)
      else if (lie === "short-answer") out = out.slice(0, Math.ceil(out.length / 2))
      else {
        out = out.flatMap((element) => {
          const start = element.blocks[0]?.start
          if (start === undefined || !this.about(lie, element.id, start)) return [element]
          return lie === "missing" ? [] : [{ ...element, blocks: this.blocks(lie, element) }]
        })
      }
    }
    return out
  }

  private blocks(lie: Lies["blocks"][number], { blocks, id }: BlocksElement): ReadonlyArray<BlockParts> {
    const block = blocks[0]!
    const stream = streamsOf(block)?.head ?? empty
    const honest = (head: Uint8Array): BlockParts => ({
      start: block.start,
      merged: { head, tail: empty },
      checksum: adler32(head)
    })
    switch (lie) {
      case "hollow":
        return []
      case "corrupt": {
        const flipped = stream.slice()
        flipped[flipped.length >> 1]! ^= 0x20
        return [{ ...honest(flipped), checksum: adler32(stream) }]
      }
      case "false-checksum":
        return [{ ...honest(stream), checksum: (adler32(stream) ^ 1) >>> 0 }]
      case "block-error":
        return [{ start: block.start, error: new RemoteError(0, "simulated read error") }]
      case "other-start":
        return [{ ...block, start: block.start + blockSize * 50n }]
      case "twice":
        return [...blocks, ...blocks]
      case "valid-lie":
        return [honest(other(id, block.start))]
      case "undecodable":
        return [honest(garbage)]
      default:
        return blocks
    }
  }

  token(next: number | undefined, asked: number): number | undefined {
    switch (this.lies.token) {
      case "loop":
        return asked
      case "empty-pages":
      case "endless":
        return asked + 1
      case "reset":
        return next === undefined && this.given.random.chance(0.5) ? 0 : next
      case undefined:
        return next
    }
  }
}

/** Makes a replica tell its lies. */
export const tellLies = (replica: Replica, lies: Lies, given: Telling): void => {
  const liar = new Liar(lies, given)
  for (const list of replica.held.values()) {
    for (const [index, held] of list.entries()) {
      if (lies.holds === undefined || !given.random.chance(lies.share)) continue
      list[index] = { ...held, streams: [lies.holds === "other" ? other(held.id, held.start) : garbage] }
    }
  }
  replica.tamperPage = (elements, { shard }) => liar.page(elements, shard)
  replica.tamper = (elements) => liar.answer(elements)
  replica.nextToken = (next, asked) => liar.token(next, asked)
  const { fault } = replica
  replica.fault = (kind, nth, nowMillis) =>
    fault(kind, nth, nowMillis) ??
      (lies.reason === undefined ? undefined : { reason: lies.reason, message: "simulated" })
}
