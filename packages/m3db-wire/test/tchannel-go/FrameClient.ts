// A client on bare frames: any argument, service, checksum and frame size, through this package's codec alone.
import { type Address, type Connection, Transport } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import {
  type CallHead,
  ChecksumType,
  clientHeaders,
  decodeError,
  decodeInit,
  encodeFrame,
  encodeInit,
  encodeMessage,
  type ErrorPayload,
  FrameSplitter,
  FrameType,
  type Init,
  MessageReader,
  serviceName,
  WireFault
} from "../../src/index.ts"

export interface FrameCall {
  readonly method: string
  readonly arg2?: Uint8Array
  readonly arg3: Uint8Array
  readonly service?: string
  readonly ttlMillis?: number
  readonly checksumType?: ChecksumType
  readonly maxFrameBytes?: number
}

export interface FrameAnswer {
  readonly head: CallHead
  readonly checksumType: ChecksumType | undefined
  readonly arg1: Uint8Array
  readonly arg2: Uint8Array
  readonly arg3: Uint8Array
  /** Payload bytes of each frame. */
  readonly frames: ReadonlyArray<number>
}

const maxAnswerBytes = 64 * 1024 * 1024

export const requestFrames = (id: number, call: FrameCall): Array<Uint8Array> =>
  encodeMessage({
    id,
    head: {
      kind: "request",
      ttlMillis: call.ttlMillis ?? 30_000,
      service: call.service ?? serviceName,
      headers: clientHeaders
    },
    checksumType: call.checksumType ?? ChecksumType.crc32,
    arg1: Buffer.from(call.method),
    arg2: call.arg2 ?? new Uint8Array(2),
    arg3: call.arg3
  }, call.maxFrameBytes)

interface Waiting {
  readonly reader: MessageReader
  readonly frames: Array<number>
  readonly settle: (outcome: Effect.Effect<FrameAnswer, ErrorPayload>) => void
}

export class FrameClient {
  /** Of the handshake's answer. */
  init: Init | undefined
  /** Types of the frames that belong to no call, with their ids. */
  readonly others = Effect.runSync(Queue.unbounded<readonly [type: number, id: number]>())
  /** Pings of the other side, all answered. */
  pings = 0
  private readonly connection: Connection
  private readonly waiting = new Map<number, Waiting>()
  private nextId = 2

  constructor(connection: Connection) {
    this.connection = connection
    const splitter = new FrameSplitter((type, id, buffer, start, end) => this.frame(type, id, buffer, start, end))
    connection.receive((chunk) => {
      const fault = splitter.push(chunk)
      if (fault !== undefined) connection.close(fault.toString())
      return true
    })
  }

  private frame(type: number, id: number, buffer: Uint8Array, start: number, end: number): WireFault | undefined {
    if (type === FrameType.initResponse) {
      const init = decodeInit(buffer, start, end)
      if (init instanceof WireFault) return init
      this.init = init
    }
    const call = this.waiting.get(id)
    if (type === FrameType.pingRequest) {
      this.pings++
      Effect.runFork(Effect.ignore(this.connection.write([encodeFrame(FrameType.pingResponse, id)])))
      return undefined
    }
    if (call === undefined) {
      Queue.offerUnsafe(this.others, [type, id])
      return undefined
    }
    if (type === FrameType.error) {
      this.waiting.delete(id)
      const error = decodeError(buffer, start, end)
      call.settle(error instanceof WireFault ? Effect.die(error) : Effect.fail(error))
      return undefined
    }
    call.frames.push(end - start)
    const progress = call.reader.push(type, buffer, start, end)
    if (progress === "more") return undefined
    this.waiting.delete(id)
    const { reader: { arg1, arg2, arg3, checksumType, head }, frames } = call
    call.settle(
      progress === "done"
        ? Effect.succeed({ head: head!, checksumType, arg1, arg2, arg3, frames })
        : Effect.die(new Error(progress.toString()))
    )
    return undefined
  }

  /** The connection has ended: no answer comes any more. */
  end(message: string): void {
    for (const call of this.waiting.values()) call.settle(Effect.die(new Error(message)))
    this.waiting.clear()
  }

  takeId(): number {
    return this.nextId++
  }

  send(frames: ReadonlyArray<Uint8Array>): Effect.Effect<void> {
    return Effect.orDie(this.connection.write(frames))
  }

  /** The answer to the call `id`, to be asked for before its last frame is sent. */
  expect(id: number): Effect.Effect<FrameAnswer, ErrorPayload> {
    return Effect.callback<FrameAnswer, ErrorPayload>((resume) => {
      this.waiting.set(id, {
        reader: new MessageReader("response", { maxBytes: maxAnswerBytes }),
        frames: [],
        settle: resume
      })
    })
  }

  call(call: FrameCall): Effect.Effect<FrameAnswer, ErrorPayload> {
    return Effect.suspend(() => {
      const id = this.takeId()
      const frames = requestFrames(id, call)
      return Effect.map(
        Effect.all([this.expect(id), this.send(frames)], { concurrency: "unbounded" }),
        ([answer]) => answer
      )
    })
  }
}

/** A connection whose handshake is done. */
export const frameClient = Effect.fnUntraced(function*(address: Address) {
  const transport = yield* Transport
  const connection = yield* Effect.orDie(transport.dial(address))
  const client = new FrameClient(connection)
  yield* Effect.forkScoped(Effect.map(connection.closed, ({ message }) => client.end(message)))
  yield* client.send([
    encodeInit(FrameType.initRequest, 1, {
      version: 2,
      pairs: [["host_port", "0.0.0.0:0"], ["process_name", "frames"], ["tchannel_language", "node"]]
    })
  ])
  yield* Queue.take(client.others)
  return client
})
