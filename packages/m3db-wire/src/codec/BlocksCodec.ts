/** `fetchBlocksRaw`: request and answer, both directions (specs: peer streaming 2.2, 5.3, 11.1). */
import type { BlocksAnswer } from "../contract/Columns.ts"
import { Limits } from "../contract/Limits.ts"
import type { BlocksRequest } from "../contract/NodeClient.ts"
import { readBlocks } from "./BlocksReader.ts"
import { type RemoteError, writeError } from "./RemoteError.ts"
import { decodeResult, encodeArguments, encodeValue } from "./ResultStruct.ts"
import { ThriftType, type ThriftWriter } from "./Thrift.ts"
import type { WireFault } from "./WireFault.ts"

/** arg3 of a request: one element with one start per item. */
export const encodeBlocksRequest = (request: BlocksRequest): Uint8Array => {
  if (request.arg3 !== undefined) return request.arg3
  const { ids, startHi, startLo } = request
  if (startHi.length !== ids.length || startLo.length !== ids.length) {
    throw new RangeError(`${ids.length} ids, but ${startHi.length} and ${startLo.length} halves of starts`)
  }
  return encodeArguments((writer) => {
    writer.bytesField(1, request.namespace)
    writer.i32Field(2, request.shard)
    writer.listField(3, ThriftType.struct, ids.length)
    for (let i = 0; i < ids.length; i++) {
      writer.bytesField(1, ids[i]!)
      writer.listField(2, ThriftType.i64, 1)
      writer.i64(startHi[i]!, startLo[i]!)
      writer.stop()
    }
    writer.stop()
  })
}

/** Offset of the first element of an encoded request: behind arguments, namespace, shard, head of the list. */
export const requestElementsAt = (namespace: Uint8Array): number => 3 + 7 + namespace.length + 7 + 8

/** The elements of an encoded request, one behind the other, and how many they are. */
export const requestElements = (
  { namespace }: BlocksRequest,
  arg3: Uint8Array
): { readonly elements: Uint8Array; readonly items: number } => {
  const at = requestElementsAt(namespace)
  const items = new DataView(arg3.buffer, arg3.byteOffset + at - 4, 4).getInt32(0)
  return { elements: arg3.subarray(at, arg3.length - 2), items }
}

/** One segment as a server gives it. */
export interface SegmentParts {
  readonly head: Uint8Array
  readonly tail: Uint8Array
  /** ns. */
  readonly startTime?: bigint | undefined
  /** ns. */
  readonly blockSize?: bigint | undefined
  /** Unsigned 32-bit. */
  readonly checksum?: number | undefined
}

/** One block of one series in an answer: segments as they lie in it, or an error in their place. */
export interface BlockParts {
  /** ns. */
  readonly start: bigint
  readonly merged?: SegmentParts | undefined
  readonly unmerged?: ReadonlyArray<SegmentParts> | undefined
  readonly error?: RemoteError | undefined
  /** Unsigned 32-bit. */
  readonly checksum?: number | undefined
}

/** One series in an answer: its id and one entry for each start that was asked. */
export interface BlocksElement {
  readonly id: Uint8Array
  readonly blocks: ReadonlyArray<BlockParts>
}

const writeSegment = (writer: ThriftWriter, segment: SegmentParts): void => {
  writer.bytesField(1, segment.head)
  writer.bytesField(2, segment.tail)
  if (segment.startTime !== undefined) writer.i64Field(3, segment.startTime)
  if (segment.blockSize !== undefined) writer.i64Field(4, segment.blockSize)
  if (segment.checksum !== undefined) writer.i64Field(5, BigInt(segment.checksum))
  writer.stop()
}

const writeBlock = (writer: ThriftWriter, block: BlockParts): void => {
  writer.i64Field(1, block.start)
  if (block.merged !== undefined || block.unmerged !== undefined) {
    writer.field(ThriftType.struct, 2)
    if (block.merged !== undefined) {
      writer.field(ThriftType.struct, 1)
      writeSegment(writer, block.merged)
    }
    if (block.unmerged !== undefined) {
      writer.listField(2, ThriftType.struct, block.unmerged.length)
      for (const segment of block.unmerged) writeSegment(writer, segment)
    }
    writer.stop()
  }
  if (block.error !== undefined) {
    writer.field(ThriftType.struct, 3)
    writeError(writer, block.error)
  }
  if (block.checksum !== undefined) writer.i64Field(4, BigInt(block.checksum))
  writer.stop()
}

/** arg3 of an answer with code 0. */
export const encodeBlocksAnswer = (elements: ReadonlyArray<BlocksElement>): Uint8Array =>
  encodeValue((writer) => {
    writer.listField(1, ThriftType.struct, elements.length)
    for (const element of elements) {
      writer.bytesField(1, element.id)
      writer.listField(2, ThriftType.struct, element.blocks.length)
      for (const block of element.blocks) writeBlock(writer, block)
      writer.stop()
    }
    writer.stop()
  })

/** Decodes arg3 of an answer into columns; the answer keeps `arg3` as its buffer. */
export const decodeBlocksAnswer = (
  arg3: Uint8Array,
  maxBytes: number = Limits.maxAnswerBytes
): BlocksAnswer | RemoteError | WireFault => decodeResult(arg3, maxBytes, readBlocks)
