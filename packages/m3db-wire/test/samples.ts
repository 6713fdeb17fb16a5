// Seeded samples of everything that a decoder reads, for fuzzing and round trips.
import {
  type BlocksElement,
  type BlocksRequest,
  encodeArguments,
  encodeBlocksAnswer,
  encodeBlocksRequest,
  encodeErrorAnswer,
  encodeErrorFrame,
  encodeHealthAnswer,
  encodeInit,
  encodeMetadataAnswer,
  encodeMetadataRequest,
  encodePageToken,
  encodeTags,
  FrameType,
  type MetadataElement,
  RemoteError,
  type SegmentParts,
  ThriftType,
  ThriftWriter
} from "@peerstrap/m3db-wire"
import { seeded } from "./captures.ts"

export class Sampler {
  private readonly random: () => number

  constructor(seed: number) {
    this.random = seeded(seed)
  }

  below(count: number): number {
    return Math.floor(this.random() * count)
  }

  chance(probability: number): boolean {
    return this.random() < probability
  }

  bytes(maxLength: number): Uint8Array {
    return Uint8Array.from({ length: this.below(maxLength + 1) }, () => this.below(256))
  }

  start(): bigint {
    return 1_795_226_400_000_000_000n + BigInt(this.below(50)) * 7_200_000_000_000n
  }

  checksum(): number {
    return Math.floor(this.random() * 2 ** 32)
  }

  maybe<A>(value: () => A): A | undefined {
    return this.chance(0.7) ? value() : undefined
  }

  error(): RemoteError {
    return new RemoteError(this.below(2), `error ${this.below(1000)}`, this.below(4))
  }

  tags(): Uint8Array {
    return encodeTags(
      Array.from({ length: this.below(5) }, (_, i) => [Buffer.from(`n${i}`), this.bytes(12)] as const)
    )
  }

  metadataElement(): MetadataElement {
    return {
      id: this.bytes(30),
      start: this.start(),
      error: this.chance(0.1) ? this.error() : undefined,
      size: this.maybe(() => BigInt(this.below(100_000))),
      checksum: this.maybe(() => this.checksum()),
      lastRead: this.maybe(() => this.start()),
      encodedTags: this.maybe(() => this.tags())
    }
  }

  segment(): SegmentParts {
    return {
      head: this.bytes(40),
      tail: this.bytes(3),
      startTime: this.maybe(() => this.start()),
      blockSize: this.maybe(() => 7_200_000_000_000n),
      checksum: this.maybe(() => this.checksum())
    }
  }

  blocksElement(): BlocksElement {
    return {
      id: this.bytes(30),
      blocks: Array.from({ length: this.below(3) }, () => ({
        start: this.start(),
        merged: this.maybe(() => this.segment()),
        unmerged: this.chance(0.3) ? Array.from({ length: this.below(4) }, () => this.segment()) : undefined,
        error: this.chance(0.2) ? this.error() : undefined,
        checksum: this.maybe(() => this.checksum())
      }))
    }
  }

  blocksRequest(items: number): BlocksRequest {
    return {
      namespace: this.bytes(10),
      shard: this.below(64),
      ids: Array.from({ length: items }, () => this.bytes(30)),
      startHi: Int32Array.from({ length: items }, () => this.below(2 ** 31)),
      startLo: Int32Array.from({ length: items }, () => this.below(2 ** 31))
    }
  }

  /** A value of any type, nested at most `depth` levels. */
  writeAny(writer: ThriftWriter, type: number, depth: number): void {
    if (type === ThriftType.bool || type === ThriftType.byte) writer.byte(this.below(256))
    else if (type === ThriftType.i16) {
      writer.byte(this.below(256))
      writer.byte(this.below(256))
    } else if (type === ThriftType.i32) writer.i32(this.below(2 ** 31))
    else if (type === ThriftType.i64 || type === ThriftType.double) writer.bigint(this.start())
    else if (type === ThriftType.binary) writer.bytes(this.bytes(9))
    else if (type === ThriftType.struct) this.writeUnknownFields(writer, depth - 1, true)
    else {
      const inner = this.anyType(depth - 1)
      const count = this.below(3)
      writer.byte(inner)
      if (type === ThriftType.map) writer.byte(inner)
      writer.i32(count)
      for (let i = 0; i < count * (type === ThriftType.map ? 2 : 1); i++) this.writeAny(writer, inner, depth - 1)
    }
  }

  anyType(depth: number): number {
    const types = Object.values(ThriftType).filter((type) => type !== 0 && (depth > 0 || type < ThriftType.struct))
    return types[this.below(types.length)]!
  }

  /** Some fields that no struct of M3DB has. */
  writeUnknownFields(writer: ThriftWriter, depth: number, end = false): void {
    for (let i = this.below(3); i > 0; i--) {
      const type = this.anyType(depth)
      writer.field(type, 100 + this.below(900))
      this.writeAny(writer, type, depth)
    }
    if (end) writer.stop()
  }

  shuffled<A>(items: ReadonlyArray<A>): Array<A> {
    const out = [...items]
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.below(i + 1)
      ;[out[i], out[j]] = [out[j]!, out[i]!]
    }
    return out
  }

  /** A blocks answer with fields in any order and unknown ones between. */
  scrambledBlocks(elements: ReadonlyArray<BlocksElement>): Uint8Array {
    const writer = new ThriftWriter(1 << 24)
    const struct = (...fields: Array<(() => void) | undefined>): void => {
      for (const write of this.shuffled(fields)) {
        this.writeUnknownFields(writer, 3)
        write?.()
      }
      this.writeUnknownFields(writer, 3)
      writer.stop()
    }
    const list = (id: number, items: ReadonlyArray<() => void>) => () => {
      writer.listField(id, ThriftType.struct, items.length)
      for (const item of items) item()
    }
    const checksum = (id: number, value: number | undefined) =>
      value === undefined ? undefined : () => writer.i64Field(id, BigInt(value))
    const segment = (parts: SegmentParts) => () =>
      struct(
        () => writer.bytesField(1, parts.head),
        () => writer.bytesField(2, parts.tail),
        checksum(5, parts.checksum)
      )
    const nested = (id: number, write: () => void) => () => {
      writer.field(ThriftType.struct, id)
      write()
    }
    const { merged: _, ...answer } = { merged: 0, elements }
    struct(nested(0, () =>
      struct(list(
        1,
        answer.elements.map((element) => () =>
          struct(
            () => writer.bytesField(1, element.id),
            list(
              2,
              element.blocks.map((block) => () =>
                struct(
                  () => writer.i64Field(1, block.start),
                  block.merged === undefined && block.unmerged === undefined ? undefined : nested(2, () =>
                    struct(
                      block.merged && nested(1, segment(block.merged)),
                      block.unmerged && list(2, block.unmerged.map(segment))
                    )),
                  block.error && nested(3, () =>
                    struct(
                      () => writer.i32Field(1, block.error!.type),
                      () => writer.bytesField(2, Buffer.from(block.error!.message))
                    )),
                  checksum(4, block.checksum)
                )
              )
            )
          )
        )
      ))))
    return writer.finish()
  }
}

const times = <A>(count: number, make: (index: number) => A): Array<A> =>
  Array.from({ length: count }, (_, i) => make(i))

/** At least 20 samples of each kind of input, each of at most 2 KiB. */
export const smallSamples = (seed: number) => {
  const s = new Sampler(seed)
  return {
    init: times(20, () =>
      encodeInit(FrameType.initResponse, 1, {
        version: 2,
        pairs: [
          ["host_port", "1.2.3.4:9000"],
          ["process_name", `node[${s.below(9999)}]`],
          ...times(s.below(4), (i) => [`key${i}`, "v".repeat(s.below(20))] as const)
        ]
      }).subarray(16)),
    error: times(20, () => encodeErrorFrame(3, s.below(8), "x".repeat(s.below(60))).subarray(16)),
    health: times(20, (i) =>
      i % 4 === 0
        ? encodeErrorAnswer(s.error())
        : encodeHealthAnswer({ ok: s.chance(0.5), status: "up".repeat(s.below(9)), bootstrapped: s.chance(0.5) })),
    metadataRequest: times(20, () =>
      encodeMetadataRequest({
        namespace: s.bytes(12),
        shard: s.below(64),
        rangeStart: s.start(),
        rangeEnd: s.start(),
        limit: 1 + s.below(4096),
        pageToken: s.maybe(() => s.bytes(17))
      }, { sizes: s.chance(0.5), lastRead: s.chance(0.5) })),
    metadata: times(20, (i) =>
      i % 7 === 0
        ? encodeErrorAnswer(s.error())
        : encodeMetadataAnswer(times(s.below(7), () => s.metadataElement()), s.maybe(() => s.bytes(17)))),
    blocksRequest: times(20, () => encodeBlocksRequest(s.blocksRequest(s.below(7)))),
    blocks: times(20, (i) => {
      const elements = times(s.below(4), () => s.blocksElement())
      return i % 7 === 0
        ? encodeErrorAnswer(s.error())
        : i % 3 === 0
        ? s.scrambledBlocks(elements.slice(0, 1))
        : encodeBlocksAnswer(elements)
    }),
    tags: times(20, () => s.tags()),
    pageToken: times(20, (i) =>
      encodePageToken(
        i % 2 === 0
          ? { phase: "active", cursor: BigInt(s.below(1 << 30)) }
          : {
            phase: "flushed",
            blockStart: s.start(),
            entryIndex: BigInt(s.below(5000)),
            volume: BigInt(s.below(3)) - 1n
          }
      )),
    unknown: times(20, () =>
      encodeArguments((writer) => {
        s.writeUnknownFields(writer, 5, true)
      }))
  }
}
