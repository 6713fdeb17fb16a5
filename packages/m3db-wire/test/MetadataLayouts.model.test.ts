// Pages of metadata decode to the same columns, or to the same fault, whether an element is laid out as nodes do it or in another way.
import { assert, describe, it } from "@effect/vitest"
import {
  decodeMetadataAnswer,
  encodeMetadataAnswer,
  isWireFault,
  type MetadataElement,
  ThriftCursor,
  ThriftType,
  ThriftWriter,
  WireFault,
  writeError
} from "@peerstrap/m3db-wire"
import { hex } from "./bytes.ts"
import { Sampler } from "./samples.ts"

interface Row {
  id: string | undefined
  tags: string
  start: bigint | undefined
  size: number
  checksum: number
  failed: boolean
}

/** What the decoder says: the rows, or the fault with its place. */
const said = (arg3: Uint8Array): unknown => {
  const page = decodeMetadataAnswer(arg3)
  if (isWireFault(page)) return [page.message, page.offset]
  if (!("count" in page)) return page
  return Array.from({ length: page.count }, (_, row): Row => ({
    id: hex(page.buffer.subarray(page.idOffset[row]!, page.idOffset[row]! + page.idLength[row]!)),
    tags: hex(page.buffer.subarray(page.tagsOffset[row]!, page.tagsOffset[row]! + page.tagsLength[row]!)),
    start: (BigInt(page.startHi[row]!) << 32n) | BigInt(page.startLo[row]! >>> 0),
    size: page.size[row]!,
    checksum: page.checksum[row]!,
    failed: page.failed[row] === 1
  }))
}

const rowOf = (element: MetadataElement): Row => ({
  id: hex(element.id),
  tags: hex(element.encodedTags ?? new Uint8Array(0)),
  start: element.start,
  size: element.error === undefined ? Number(element.size ?? 0n) : 0,
  checksum: element.error === undefined ? element.checksum ?? -1 : -1,
  failed: element.error !== undefined
})

const elementOf = (sampler: Sampler): MetadataElement => {
  const element = sampler.metadataElement()
  return sampler.chance(0.1) ? { ...element, size: BigInt(sampler.below(2 ** 30)) << 16n } : element
}

/** Elements with fields in any order and unknown ones between. */
const scrambled = (sampler: Sampler, elements: ReadonlyArray<MetadataElement>): Uint8Array => {
  const writer = new ThriftWriter(1 << 20)
  writer.field(ThriftType.struct, 0)
  writer.listField(1, ThriftType.struct, elements.length)
  for (const { checksum, encodedTags, error, id, size, start } of elements) {
    const fields = [
      () => writer.bytesField(1, id),
      () => writer.i64Field(2, start),
      () => {
        if (error === undefined) return
        writer.field(ThriftType.struct, 3)
        writeError(writer, error)
      },
      () => size !== undefined && writer.i64Field(4, size),
      () => checksum !== undefined && writer.i64Field(5, BigInt(checksum)),
      () => encodedTags !== undefined && writer.bytesField(8, encodedTags)
    ]
    for (const write of sampler.shuffled(fields)) {
      sampler.writeUnknownFields(writer, 2)
      write()
    }
    sampler.writeUnknownFields(writer, 2, true)
  }
  writer.stop()
  writer.stop()
  return writer.finish()
}

describe("pages of metadata", () => {
  it("say the same in a node's order of fields and in any other, for 300 seeds", () => {
    for (let seed = 1; seed <= 300; seed++) {
      const sampler = new Sampler(seed)
      const elements = Array.from({ length: sampler.below(40) }, () => elementOf(sampler))
      const rows = elements.map(rowOf)
      assert.deepStrictEqual(said(encodeMetadataAnswer(elements)), rows, `seed ${seed}`)
      assert.deepStrictEqual(said(scrambled(sampler, elements)), rows, `seed ${seed}`)
    }
  })

  it("grow over many elements, usual and unusual ones in turns", () => {
    const sampler = new Sampler(7)
    const elements = Array.from({ length: 3000 }, () => elementOf(sampler))
    assert.deepStrictEqual(said(encodeMetadataAnswer(elements)), elements.map(rowOf))
  })
})

const skipError = (cursor: ThriftCursor): void => cursor.skip(ThriftType.struct)

/** One element field by field. */
const naiveRow = (cursor: ThriftCursor): Row => {
  const row: Row = { id: undefined, tags: "", start: undefined, size: 0, checksum: -1, failed: false }
  for (let type = cursor.field(); type !== ThriftType.stop; type = cursor.field()) {
    const id = cursor.fieldId
    const declared = [0, ThriftType.binary, ThriftType.i64, ThriftType.struct, ThriftType.i64, ThriftType.i64][id]
    if (declared !== undefined && id > 0) cursor.expect(type, declared)
    if (id === 1) row.id = hex(cursor.bytes())
    else if (id === 2) row.start = cursor.bigint()
    else if (id === 3) {
      skipError(cursor)
      row.failed = true
    } else if (id === 4) {
      const size = cursor.bigint()
      if (size < 0n) cursor.fail("negative block size")
      row.size = Number(size < 2n ** 53n ? size : 2n ** 53n - 1n)
    } else if (id === 5) {
      const checksum = cursor.bigint()
      if (checksum < 0n || checksum >= 2n ** 32n) cursor.fail("checksum is not an unsigned 32-bit number")
      row.checksum = Number(checksum)
    } else if (id === 8) {
      cursor.expect(type, ThriftType.binary)
      row.tags = hex(cursor.bytes())
    } else cursor.skip(type)
  }
  if (row.id === undefined || row.start === undefined) cursor.fail("metadata element lacks its id or start")
  if (row.failed) {
    row.size = 0
    row.checksum = -1
  }
  return row
}

/** A page whose frame (7 bytes of heads, 5 of the list) is whole: what a decoder without a notion of a usual layout says. */
const naivelySaid = (arg3: Uint8Array): unknown => {
  const cursor = new ThriftCursor(arg3, 6)
  try {
    const rows = Array.from({ length: cursor.list(ThriftType.struct) }, () => naiveRow(cursor))
    for (let depth = 0; depth < 2; depth++) if (cursor.field() !== ThriftType.stop) return "other fields follow"
    cursor.finish()
    return rows
  } catch (fault) {
    if (!(fault instanceof WireFault)) throw fault
    return [fault.message, fault.offset]
  }
}

describe("damaged pages of metadata", () => {
  const sampler = new Sampler(11)
  const samples = Array.from({ length: 12 }, () => [elementOf(sampler), elementOf(sampler)])

  it("are read, or refused with the same words at the same place, for every flipped bit", () => {
    for (const elements of samples) {
      const page = encodeMetadataAnswer(elements.map((element) => ({ ...element, error: undefined })))
      for (let bit = 11 * 8; bit < page.length * 8; bit++) {
        const flipped = page.slice()
        flipped[bit >> 3]! ^= 1 << (bit & 7)
        const expected = naivelySaid(flipped)
        if (expected !== "other fields follow") assert.deepStrictEqual(said(flipped), expected, `bit ${bit}`)
      }
    }
  })

  it("are refused with the same words at the same place wherever they are cut", () => {
    for (const elements of samples) {
      const page = encodeMetadataAnswer(elements)
      for (let length = 11; length < page.length; length++) {
        assert.deepStrictEqual(said(page.slice(0, length)), naivelySaid(page.slice(0, length)), `length ${length}`)
      }
    }
  })
})
