// Our server with answers of any size, and the calls that ask for them.
import { assert } from "@effect/vitest"
import { formatAddress } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import {
  encodeBlocksAnswer,
  encodeBlocksRequest,
  Method,
  NodeServer,
  ReplicaSource,
  type ReplicaSourceShape,
  type ServerEvent
} from "../../src/index.ts"
import { ascii } from "../bytes.ts"
import { first, sameBytes } from "./Bytes.ts"
import { type GoCall, type GoResult, startGoPeer } from "./GoPeer.ts"

export const oneBlock = {
  namespace: ascii("ns"),
  shard: 0,
  ids: [ascii("a")],
  startHi: Int32Array.of(0),
  startLo: Int32Array.of(1)
}

/** Answers every start N of a series with a stream of N bytes. */
const sizedSource: ReplicaSourceShape = {
  bootstrapped: Effect.succeed(true),
  listMetadata: () => Effect.never,
  fetchBlocks: ({ elements }) =>
    Effect.succeed(
      elements.map(({ id, starts }) => ({
        id,
        blocks: starts.map((start) => ({
          start,
          merged: {
            head: first(Number(start)),
            tail: id,
            startTime: undefined,
            blockSize: undefined,
            checksum: undefined
          },
          unmerged: undefined,
          error: undefined,
          checksum: undefined
        }))
      }))
    )
}

/** Our server, a Go peer, and how often each kind of event has happened on the server. */
export const serve = Effect.fnUntraced(function*(options: NodeServer.NodeServerOptions = {}) {
  const events: Array<ServerEvent> = []
  const server = yield* NodeServer.listen({ host: "127.0.0.1", port: 0 }, {
    ...options,
    observe: (event) => {
      events.push(event)
      options.observe?.(event)
    }
  }).pipe(Effect.provideService(ReplicaSource, sizedSource))
  const count = (kind: ServerEvent["kind"]) => events.filter((event) => event.kind === kind).length
  return { to: formatAddress(server.address), count, go: yield* startGoPeer }
})

/** A call for one series with an id of `idBytes` bytes that is answered with a stream of `answerBytes` bytes. */
export const sizedCall = (idBytes: number, answerBytes: number, more: Partial<GoCall> = {}): GoCall => ({
  method: Method.fetchBlocks,
  arg2: new Uint8Array(2),
  arg3: encodeBlocksRequest({ ...oneBlock, ids: [first(idBytes)], startLo: Int32Array.of(answerBytes) }),
  ...more
})

export const sizedAnswer = (idBytes: number, answerBytes: number): Uint8Array => {
  const merged = { head: first(answerBytes), tail: first(idBytes) }
  return encodeBlocksAnswer([{ id: first(idBytes), blocks: [{ start: BigInt(answerBytes), merged }] }])
}

/** Frame header, head and checksum, and the chunks around arg1 and arg2 that stand before an answer's arg3. */
export const answerHeadBytes = 16 + 38 + 5 + 2 + 4 + 2

export const answered = (result: GoResult, idBytes: number, answerBytes: number): void => {
  assert.strictEqual(result.error, "", result.message)
  assert.isFalse(result.declared)
  assert.strictEqual(result.format, "thrift")
  sameBytes(result.arg2, new Uint8Array(2), "arg2")
  sameBytes(result.arg3, sizedAnswer(idBytes, answerBytes), `id of ${idBytes}, stream of ${answerBytes}`)
}
