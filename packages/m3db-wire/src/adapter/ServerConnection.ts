/**
 * One accepted connection of the node server: handshake, frames, reassembly of requests, and the fibers that answer them. Reacts to
 * broken input as a Go node does (specs: peer streaming 1.3, 1.7, 11.1): some faults are fatal, some get an error frame, some
 * nothing at all. Whatever a peer sends, the process lives on.
 *
 *     bytes ─► FrameSplitter ─► MessageReader of the id ─► fiber: dispatch ─► frames, a megabyte at a time
 */
import type { Connection } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberSet from "effect/FiberSet"
import { encodeCallResponse } from "../codec/Call.ts"
import { encodeErrorFrame, ErrorCode } from "../codec/ErrorFrame.ts"
import { connectionErrorId, encodeFrame, FrameSplitter, FrameType } from "../codec/Frame.ts"
import { decodeInit, encodeInit, protocolVersion } from "../codec/Handshake.ts"
import { MessageReader } from "../codec/Message.ts"
import { WireFault } from "../codec/WireFault.ts"
import { Limits } from "../contract/Limits.ts"
import type { CallOutcome, ServerCall } from "./ServerCall.ts"
import { type ServerConfig, startCall } from "./ServerDispatch.ts"

/** A message that is being read. */
interface OpenRequest {
  readonly reader: MessageReader
  bytes: number
}

/** Timers of the platform count in 31 bits. */
const maxTimerMillis = 2 ** 31 - 1

type RunFork = (effect: Effect.Effect<void>) => unknown

class ServerConnection {
  private readonly config: ServerConfig
  private readonly connection: Connection
  private readonly number: number
  private readonly runFork: RunFork
  private readonly splitter: FrameSplitter
  private readonly reading = new Map<number, OpenRequest>()
  /** Ids whose call has not been answered yet: using one again is a fatal error. */
  private readonly answering = new Set<number>()
  private openRequestBytes = 0
  private activeCalls = 0
  private pendingReplies = 0
  private closing = false
  ready = false

  constructor(config: ServerConfig, connection: Connection, number: number, runFork: RunFork) {
    this.config = config
    this.connection = connection
    this.number = number
    this.runFork = runFork
    this.splitter = new FrameSplitter((type, id, buffer, start, end) => this.frame(type, id, buffer, start, end))
  }

  consume(chunk: Uint8Array): boolean {
    this.config.observe({ kind: "received", connection: this.number, bytes: chunk.length })
    if (this.closing) return true
    const fault = this.splitter.push(chunk)
    if (fault !== undefined && !this.closing) this.fatal(connectionErrorId, fault.message)
    return true
  }

  private reject(id: number, message: string): void {
    this.config.observe({ kind: "rejected", connection: this.number, id, message })
  }

  /** Error frame FF, then the end of the connection, as a Go node does. */
  fatal(id: number, message: string): void {
    this.reject(id, message)
    this.closing = true
    this.runFork(
      this.connection.write([encodeErrorFrame(id, ErrorCode.fatal, message)]).pipe(
        Effect.ignore,
        Effect.andThen(Effect.sync(() => this.connection.close(message)))
      )
    )
  }

  /** A small frame outside of any answer. A peer that does not read them cannot pile them up without end. */
  private reply(frame: Uint8Array): void {
    if (++this.pendingReplies > this.config.limits.maxPendingReplies) {
      this.closing = true
      this.connection.close("the peer does not read what it asked for")
      return
    }
    this.runFork(
      this.connection.write([frame]).pipe(
        Effect.ignore,
        Effect.andThen(Effect.sync(() => void this.pendingReplies--))
      )
    )
  }

  private refuse(id: number, code: number, message: string): void {
    this.reject(id, message)
    this.reply(encodeErrorFrame(id, code, message))
  }

  private frame(type: number, id: number, buffer: Uint8Array, start: number, end: number): WireFault | undefined {
    if (!this.ready) return this.handshake(type, id, buffer, start, end)
    switch (type) {
      case FrameType.pingRequest:
        this.reply(encodeFrame(FrameType.pingResponse, id))
        return undefined
      case FrameType.callRequest:
      case FrameType.callRequestContinue:
        return this.callFrame(type, id, buffer, start, end)
      case FrameType.error:
        this.closing = true
        this.connection.close("the peer sent an error frame")
        return new WireFault("error frame from the peer", start)
      default:
        // Cancel and anything unknown: the library that real nodes use logs a line and goes on.
        this.reject(id, `unexpected frame type ${type.toString(16)}`)
        return undefined
    }
  }

  private handshake(type: number, id: number, buffer: Uint8Array, start: number, end: number): WireFault | undefined {
    const init = type === FrameType.initRequest
      ? decodeInit(buffer, start, end)
      : new WireFault(`frame type ${type.toString(16)} before the init request`, start)
    const fault = init instanceof WireFault
      ? init
      : init.version < protocolVersion
      ? new WireFault(`unsupported version ${init.version}, at least ${protocolVersion} is wanted`, start)
      : undefined
    if (fault !== undefined) {
      this.fatal(id, fault.message)
      return fault
    }
    this.ready = true
    this.reply(encodeInit(FrameType.initResponse, id, {
      version: protocolVersion,
      pairs: [["host_port", this.config.hostPort()], ["process_name", this.config.processName]]
    }))
    return undefined
  }

  private callFrame(type: number, id: number, buffer: Uint8Array, start: number, end: number): WireFault | undefined {
    if (type === FrameType.callRequest) {
      if (this.reading.has(id) || this.answering.has(id)) {
        this.fatal(id, `message id ${id} is already in use`)
        return new WireFault("duplicate message id", start)
      }
      const { maxCallsPerConnection, maxRequestBytes } = this.config.limits
      if (this.activeCalls + this.reading.size >= maxCallsPerConnection) {
        this.refuse(id, ErrorCode.busy, `${maxCallsPerConnection} calls are open on this connection`)
        return undefined
      }
      this.reading.set(id, { reader: new MessageReader("request", { maxBytes: maxRequestBytes }), bytes: 0 })
    }
    // A continuation of a call that was refused or has failed is dropped.
    const open = this.reading.get(id)
    if (open !== undefined) this.feed(open, type, id, buffer, start, end)
    return undefined
  }

  private feed(open: OpenRequest, type: number, id: number, buffer: Uint8Array, start: number, end: number): void {
    const { maxOpenRequestBytes, maxRequestBytes } = this.config.limits
    open.bytes += end - start
    this.openRequestBytes += end - start
    const progress = open.reader.push(type, buffer, start, end)
    if (progress === "more" && this.openRequestBytes <= maxOpenRequestBytes) return
    this.reading.delete(id)
    if (progress === "done") return this.begin(id, open)
    this.openRequestBytes -= open.bytes
    if (progress === "more") {
      this.refuse(id, ErrorCode.busy, `more than ${maxOpenRequestBytes} bytes of open requests`)
    } else if (open.bytes > maxRequestBytes) {
      this.refuse(id, ErrorCode.badRequest, `request above ${maxRequestBytes} bytes: ask for fewer blocks`)
    } else this.reject(id, progress.message) // A Go node answers nothing to a wrong checksum or a broken frame.
  }

  private begin(id: number, open: OpenRequest): void {
    const started = startCall(this.config, this.number, id, open.reader)
    if (started.kind !== "call") {
      this.openRequestBytes -= open.bytes
      return started.kind === "silence"
        ? this.reject(id, started.message)
        : this.refuse(id, started.code, started.message)
    }
    const { call, answer } = started
    this.answering.add(id)
    this.activeCalls++
    this.config.observe({ kind: "call", call })
    let bytes = 0
    const ended = Effect.sync(() => {
      this.answering.delete(id)
      this.activeCalls--
      this.openRequestBytes -= open.bytes
      this.config.observe({ kind: "answered", call, bytes })
    })
    const respond = Effect.flatMap(answer, (outcome) => {
      // The caller may use the id again as soon as it has the last byte.
      this.answering.delete(id)
      this.config.observe({ kind: "outcome", call, outcome })
      return this.send(call, outcome, (sent) => {
        bytes += sent
      })
    })
    // After its TTL nobody waits for the answer: the work stops, and nothing more is sent, as on the Go side.
    this.runFork(
      respond.pipe(
        Effect.timeoutOption(Math.min(call.ttlMillis, maxTimerMillis)),
        Effect.ensuring(ended),
        Effect.asVoid
      )
    )
  }

  private send(call: ServerCall, outcome: CallOutcome, onSent: (bytes: number) => void): Effect.Effect<void> {
    if (outcome.kind === "silence") return Effect.void
    const { connection } = this
    const { held, limits } = this.config
    const answerBytes = outcome.kind === "result" ? outcome.arg3.length : 0
    // Answers of one frame pass, and so does one large answer alone: else it could never be sent.
    const large = answerBytes > Limits.maxFrameBytes && held.bytes > 0
    if (large && held.bytes + answerBytes > limits.maxHeldAnswerBytes) {
      const message = `${held.bytes} bytes of answers wait for their readers; ask again later`
      return this.send(call, { kind: "error-frame", code: ErrorCode.busy, message }, onSent)
    }
    held.bytes += answerBytes
    return Effect.gen(function*() {
      const frames = framesOf(call, outcome)
      const { framesPerWrite } = limits
      for (let at = 0; at < frames.length; at += framesPerWrite) {
        const batch = frames.slice(at, at + framesPerWrite)
        yield* connection.write(batch)
        onSent(batch.reduce((sum, frame) => sum + frame.length, 0))
      }
      const fatal = outcome.kind === "error-frame" && outcome.code === ErrorCode.fatal
      if (fatal || (outcome.kind === "frames" && outcome.close)) connection.close("closed after an answer")
    }).pipe(
      Effect.ignore,
      Effect.ensuring(Effect.sync(() => {
        held.bytes -= answerBytes
      }))
    )
  }
}

const framesOf = (call: ServerCall, outcome: Exclude<CallOutcome, { kind: "silence" }>): ReadonlyArray<Uint8Array> => {
  if (outcome.kind === "frames") return outcome.frames
  if (outcome.kind === "error-frame") return [encodeErrorFrame(call.id, outcome.code, outcome.message)]
  return answerFrames(call, outcome.code, outcome.arg3)
}

/** The frames of an answer to `call`: its checksum type and its `as` header come back. */
export const answerFrames = (
  call: ServerCall,
  code: 0 | 1,
  arg3: Uint8Array,
  maxFrameBytes?: number
): Array<Uint8Array> =>
  encodeCallResponse({
    id: call.id,
    code,
    arg3,
    checksumType: call.checksumType,
    headers: [["as", call.headers.find(([key]) => key === "as")?.[1] ?? ""]]
  }, maxFrameBytes)

/** Serves one connection until it ends. Never fails; ends its calls with it. */
export const serveConnection = (config: ServerConfig, connection: Connection, number: number): Effect.Effect<void> =>
  Effect.gen(function*() {
    const runFork = yield* FiberSet.makeRuntime()
    const server = new ServerConnection(config, connection, number, runFork)
    config.observe({ kind: "opened", connection: number, remote: connection.remote })
    connection.receive((chunk) => server.consume(chunk))
    const handshakeEnds = Effect.sleep(config.limits.handshakeTimeoutMillis).pipe(
      Effect.andThen(Effect.sync(() => server.ready || connection.close("no init request in time")))
    )
    yield* Effect.forkScoped(handshakeEnds)
    return yield* connection.closed
  }).pipe(
    Effect.scoped,
    Effect.onExit((exit) =>
      Effect.sync(() => {
        const message = Exit.isSuccess(exit) ? exit.value.message : "the server stopped"
        config.observe({ kind: "closed", connection: number, message })
      })
    ),
    Effect.asVoid
  )
