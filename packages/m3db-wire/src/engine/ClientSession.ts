/**
 * The client's half of one TChannel connection as a plain state machine: bytes in, frames and outcomes out. No malformed
 * input throws: it ends the call or the connection with `protocol`.
 *
 *     handshake ──init res, version 2──► open ──fault, fatal error, end of the stream──► ended
 *         └──────────────── anything else, 5 s ─────────────────────────────────────────────┘
 */
import { encodeCallPieces } from "../codec/Call.ts"
import type { ChecksumType } from "../codec/Checksum.ts"
import { decodeError, encodeErrorFrame, ErrorCode } from "../codec/ErrorFrame.ts"
import { connectionErrorId, encodeFrame, frameHeaderBytes, FrameSplitter, FrameType } from "../codec/Frame.ts"
import { decodeInit, encodeInit, notListening, protocolVersion } from "../codec/Handshake.ts"
import { isWireFault, WireFault } from "../codec/WireFault.ts"
import { Limits } from "../contract/Limits.ts"
import { classifyErrorFrame, describeErrorFrame } from "./Classification.ts"
import { type CallFailure, callFailure, PendingCall, type PendingCallOptions } from "./PendingCall.ts"

/** What a client has seen so far; plain fields that only grow, but for `openConnections`. */
export interface ClientCounters {
  bytesIn: number
  bytesOut: number
  framesIn: number
  framesOut: number
  calls: number
  failedCalls: number
  dials: number
  openConnections: number
  /** Frames that came for calls that were over. */
  lateFrames: number
}

/** Counters of a connection, all zero. */
export const makeCounters = (): ClientCounters => ({
  bytesIn: 0,
  bytesOut: 0,
  framesIn: 0,
  framesOut: 0,
  calls: 0,
  failedCalls: 0,
  dials: 0,
  openConnections: 0,
  lateFrames: 0
})

/** How the session reaches the world. */
export interface SessionPorts {
  /** Queues frames, given in pieces; `written` is called when they have left. */
  readonly send: (pieces: ReadonlyArray<Uint8Array>, written: () => void) => void
  /** Milliseconds on a clock that never goes back. */
  readonly nowMillis: () => number
  readonly onOpen: () => void
  /** Called once. */
  readonly onEnd: (failure: CallFailure) => void
}

/** How a session introduces itself, and the checksum type of its requests. */
export interface SessionOptions {
  readonly processName: string
  readonly checksumType: ChecksumType
}

/** Bounds of one call and the deadline that its request tells the peer, in ms. */
export interface BeginOptions extends PendingCallOptions {
  readonly ttlMillis: number
}

const handshakeId = 1
const firstCallId = 2
/** Below the id that error frames use for the whole connection. */
const lastCallId = connectionErrorId - 1

/**
 * The client's half of one connection: feed it bytes and time, it sends frames through its ports and ends each call
 * exactly once.
 */
export class ClientSession {
  private readonly options: SessionOptions
  private readonly ports: SessionPorts
  private readonly counters: ClientCounters
  private readonly splitter: FrameSplitter
  private readonly calls = new Map<number, PendingCall>()
  private failure: CallFailure | undefined
  private opened = false
  private nextId = firstCallId
  private pendingPongs = 0
  private lateFrames = 0
  /** Bytes of the unfinished frame that its call has been credited with. */
  private creditedBytes = 0
  private declined = false

  constructor(options: SessionOptions, ports: SessionPorts, counters: ClientCounters) {
    this.options = options
    this.ports = ports
    this.counters = counters
    this.splitter = new FrameSplitter(
      (type, id, buffer, start, end) => this.frame(type, id, buffer, start, end),
      (size, type) => this.checkHead(size, type)
    )
  }

  /** Undefined until the session has ended. */
  get ended(): CallFailure | undefined {
    return this.failure
  }

  /** True when a further call may begin: open, ids left, and the peer has not declined. */
  get usable(): boolean {
    return this.opened && this.failure === undefined && !this.declined && this.nextId <= lastCallId
  }

  get outstanding(): number {
    return this.calls.size
  }

  /** Sends the init request. */
  start(): void {
    const pairs = [
      ["host_port", notListening],
      ["process_name", this.options.processName],
      ["tchannel_language", "node"]
    ] as const
    this.send([encodeInit(FrameType.initRequest, handshakeId, { version: protocolVersion, pairs })], 1)
  }

  /** Takes a chunk of the stream; false once the session has ended. */
  receive(chunk: Uint8Array): boolean {
    if (this.failure !== undefined) return false
    this.counters.bytesIn += chunk.length
    const fault = this.splitter.push(chunk)
    if (this.failure !== undefined) return false
    if (fault !== undefined) this.end(this.opened ? "protocol" : "other-protocol", fault.toString())
    else this.creditUnfinished()
    return fault === undefined
  }

  /** Begins a call. Ids count upwards and are never used twice on a connection. */
  begin(method: string, arg3: Uint8Array, options: BeginOptions): PendingCall {
    const id = this.nextId
    const call = new PendingCall(id, this.ports.nowMillis(), options)
    const { checksumType } = this.options
    const { frames, pieces } = encodeCallPieces({ id, method, arg3, ttlMillis: options.ttlMillis, checksumType })
    if (!this.usable) {
      call.settle(this.failure ?? callFailure("closed", "the connection takes no further calls"))
      return call
    }
    this.nextId++
    this.calls.set(id, call)
    this.send(pieces, frames, () => {
      call.lastByteMillis = Math.max(call.lastByteMillis, this.ports.nowMillis())
    })
    return call
  }

  /** Forgets a call; frames that still come for it are discarded. */
  abandon(call: PendingCall): void {
    this.calls.delete(call.id)
  }

  /** Ends the session; every waiting call gets the failure. Only the first end counts. */
  end(reason: CallFailure["reason"], message: string): void {
    if (this.failure !== undefined) return
    const failure = callFailure(reason, message.slice(0, Limits.maxMessageBytes))
    this.failure = failure
    const waiting = [...this.calls.values()]
    this.calls.clear()
    for (const call of waiting) call.settle(failure)
    this.ports.onEnd(failure)
  }

  /** The stream has ended. */
  streamEnded(message: string): void {
    const strange = !this.opened && this.splitter.pendingBytes > 0
    this.end(strange ? "other-protocol" : "closed", message)
  }

  private send(pieces: ReadonlyArray<Uint8Array>, frames: number, written: () => void = () => undefined): void {
    this.counters.framesOut += frames
    for (const piece of pieces) this.counters.bytesOut += piece.length
    this.ports.send(pieces, written)
  }

  private checkHead(size: number, type: number): WireFault | undefined {
    if (this.opened || (size >= frameHeaderBytes && (type === FrameType.initResponse || type === FrameType.error))) {
      return undefined
    }
    return new WireFault(`not a TChannel server: it begins with size ${size}, type ${type.toString(16)}`, 0)
  }

  private creditUnfinished(): void {
    const id = this.splitter.pendingId
    const call = id === undefined ? undefined : this.calls.get(id)
    if (call === undefined) return
    const fresh = this.splitter.pendingBytes - this.creditedBytes
    if (fresh > 0) call.credit(fresh, this.ports.nowMillis())
    this.creditedBytes = this.splitter.pendingBytes
  }

  private frame(type: number, id: number, buffer: Uint8Array, start: number, end: number): WireFault | undefined {
    this.counters.framesIn++
    const credited = this.creditedBytes
    this.creditedBytes = 0
    if (this.failure !== undefined) return new WireFault("the session has ended", start)
    if (type === FrameType.error) return this.errorFrame(id, buffer, start, end, credited)
    if (!this.opened) return this.initResponse(id, buffer, start, end)
    switch (type) {
      case FrameType.callResponse:
      case FrameType.callResponseContinue: {
        const call = this.calls.get(id)
        if (call === undefined) return this.lateFrame(id, start)
        call.credit(end - start + frameHeaderBytes - credited, this.ports.nowMillis())
        if (this.calls.has(id)) this.answerFrame(call, type, buffer, start, end)
        return undefined
      }
      case FrameType.pingRequest:
        return this.reply(encodeFrame(FrameType.pingResponse, id), start)
      case FrameType.callRequest:
        return this.reply(
          encodeErrorFrame(id, ErrorCode.badRequest, "this side of the connection serves no calls"),
          start
        )
      case FrameType.callRequestContinue:
      case FrameType.pingResponse:
      case FrameType.cancel:
      case FrameType.claim:
        return undefined
      default:
        return new WireFault(`frame of type ${type.toString(16)} after the handshake`, start)
    }
  }

  private initResponse(id: number, buffer: Uint8Array, start: number, end: number): WireFault | undefined {
    const version = end - start < 2 ? -1 : (buffer[start]! << 8) | buffer[start + 1]!
    if (version !== protocolVersion) {
      return new WireFault(`TChannel version ${version}, wanted ${protocolVersion}`, start)
    }
    const init = decodeInit(buffer, start, end)
    if (isWireFault(init) || id !== handshakeId) {
      this.end("protocol", isWireFault(init) ? init.toString() : `init response has id ${id}, wanted ${handshakeId}`)
      return undefined
    }
    this.opened = true
    this.ports.onOpen()
    return undefined
  }

  private answerFrame(call: PendingCall, type: number, buffer: Uint8Array, start: number, end: number): void {
    const progress = call.reader.push(type, buffer, start, end)
    if (progress === "more") return
    this.calls.delete(call.id)
    if (progress === "done") {
      const { head } = call.reader
      call.settle({ _tag: "answer", code: head?.kind === "response" ? head.code : -1, arg3: call.reader.arg3 })
    } else call.settle(callFailure(progress.kind === "too-large" ? "too-large" : "protocol", progress.toString()))
  }

  private lateFrame(id: number, start: number): WireFault | undefined {
    if (id >= this.nextId || id < firstCallId) return new WireFault(`answer to call ${id}, which was never made`, start)
    this.counters.lateFrames++
    return ++this.lateFrames > Limits.maxLateFrames
      ? new WireFault(`more than ${Limits.maxLateFrames} frames for calls that are over`, start)
      : undefined
  }

  private errorFrame(
    id: number,
    buffer: Uint8Array,
    start: number,
    end: number,
    credited: number
  ): WireFault | undefined {
    const error = decodeError(buffer, start, end)
    if (isWireFault(error)) return error
    const reason = classifyErrorFrame(error)
    const message = describeErrorFrame(error)
    const call = this.calls.get(id)
    if (error.code === ErrorCode.declined) this.declined = true
    if (!this.opened || error.code === ErrorCode.fatal || id === connectionErrorId) this.end(reason, message)
    else if (call === undefined) return this.lateFrame(id, start)
    else {
      this.calls.delete(id)
      call.credit(end - start + frameHeaderBytes - credited, this.ports.nowMillis())
      call.settle(callFailure(reason, message))
    }
    return undefined
  }

  private reply(frame: Uint8Array, start: number): WireFault | undefined {
    if (this.pendingPongs >= Limits.maxPendingPongs) {
      return new WireFault("pings or calls faster than replies leave", start)
    }
    this.pendingPongs++
    this.send([frame], 1, () => {
      this.pendingPongs--
    })
    return undefined
  }
}
