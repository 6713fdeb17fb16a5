/**
 * `Node::fetchTagged`: series by their tags, with their streams as the node holds them. The query goes as M3's protobuf message
 * `Query`, of which only what is asked here is encoded: term, regexp, conjunction.
 */
import { encodeArguments, type ThriftCursor, ThriftType } from "@peerstrap/m3db-wire"
import type { Point } from "./Held.ts"
import { pointsOfStream } from "./HeldFilesets.ts"
import { callNode } from "./NodeCalls.ts"

export type TagQuery =
  | { readonly kind: "term"; readonly tag: string; readonly value: string }
  | { readonly kind: "regexp"; readonly tag: string; readonly pattern: string }
  | { readonly kind: "all-of"; readonly queries: ReadonlyArray<TagQuery> }

export interface TaggedSeries {
  readonly id: Uint8Array
  readonly encodedTags: Uint8Array
  readonly points: ReadonlyArray<Point>
}

export interface TaggedAnswer {
  readonly series: ReadonlyArray<TaggedSeries>
  readonly exhaustive: boolean
}

export interface TagRange {
  /** ns, inclusive. */
  readonly start: bigint
  /** ns, exclusive. */
  readonly end: bigint
}

const utf8 = new TextEncoder()

/** A field of type 2 (length-delimited) of a protobuf message. */
const delimited = (field: number, bytes: Uint8Array): ReadonlyArray<number> => {
  const length: Array<number> = []
  let rest = bytes.length
  for (; rest > 0x7f; rest >>>= 7) length.push(rest & 0x7f | 0x80)
  return [field << 3 | 2, ...length, rest, ...bytes]
}

/** Fields of `Query`, one of which is set. */
const queryField = { term: 1, regexp: 2, "all-of": 4 } as const

/** M3's `querypb.Query`: each of these kinds is a message of its own with field 1 (tag, or queries) and field 2. */
export const encodeQuery = (query: TagQuery): Uint8Array => {
  const inner = query.kind === "all-of"
    ? query.queries.flatMap((one) => delimited(1, encodeQuery(one)))
    : [
      ...delimited(1, utf8.encode(query.tag)),
      ...delimited(2, utf8.encode(query.kind === "term" ? query.value : query.pattern))
    ]
  return Uint8Array.from(delimited(queryField[query.kind], Uint8Array.from(inner)))
}

/** M3's `TimeType.UNIX_NANOSECONDS`. */
const nanoseconds = 3

const taggedArguments = (namespace: string, query: TagQuery, { end, start }: TagRange): Uint8Array =>
  encodeArguments((writer) => {
    writer.bytesField(1, utf8.encode(namespace))
    writer.bytesField(2, encodeQuery(query))
    writer.i64Field(3, start)
    writer.i64Field(4, end)
    writer.boolField(5, true)
    writer.i32Field(7, nanoseconds)
    writer.stop()
  })

/** One stream: head and tail together. */
const readSegment = (cursor: ThriftCursor): ReadonlyArray<Uint8Array> => {
  const pieces: Array<Uint8Array> = [new Uint8Array(0), new Uint8Array(0)]
  for (let type = cursor.field(); type !== ThriftType.stop; type = cursor.field()) {
    if (cursor.fieldId === 1 || cursor.fieldId === 2) pieces[cursor.fieldId - 1] = cursor.bytes()
    else cursor.skip(type)
  }
  return pieces
}

/** The streams of one block: one merged, or several. */
const readSegments = (cursor: ThriftCursor): ReadonlyArray<ReadonlyArray<Uint8Array>> => {
  let streams: ReadonlyArray<ReadonlyArray<Uint8Array>> = []
  for (let type = cursor.field(); type !== ThriftType.stop; type = cursor.field()) {
    if (cursor.fieldId === 1) streams = [readSegment(cursor)]
    else if (cursor.fieldId === 2) {
      streams = Array.from({ length: cursor.list(ThriftType.struct) }, () => readSegment(cursor))
    } else cursor.skip(type)
  }
  return streams
}

const readSeries = (cursor: ThriftCursor): TaggedSeries => {
  let id: Uint8Array = new Uint8Array(0)
  let encodedTags: Uint8Array = id
  let streams: ReadonlyArray<ReadonlyArray<Uint8Array>> = []
  for (let type = cursor.field(); type !== ThriftType.stop; type = cursor.field()) {
    if (cursor.fieldId === 1) id = Uint8Array.from(cursor.bytes())
    else if (cursor.fieldId === 3) encodedTags = Uint8Array.from(cursor.bytes())
    else if (cursor.fieldId === 4) {
      streams = Array.from({ length: cursor.list(ThriftType.struct) }, () => readSegments(cursor)).flat()
    } else cursor.skip(type)
  }
  const points = streams.flatMap(pointsOfStream).toSorted((a, b) => a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0)
  return { id, encodedTags, points }
}

const readAnswer = (cursor: ThriftCursor): TaggedAnswer => {
  let series: ReadonlyArray<TaggedSeries> = []
  let exhaustive = false
  for (let type = cursor.field(); type !== ThriftType.stop; type = cursor.field()) {
    if (cursor.fieldId === 1) series = Array.from({ length: cursor.list(ThriftType.struct) }, () => readSeries(cursor))
    else if (cursor.fieldId === 2) exhaustive = cursor.bool()
    else cursor.skip(type)
  }
  return { series: series.toSorted((a, b) => Buffer.compare(a.id, b.id)), exhaustive }
}

/** Asks one query after the other over one connection; series in order of their ids, points in order of time. */
export const queryTags = (
  port: number,
  namespace: string,
  queries: ReadonlyArray<TagQuery>,
  range: TagRange
): Promise<ReadonlyArray<TaggedAnswer>> =>
  callNode(
    port,
    queries.map((query) => ({
      method: "Node::fetchTagged",
      what: `fetchTagged of ${JSON.stringify(query)}`,
      arg3: taggedArguments(namespace, query, range),
      read: readAnswer
    }))
  )
