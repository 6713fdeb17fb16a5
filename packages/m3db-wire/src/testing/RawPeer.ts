/** One raw connection of the kit: sends any bytes, reads frames one by one, notices the end. */
import { type Address, type Connection, type DialError, Transport } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import {
  AnswerAssembly,
  callFrames,
  type RawAnswer,
  type RawError,
  type RawFrame,
  type RawRequest,
  readErrorFrame,
  validInit
} from "./RawFrames.ts"
import { readTree, type ThriftTree } from "./RawThrift.ts"

/** A rule that a server broke, as the kit reports it. */
export class Breach extends Schema.TaggedError<Breach>()("Breach", { message: Schema.String }) {}

export const breach = (message: string): Breach => new Breach({ message })

/** Fails with a breach unless it holds. */
export const must = (holds: boolean, message: () => string): Effect.Effect<void, Breach> =>
  holds ? Effect.void : Effect.fail(breach(message()))

/** Runs a check that throws `RangeError` on broken bytes. */
export const reading = <A>(what: string, read: () => A): Effect.Effect<A, Breach> =>
  Effect.try({
    try: read,
    catch: (error) => breach(`${what}: ${error instanceof Error ? error.message : String(error)}`)
  })

export type Reply =
  | { readonly kind: "answer"; readonly answer: RawAnswer; readonly result: ThriftTree }
  | { readonly kind: "error"; readonly error: RawError }

export type AnswerReply = Extract<Reply, { readonly kind: "answer" }>

const maxFrameBytes = 65_535

export class RawPeer {
  private readonly connection: Connection
  private readonly frames: Queue.Queue<RawFrame | "ended">
  private held = new Uint8Array(0)
  private nextId = 2

  constructor(connection: Connection, frames: Queue.Queue<RawFrame | "ended">) {
    this.connection = connection
    this.frames = frames
    connection.receive((chunk) => {
      this.take(chunk)
      return true
    })
  }

  get id(): number {
    return this.nextId++
  }

  private take(chunk: Uint8Array): void {
    const bytes = new Uint8Array(this.held.length + chunk.length)
    bytes.set(this.held)
    bytes.set(chunk, this.held.length)
    let at = 0
    while (bytes.length - at >= 16) {
      const view = new DataView(bytes.buffer, at)
      const size = view.getUint16(0)
      if (size < 16) {
        Queue.offerUnsafe(this.frames, { type: -1, id: 0, clean: false, payload: new Uint8Array(0) })
        this.connection.close("frame size below 16")
        return
      }
      if (bytes.length - at < size) break
      const clean = bytes[at + 3] === 0 && view.getBigUint64(8) === 0n
      Queue.offerUnsafe(this.frames, {
        type: bytes[at + 2]!,
        id: view.getUint32(4),
        clean,
        payload: bytes.slice(at + 16, at + size)
      })
      at += size
    }
    this.held = bytes.slice(at, at + maxFrameBytes)
  }

  send(...chunks: ReadonlyArray<Uint8Array>): Effect.Effect<void, Breach> {
    return Effect.mapError(this.connection.write(chunks), ({ reason }) => breach(`the connection ended: ${reason}`))
  }

  /** The next frame; a breach when the connection ends instead. */
  readonly frame: Effect.Effect<RawFrame, Breach> = Effect.suspend(() =>
    Effect.flatMap(Queue.take(this.frames), (frame) => {
      if (frame === "ended") return Effect.fail(breach("the server closed the connection"))
      if (frame.type === -1) return Effect.fail(breach("frame size below 16"))
      return frame.clean ? Effect.succeed(frame) : Effect.fail(breach("reserved bytes of a frame are not 0"))
    })
  )

  /** The server closes the connection and sends nothing before that. */
  readonly ended: Effect.Effect<void, Breach> = Effect.suspend(() =>
    Effect.flatMap(
      Queue.take(this.frames),
      (frame) => must(frame === "ended", () => "the server keeps a connection that it should close")
    )
  )

  /** The reply to the call `id`; any other frame is a breach. */
  reply(id: number): Effect.Effect<Reply, Breach> {
    return readReply(this.frame, id)
  }

  /** Calls and waits for the reply. */
  call(request: Omit<RawRequest, "id">): Effect.Effect<Reply, Breach> {
    const id = this.id
    return Effect.andThen(this.send(...callFrames({ ...request, id })), this.reply(id))
  }

  /** A call that is answered; an error frame is a breach. */
  answered(request: Omit<RawRequest, "id">): Effect.Effect<AnswerReply, Breach> {
    return Effect.filterOrFail(
      this.call(request),
      (reply): reply is AnswerReply => reply.kind === "answer",
      (reply) =>
        breach(
          `${request.arg1}: ${reply.kind === "error" ? `error frame ${reply.error.code} "${reply.error.message}"` : ""}`
        )
    )
  }
}

const readReply = Effect.fnUntraced(
  function*(next: Effect.Effect<RawFrame, Breach>, id: number): Effect.fn.Return<Reply, Breach> {
    const assembly = new AnswerAssembly()
    for (;;) {
      const frame = yield* next
      yield* must(frame.id === id, () => `a frame for id ${frame.id}, the call has ${id}`)
      if (frame.type === 0xff) {
        const error = yield* reading("error frame", () => readErrorFrame(frame.payload))
        return { kind: "error", error }
      }
      const answer = yield* reading("answer", () => assembly.push(frame))
      if (answer === undefined) continue
      const result = yield* reading("result struct", () => readTree(answer.args[2]))
      return { kind: "answer", answer, result }
    }
  }
)

const open = (address: Address): Effect.Effect<RawPeer, Breach, Transport | Scope.Scope> =>
  Effect.gen(function*() {
    const transport = yield* Transport
    const connection = yield* Effect.mapError(transport.dial(address), (error: DialError) => breach(error.message))
    const frames = yield* Queue.unbounded<RawFrame | "ended">()
    yield* Effect.forkScoped(Effect.tap(connection.closed, () => Queue.offer(frames, "ended")))
    return new RawPeer(connection, frames)
  })

/** A connection before its handshake. */
export const connectRaw = open

/** A connection after a handshake that is not looked at. */
export const connectReady = Effect.fnUntraced(function*(address: Address) {
  const peer = yield* open(address)
  yield* peer.send(validInit)
  yield* peer.frame
  return peer
})
