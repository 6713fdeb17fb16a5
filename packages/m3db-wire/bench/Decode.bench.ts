// How fast a blocks answer becomes columns: the complete decoder (any field order, unknown fields, all checks) beside a
// prototype that knows M3DB's field order by heart and checks almost nothing. Both run alternately on the same bytes.
// Usage: node --conditions=@peerstrap/source bench/Decode.bench.ts [bytes per block] [blocks]
import {
  type BlocksAnswer,
  decodeBlocksAnswer,
  encodeBlocksAnswer,
  encodeValue,
  ThriftType
} from "@peerstrap/m3db-wire"
import { deepStrictEqual } from "node:assert/strict"

const blockBytes = Number(process.argv[2] ?? 200)
const blocks = Number(process.argv[3] ?? 4096)
const rounds = 201
const callsPerRound = 5

const arg3 = encodeBlocksAnswer(Array.from({ length: blocks }, (_, i) => ({
  id: Buffer.from(`metric.name.of.a.usual.length{host=host-${String(i).padStart(6, "0")}}`),
  blocks: [{
    start: 1_795_226_400_000_000_000n,
    merged: {
      head: new Uint8Array(blockBytes).fill(i),
      tail: new Uint8Array(0),
      startTime: 1_795_226_400_000_000_000n,
      blockSize: 7_200_000_000_000n,
      checksum: i
    },
    checksum: i
  }]
}))).slice()

/** The same blocks with every struct's fields backwards: nothing of it is laid out as usual. */
const backwards = encodeValue((writer) => {
  writer.listField(1, ThriftType.struct, blocks)
  for (let i = 0; i < blocks; i++) {
    writer.listField(2, ThriftType.struct, 1)
    writer.i64Field(4, BigInt(i))
    writer.field(ThriftType.struct, 2)
    writer.field(ThriftType.struct, 1)
    writer.i64Field(5, BigInt(i))
    writer.i64Field(4, 7_200_000_000_000n)
    writer.i64Field(3, 1_795_226_400_000_000_000n)
    writer.bytesField(2, new Uint8Array(0))
    writer.bytesField(1, new Uint8Array(blockBytes).fill(i))
    writer.stop()
    writer.stop()
    writer.i64Field(1, 1_795_226_400_000_000_000n)
    writer.stop()
    writer.bytesField(1, Buffer.from(`metric.name.of.a.usual.length{host=host-${String(i).padStart(6, "0")}}`))
    writer.stop()
  }
  writer.stop()
}).slice()

/**
 * Fields exactly as a node writes them, one block with one merged segment per element: no look at any field's header, only
 * the lengths are checked. It gives the same columns, in arrays of their own.
 */
const prototype = (b: Uint8Array): BlocksAnswer => {
  const view = new DataView(b.buffer, b.byteOffset, b.byteLength)
  const i32 = (p: number): number => view.getInt32(p)
  const length = (p: number): number => {
    const value = i32(p)
    if (value < 0 || value > b.length - p) throw new RangeError("length")
    return value
  }
  // Result struct, head of the elements' list.
  const count = i32(3 + 4)
  if (count < 0 || count * 100 > b.length) throw new RangeError("count")
  const column = () => new Int32Array(count)
  const answer = {
    buffer: b,
    elementCount: count,
    idOffset: column(),
    idLength: column(),
    firstBlock: new Int32Array(count + 1),
    blockCount: count,
    startHi: column(),
    startLo: column(),
    checksum: new Float64Array(count),
    form: new Uint8Array(count),
    errorOffset: column(),
    errorLength: column(),
    firstSegment: new Int32Array(count + 1),
    segmentCount: count,
    headOffset: column(),
    headLength: column(),
    tailOffset: column(),
    tailLength: column()
  }
  let p = 3 + 8
  for (let row = 0; row < count; row++) {
    answer.idOffset[row] = p + 7
    answer.idLength[row] = length(p + 3)
    // Id, then the list of one block.
    p += 7 + answer.idLength[row]! + 8
    answer.firstBlock[row + 1] = row + 1
    answer.startHi[row] = i32(p + 3)
    answer.startLo[row] = i32(p + 7)
    answer.form[row] = 1
    answer.errorLength[row] = -1
    // Start, segments, merged.
    p += 11 + 3 + 3
    answer.headOffset[row] = p + 7
    answer.headLength[row] = length(p + 3)
    p += 7 + answer.headLength[row]!
    answer.tailOffset[row] = p + 7
    answer.tailLength[row] = length(p + 3)
    // Tail, startTime, blockSize, checksum, two ends.
    p += 7 + answer.tailLength[row]! + 33 + 2
    answer.checksum[row] = i32(p + 7) >>> 0
    answer.firstSegment[row + 1] = row + 1
    // Checksum, ends of block and element.
    p += 11 + 2
    if (p > b.length) throw new RangeError("cut")
  }
  return answer
}

const median = (values: Array<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1]!

const timed = (run: () => unknown): number => {
  const began = process.hrtime.bigint()
  for (let i = 0; i < callsPerRound; i++) run()
  return Number(process.hrtime.bigint() - began) / callsPerRound / 1e9
}

deepStrictEqual({ ...decodeBlocksAnswer(arg3) }, { ...prototype(arg3) })

const completeSeconds: Array<number> = []
const backwardsSeconds: Array<number> = []
const prototypeSeconds: Array<number> = []
for (let round = 0; round < rounds; round++) {
  completeSeconds.push(timed(() => decodeBlocksAnswer(arg3)))
  backwardsSeconds.push(timed(() => decodeBlocksAnswer(backwards)))
  prototypeSeconds.push(timed(() => prototype(arg3)))
}

const report = (name: string, seconds: number): void => {
  const rate = blocks / seconds / 1e6
  const bandwidth = arg3.length / seconds / 1e9
  console.log(`${name.padEnd(28)} ${rate.toFixed(2)} M blocks/s  ${bandwidth.toFixed(2)} GB/s of answer`)
}

console.log(`${blocks} blocks of ${blockBytes} B, answer of ${arg3.length} B, median of ${rounds} rounds`)
report("complete, a node's order", median(completeSeconds))
report("complete, all backwards", median(backwardsSeconds))
report("prototype, fixed order", median(prototypeSeconds))
report("complete, best round", Math.min(...completeSeconds))
report("prototype, best round", Math.min(...prototypeSeconds))
// Of rounds side by side, so that what else the machine does weighs on both.
const ratio = median(completeSeconds.map((seconds, i) => prototypeSeconds[i]! / seconds))
const backwardsRatio = median(backwardsSeconds.map((seconds, i) => prototypeSeconds[i]! / seconds))
console.log(`ratio backwards ${backwardsRatio.toFixed(2)}`)
console.log(`ratio ${ratio.toFixed(2)} (wanted: at least 0.50, and 5 M blocks/s at 200 B)`)
