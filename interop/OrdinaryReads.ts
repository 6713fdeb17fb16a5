/**
 * `Node::fetch` over TChannel, the read that an application makes. The nodes' JSON port is no way to read what is on disk: its calls come
 * without the context that a block from disk needs, and the node drops the connection.
 */
import {
  ChecksumType,
  ClientSession,
  decodeResult,
  encodeArguments,
  isWireFault,
  makeCounters,
  RemoteError,
  type ThriftCursor,
  ThriftType
} from "@peerstrap/m3db-wire"
import * as Net from "node:net"

export interface Point {
  readonly seconds: number
  readonly value: number
}

export interface ReadRange {
  readonly id: string
  /** Inclusive. */
  readonly startSeconds: number
  /** Exclusive. */
  readonly endSeconds: number
}

const maxAnswerBytes = 1 << 20
const utf8 = new TextEncoder()

const fetchArguments = (namespace: string, { endSeconds, id, startSeconds }: ReadRange): Uint8Array =>
  encodeArguments((writer) => {
    writer.i64Field(1, BigInt(startSeconds))
    writer.i64Field(2, BigInt(endSeconds))
    writer.bytesField(3, utf8.encode(namespace))
    writer.bytesField(4, utf8.encode(id))
    writer.stop()
  })

const readPoint = (cursor: ThriftCursor): Point => {
  let seconds = 0
  let value = 0
  for (let type = cursor.field(); type !== ThriftType.stop; type = cursor.field()) {
    if (cursor.fieldId === 1) seconds = Number(cursor.bigint())
    else if (cursor.fieldId === 2) {
      cursor.expect(type, ThriftType.double)
      value = cursor.view.getFloat64(cursor.position)
      cursor.skip(type)
    } else cursor.skip(type)
  }
  return { seconds, value }
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
  new Promise((resolve, reject) => {
    const results: Array<ReadonlyArray<Point>> = []
    const socket = Net.connect({ host: "127.0.0.1", port })
    const finish = (error?: Error): void => {
      socket.destroy()
      if (error === undefined) resolve(results)
      else reject(error)
    }
    const next = (): void => {
      const range = ranges[results.length]
      if (range === undefined) return finish()
      const options = { ttlMillis: 10_000, maxAnswerBytes, capacityHint: 4096 }
      session.begin("Node::fetch", fetchArguments(namespace, range), options).listen((outcome) => {
        if (outcome._tag === "failure") return finish(new Error(`fetch of ${range.id}: ${outcome.message}`))
        const points = decodeResult(outcome.arg3, maxAnswerBytes, readPoints)
        if (isWireFault(points)) return finish(new Error(points.toString()))
        if (points instanceof RemoteError) return finish(new Error(`fetch of ${range.id}: ${points.message}`))
        results.push(points)
        next()
      })
    }
    const session = new ClientSession({ processName: "interop", checksumType: ChecksumType.crc32 }, {
      send: (frames, written) =>
        frames.forEach((frame, n) => socket.write(frame, n === frames.length - 1 ? written : undefined)),
      nowMillis: () => performance.now(),
      onOpen: next,
      onEnd: (failure) => finish(new Error(failure.message))
    }, makeCounters())
    socket.on("connect", () => session.start())
    socket.on("data", (chunk) => session.receive(chunk))
    socket.on("error", finish)
    socket.on("close", () => session.streamEnded("the node closed the connection"))
  })
