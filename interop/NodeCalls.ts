/**
 * Calls of the node service over TChannel, one after the other on one connection: the reads that an application makes. The nodes' JSON
 * port is no way to read what is on disk: its calls come without the context that a block from disk needs, and the node drops the connection.
 */
import {
  ChecksumType,
  ClientSession,
  decodeResult,
  isWireFault,
  makeCounters,
  RemoteError,
  type ThriftCursor
} from "@peerstrap/m3db-wire"
import * as Net from "node:net"

export interface NodeCall<A> {
  /** Such as `Node::fetch`. */
  readonly method: string
  readonly arg3: Uint8Array
  /** What it is about, for errors. */
  readonly what: string
  readonly read: (cursor: ThriftCursor) => A
}

const maxAnswerBytes = 64 << 20

/** The answers in the order of the calls; the first error of any kind rejects. */
export const callNode = <A>(port: number, calls: ReadonlyArray<NodeCall<A>>): Promise<ReadonlyArray<A>> =>
  new Promise((resolve, reject) => {
    const results: Array<A> = []
    const socket = Net.connect({ host: "127.0.0.1", port })
    const finish = (error?: Error): void => {
      socket.destroy()
      if (error === undefined) resolve(results)
      else reject(error)
    }
    const next = (): void => {
      const call = calls[results.length]
      if (call === undefined) return finish()
      const options = { ttlMillis: 20_000, maxAnswerBytes, capacityHint: 4096 }
      session.begin(call.method, call.arg3, options).listen((outcome) => {
        if (outcome._tag === "failure") return finish(new Error(`${call.what}: ${outcome.message}`))
        const result = decodeResult(outcome.arg3, maxAnswerBytes, call.read)
        if (isWireFault(result)) return finish(new Error(`${call.what}: ${result.toString()}`))
        if (result instanceof RemoteError) return finish(new Error(`${call.what}: ${result.message}`))
        results.push(result)
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
