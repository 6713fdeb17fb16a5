/**
 * One connection from its first byte on, without I/O: the handshake, then frames in and sealed frames out, with pauses between any two
 * frames. The adapter around it owns the socket and the clock.
 *
 *     handshake ──established──► open ◄──resume / memory── paused
 *         └── any other outcome ──► ended ◄── fault, `end` ──┘
 */
import { type ByteLedger, copyBytes } from "@peerstrap/transport"
import type { SessionFault } from "../contract/Session.ts"
import type { ChunkStream } from "./ChunkStream.ts"
import type { ChunkWriter } from "./ChunkWriter.ts"
import { FrameReader } from "./FrameReader.ts"
import { Handshake, type HandshakeOutcome, type HandshakeSetup } from "./Handshake.ts"

/** How the session reaches the world. All are called synchronously. */
export interface WirePorts {
  /** Bytes of the handshake to be written, in order. */
  readonly send: (bytes: Uint8Array) => void
  /** Called once. After `established`, frames wait for `receive`. */
  readonly onHandshake: (outcome: HandshakeOutcome) => void
  /** The peer's bytes are wrong, or a frame exceeds all memory there is. Called once; nothing is read after it. */
  readonly onFault: (fault: SessionFault) => void
}

const nothing = new Uint8Array(0)

/** One connection without I/O: feed it bytes, it hands on frames and says what to send. */
export class WireSession {
  readonly handshake: Handshake
  bytesIn = 0
  framesOut = 0
  private readonly ports: WirePorts
  private readonly frames: FrameReader
  private consumer: ((body: Uint8Array) => boolean) | undefined
  private chunks: ChunkStream | undefined
  private writer: ChunkWriter | undefined
  /** How far the plaintext of the current chunk has been read. */
  private plaintextAt = 0
  /** Encrypted bytes that came before a pause and are still to be taken; copies. */
  private held: Array<Uint8Array> = []
  private paused = false
  private starved = false
  private running = false
  private resumedWhileRunning = false
  private over = false
  /** After our Nack: what still comes is read and thrown away, so that closing does not reset the connection. */
  private draining = false

  constructor(setup: HandshakeSetup, ports: WirePorts, ledger?: ByteLedger) {
    this.ports = ports
    this.handshake = new Handshake(setup, ports.send)
    this.frames = new FrameReader((body) => this.deliver(body), ledger)
  }

  /** Whether the ledger has refused memory for the next frame: call `retry` when some may be free. */
  get waitsForMemory(): boolean {
    return this.starved && !this.over
  }

  get framesIn(): number {
    return this.frames.frames
  }

  get framesInsideChunks(): number {
    return this.frames.framesInsideChunks
  }

  /** Whether the stream would end in the middle of a handshake, a chunk or a frame, if it ended now. */
  get midway(): boolean {
    return this.chunks === undefined || this.chunks.midChunk || this.frames.midFrame || this.held.length > 0
  }

  /** Sends our connection message. */
  start(): void {
    this.handshake.start()
  }

  /** Takes a chunk of the connection, valid during the call only; false: read no more until `resume` or `retry` says true. */
  push(bytes: Uint8Array): boolean {
    if (this.over) return this.draining
    this.bytesIn += bytes.length
    let at = 0
    if (this.chunks === undefined) {
      at = this.handshake.push(bytes, 0)
      this.shaken()
    }
    return this.run(bytes, at)
  }

  /** Installs the consumer of frames and delivers what waits; returns whether to read on. A second call throws. */
  receive(consumer: (body: Uint8Array) => boolean): boolean {
    if (this.consumer !== undefined) throw new Error("Session.receive: a consumer is already installed")
    this.consumer = consumer
    return this.run()
  }

  /** Ends the consumer's pause; returns whether to read on. Within the consumer it takes back the pause that the call may ask for. */
  resume(): boolean {
    if (this.running) {
      this.resumedWhileRunning = true
      return false
    }
    this.paused = false
    return this.run()
  }

  /** Tries again to get memory for the next frame; returns whether to read on. */
  retry(): boolean {
    return this.run()
  }

  /** The chunks of these frames, which must be written in the order of the calls. */
  seal(bodies: ReadonlyArray<Uint8Array>): Uint8Array {
    if (this.writer === undefined) throw new Error("WireSession.seal: the handshake is not over")
    const sealed = this.writer.sealFrames(bodies)
    this.framesOut += bodies.length
    return sealed
  }

  /** Nothing is delivered after this. Gives back what an unfinished frame has drawn. Idempotent. */
  end(): void {
    this.over = true
    this.held = []
    this.frames.dispose()
  }

  private shaken(): void {
    const outcome = this.handshake.outcome
    if (outcome === undefined) return
    if (outcome.kind === "established") {
      this.chunks = outcome.chunks
      this.writer = outcome.writer
    } else {
      this.draining = outcome.kind === "refused"
      this.end()
    }
    this.ports.onHandshake(outcome)
  }

  /** Reads what is held, then `bytes` from `at` on, as far as nothing stops it; the rest is held. */
  private run(bytes?: Uint8Array, at = 0): boolean {
    if (this.over) return this.draining
    if (bytes !== undefined && at < bytes.length && (this.running || this.stopped || this.held.length > 0)) {
      this.held.push(copyBytes(bytes, at))
      return this.running ? this.wants : this.run()
    }
    if (this.running) return false
    this.running = true
    try {
      this.readHeld()
      if (bytes !== undefined) {
        const next = this.read(bytes, at)
        if (next < bytes.length && !this.over) this.held.push(copyBytes(bytes, next))
      }
    } finally {
      this.running = false
    }
    return this.wants
  }

  /** Whether to read on from the connection. Until a consumer is there, up to the first bytes for it, so that an end is noticed. */
  private get wants(): boolean {
    return !this.over && !this.paused && !this.starved && (this.consumer !== undefined || this.held.length === 0)
  }

  private get stopped(): boolean {
    return this.over || this.paused || this.starved || (this.chunks !== undefined && this.consumer === undefined)
  }

  private readHeld(): void {
    if (this.chunks === undefined) return
    this.starved = false
    this.read(nothing, 0)
    while (this.held.length > 0 && !this.stopped) {
      const first = this.held[0]!
      const next = this.read(first, 0)
      if (this.over) return
      if (next < first.length) this.held[0] = first.subarray(next)
      else this.held.shift()
    }
  }

  /** Alternates between the frames of the opened chunk and the next chunk; returns how far it came in `bytes`. */
  private read(bytes: Uint8Array, from: number): number {
    let at = from
    while (!this.stopped) {
      const chunks = this.chunks
      if (chunks === undefined) return at
      if (chunks.plaintext !== undefined) {
        this.readPlaintext(chunks, chunks.plaintext)
        continue
      }
      if (at >= bytes.length) return at
      at = chunks.take(bytes, at)
      if (chunks.fault !== undefined) this.failed(chunks.fault)
      this.plaintextAt = 0
    }
    return at
  }

  private readPlaintext(chunks: ChunkStream, plaintext: Uint8Array): void {
    this.plaintextAt = this.frames.push(plaintext, this.plaintextAt)
    if (this.over) return
    const { fault, stopped } = this.frames
    if (fault !== undefined) {
      const chunk = chunks.opened - 1
      this.failed({ ...fault, chunk, offset: chunks.lastOffset, message: `chunk ${chunk}: ${fault.message}` })
      return
    }
    this.starved = stopped === "memory"
    this.paused = stopped === "consumer"
    if (this.plaintextAt === plaintext.length) chunks.plaintext = undefined
  }

  private deliver(body: Uint8Array): boolean {
    this.resumedWhileRunning = false
    const more = this.consumer!(body) || this.resumedWhileRunning
    return more && !this.over
  }

  private failed(fault: SessionFault): void {
    this.end()
    this.ports.onFault(fault)
  }
}
