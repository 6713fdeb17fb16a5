/** `Node::fetch`: the points of one series, as the node itself decodes them. */
import { encodeArguments, type ThriftCursor, ThriftType } from "@peerstrap/m3db-wire"
import type { Point } from "./Held.ts"
import { callNode } from "./NodeCalls.ts"

export interface ReadRange {
  readonly id: Uint8Array
  /** ns, inclusive. */
  readonly start: bigint
  /** ns, exclusive. */
  readonly end: bigint
}

/** M3's `TimeType.UNIX_NANOSECONDS`. */
const nanoseconds = 3
const utf8 = new TextEncoder()

const fetchArguments = (namespace: string, { end, id, start }: ReadRange): Uint8Array =>
  encodeArguments((writer) => {
    writer.i64Field(1, start)
    writer.i64Field(2, end)
    writer.bytesField(3, utf8.encode(namespace))
    writer.bytesField(4, id)
    writer.i32Field(5, nanoseconds)
    writer.i32Field(6, nanoseconds)
    writer.stop()
  })

const readPoint = (cursor: ThriftCursor): Point => {
  let nanos = 0n
  let value = 0
  let annotation: Uint8Array | undefined
  for (let type = cursor.field(); type !== ThriftType.stop; type = cursor.field()) {
    if (cursor.fieldId === 1) nanos = cursor.bigint()
    else if (cursor.fieldId === 2) {
      cursor.expect(type, ThriftType.double)
      value = cursor.view.getFloat64(cursor.position)
      cursor.skip(type)
    } else if (cursor.fieldId === 3) annotation = Uint8Array.from(cursor.bytes())
    else cursor.skip(type)
  }
  return annotation === undefined || annotation.length === 0 ? { nanos, value } : { nanos, value, annotation }
}

const readPoints = (cursor: ThriftCursor): ReadonlyArray<Point> => {
  let points: ReadonlyArray<Point> = []
  for (let type = cursor.field(); type !== ThriftType.stop; type = cursor.field()) {
    if (cursor.fieldId === 1) points = Array.from({ length: cursor.list(ThriftType.struct) }, () => readPoint(cursor))
    else cursor.skip(type)
  }
  return points
}

/** Reads series one after the other over one connection. */
export const readAll = (
  port: number,
  namespace: string,
  ranges: ReadonlyArray<ReadRange>
): Promise<ReadonlyArray<ReadonlyArray<Point>>> =>
  callNode(
    port,
    ranges.map((range) => ({
      method: "Node::fetch",
      what: `fetch of ${new TextDecoder().decode(range.id)}`,
      arg3: fetchArguments(namespace, range),
      read: readPoints
    }))
  )
