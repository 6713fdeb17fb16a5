// A transport whose other side is the test: it sees each request as a value and answers with bytes of its own choice.
import {
  ChecksumType,
  encodeCallResponse,
  encodeInit,
  FrameSplitter,
  FrameType,
  MessageReader
} from "@peerstrap/m3db-wire"
import { type CloseReason, type Connection, ConnectionClosed, DialError, Transport } from "@peerstrap/transport"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"

export interface SeenRequest {
  readonly connection: ScriptedConnection
  readonly id: number
  readonly method: string
  readonly ttlMillis: number
  readonly arg3: Uint8Array
}

export interface SeenFrame {
  readonly type: number
  readonly id: number
}

export class ScriptedConnection {
  readonly frames: Array<SeenFrame> = []
  readonly closed = Deferred.makeUnsafe<CloseReason>()
  private consumer: ((chunk: Uint8Array) => boolean) | undefined
  private readonly readers = new Map<number, MessageReader>()
  private readonly splitter: FrameSplitter
  ended: CloseReason | undefined
  /** While true nothing that the client writes leaves it. */
  stalled = false

  constructor(requests: Queue.Queue<SeenRequest>, greeting: ReadonlyArray<Uint8Array> | undefined) {
    this.splitter = new FrameSplitter((type, id, buffer, start, end) => {
      this.frames.push({ type, id })
      if (type === FrameType.initRequest) {
        for (const bytes of greeting ?? []) this.deliver(bytes)
      } else if (type === FrameType.callRequest || type === FrameType.callRequestContinue) {
        const reader = this.readers.get(id) ?? new MessageReader("request", { maxBytes: 1 << 24 })
        this.readers.set(id, reader)
        if (reader.push(type, buffer, start, end) !== "done" || reader.head?.kind !== "request") return
        const method = Buffer.from(reader.arg1).toString("utf8")
        const { ttlMillis } = reader.head
        Queue.offerUnsafe(requests, { connection: this, id, method, ttlMillis, arg3: reader.arg3 })
      }
    })
  }

  /** Bytes for the client, overwritten afterwards as a socket's buffer is. */
  deliver(bytes: Uint8Array): void {
    const chunk = bytes.slice()
    this.consumer?.(chunk)
    chunk.fill(0xee)
  }

  end(kind: CloseReason["kind"], message: string): void {
    this.ended ??= { kind, message }
    Deferred.doneUnsafe(this.closed, Effect.succeed(this.ended))
  }

  toConnection(): Connection {
    return {
      remote: "peer:9000",
      receive: (consumer) => {
        this.consumer = consumer
      },
      resume: () => undefined,
      write: (chunks) =>
        Effect.suspend(() => {
          if (this.ended !== undefined) {
            return Effect.fail(new ConnectionClosed({ remote: "peer:9000", reason: this.ended.message }))
          }
          if (this.stalled) return Effect.never
          for (const chunk of chunks) this.splitter.push(chunk)
          return Effect.void
        }),
      close: (reason) => this.end("local", reason),
      closed: Deferred.await(this.closed)
    }
  }
}

export const initAnswer: Uint8Array = encodeInit(FrameType.initResponse, 1, {
  version: 2,
  pairs: [["host_port", "peer:9000"], ["process_name", "scripted"]]
})

/** The frames of a whole answer with code 0. */
export const answer = (request: SeenRequest, arg3: Uint8Array, maxFrameBytes?: number): Array<Uint8Array> =>
  encodeCallResponse({ id: request.id, code: 0, arg3, checksumType: ChecksumType.crc32 }, maxFrameBytes)

export class ScriptedPeer {
  readonly connections: Array<ScriptedConnection> = []
  readonly requests: Queue.Queue<SeenRequest>
  /** What the next connections say to an init request; undefined for silence. */
  greeting: ReadonlyArray<Uint8Array> | undefined = [initAnswer]
  dialError: DialError | undefined

  constructor(requests: Queue.Queue<SeenRequest>) {
    this.requests = requests
  }

  /** The next request, as soon as it is there. */
  get next(): Effect.Effect<SeenRequest> {
    return Queue.take(this.requests)
  }

  readonly layer: Layer.Layer<Transport> = Layer.sync(Transport, () => ({
    dial: () =>
      Effect.acquireRelease(
        Effect.suspend(() => {
          if (this.dialError !== undefined) return Effect.fail(this.dialError)
          const connection = new ScriptedConnection(this.requests, this.greeting)
          this.connections.push(connection)
          return Effect.succeed({ scripted: connection, connection: connection.toConnection() })
        }),
        ({ connection }) => Effect.sync(() => connection.close("the scope has ended"))
      ).pipe(Effect.map(({ connection }) => connection)),
    listen: () => Effect.die(new Error("a scripted peer does not listen"))
  }))
}

export const makeScriptedPeer: Effect.Effect<ScriptedPeer> = Effect.map(
  Queue.unbounded<SeenRequest>(),
  (requests) => new ScriptedPeer(requests)
)
