/**
 * The connections between the run and one replica under virtual time, as the real client uses them: at most three, one call each, others
 * wait in order; a dial costs two round trips; bytes take time on a pipe that all connections share; silence ends by the idle timer. Faults
 * of a connection (slow, cut, silent, a flipped bit) and of the machine (down, killed) are its own.
 */
import { type CallErrorReason, Limits } from "@peerstrap/m3db-wire"
import type { Random } from "@peerstrap/simulator"

export interface LinkPorts {
  readonly nowMillis: () => number
  readonly after: (millis: number, run: () => void) => void
  readonly random: Random
  readonly ours: OurPipe
}

/** Our own end, which all replicas share: what we can take in. */
export interface OurPipe {
  readonly bytesPerSecond: number
  freeAtMillis: number
}

export interface LinkShape {
  /** One way. */
  readonly latencyMillis: number
  /** Up to so much more. */
  readonly jitterMillis: number
  /** What the replica's machine can send, over all connections. */
  readonly bytesPerSecond: number
}

/** What is wrong with each connection. */
export interface LinkFaults {
  /** Each connection's output is paced. */
  readonly pacedBytesPerSecond?: number | undefined
  readonly cutAfterBytes?: number | undefined
  readonly silentAfterBytes?: number | undefined
  /** Somewhere in the first so many bytes of each connection one bit changes. */
  readonly flipWithinBytes?: number | undefined
  /** Largest frame; small ones cost more headers. */
  readonly frameBytes?: number | undefined
  /** What answers is no TChannel server. */
  readonly isHttp?: boolean | undefined
}

export interface LinkFailure {
  readonly reason: CallErrorReason
  readonly message: string
  readonly receivedBytes: number
}

/** What the replica sends for a call. */
export interface Reply {
  /** Of the whole answer. */
  readonly bytes: number
  /** ms until the first byte leaves. */
  readonly afterMillis: number
  /** What the client makes of it once all has come. */
  readonly settle: () => void
  /** The client drops the connection after it. */
  readonly ends?: boolean
  /** The machine dies when so many bytes have left. */
  readonly diesAfterBytes?: number | undefined
}

export interface LinkCall {
  /** Asked when the request has arrived; undefined: it is never answered. */
  readonly answer: () => Reply | undefined
  readonly failed: (failure: LinkFailure) => void
}

interface Connection {
  sentBytes: number
  freeAtMillis: number
  readonly flipAtBytes: number
}

interface Active {
  readonly call: LinkCall
  readonly beganMillis: number
  connection: Connection | undefined
  isOver: boolean
}

const handshakeBytes = 100
const frameOverheadBytes = 24
const connectionsForBulk = Limits.connectionsPerPeer - 1

export class SimulatedLink {
  isDown = false
  dials = 0
  private readonly ports: LinkPorts
  private readonly shape: LinkShape
  private readonly faults: LinkFaults
  private readonly waiting: Array<LinkCall> = []
  private readonly active = new Set<Active>()
  private readonly idle: Array<Connection> = []
  private pipeFreeAtMillis = 0

  constructor(ports: LinkPorts, shape: LinkShape, faults: LinkFaults = {}) {
    this.ports = ports
    this.shape = shape
    this.faults = faults
  }

  /** Begins a call, or lets it wait for a connection. What is returned gives it up: nothing of it is told any more. */
  call(call: LinkCall): () => void {
    this.waiting.push(call)
    this.startNext()
    return () => {
      const at = this.waiting.indexOf(call)
      if (at >= 0) this.waiting.splice(at, 1)
      for (const one of this.active) if (one.call === call) this.end(one, "close")
    }
  }

  /** The machine is gone: calls end, nobody can connect. */
  die(): void {
    this.isDown = true
    this.idle.length = 0
    for (const one of this.active) {
      this.later(one, this.shape.latencyMillis, () => this.fail(one, "closed", "the connection ended (reset)", 0))
    }
  }

  private startNext(): void {
    while (this.active.size < connectionsForBulk && this.waiting.length > 0) {
      const one: Active = {
        call: this.waiting.shift()!,
        beganMillis: this.ports.nowMillis(),
        connection: undefined,
        isOver: false
      }
      this.active.add(one)
      const connection = this.idle.pop()
      if (connection === undefined) this.dial(one)
      else this.send(one, connection)
    }
  }

  private later(one: Active, millis: number, run: () => void): void {
    this.ports.after(millis, () => {
      if (!one.isOver) run()
    })
  }

  private dial(one: Active): void {
    this.dials++
    const { latencyMillis } = this.shape
    const { cutAfterBytes, flipWithinBytes, isHttp, silentAfterBytes } = this.faults
    if (this.isDown) {
      return this.later(one, 2 * latencyMillis, () => this.fail(one, "unreachable", "refused: nobody listens", 0))
    }
    if (isHttp === true) {
      return this.later(one, 4 * latencyMillis, () => this.fail(one, "other-protocol", "not a TChannel server", 0))
    }
    if ((cutAfterBytes ?? Infinity) <= handshakeBytes) {
      return this.later(one, 4 * latencyMillis, () => this.fail(one, "closed", "the connection ended (eof)", 0))
    }
    if ((silentAfterBytes ?? Infinity) <= handshakeBytes) {
      const millis = 2 * latencyMillis + Limits.handshakeTimeoutMillis
      return this.later(one, millis, () => this.fail(one, "timeout", "no answer to the handshake", 0))
    }
    const flipAtBytes = flipWithinBytes === undefined
      ? Infinity
      : this.ports.random.int(handshakeBytes, handshakeBytes + flipWithinBytes)
    const connection = { sentBytes: handshakeBytes, freeAtMillis: 0, flipAtBytes }
    this.later(one, 4 * latencyMillis, () => this.send(one, connection))
  }

  private send(one: Active, connection: Connection): void {
    one.connection = connection
    const sentMillis = this.ports.nowMillis()
    this.later(one, this.shape.latencyMillis + this.ports.random.float() * this.shape.jitterMillis, () => {
      if (this.isDown) return this.fail(one, "closed", "the connection ended (reset)", 0)
      const reply = one.call.answer()
      const idleEnd = sentMillis + Limits.idleTimeoutMillis
      if (reply === undefined || this.ports.nowMillis() + reply.afterMillis >= idleEnd) {
        return this.later(one, idleEnd - this.ports.nowMillis(), () => this.timeOut(one, 0))
      }
      this.later(one, reply.afterMillis, () => this.transmit(one, connection, reply))
    })
  }

  private timeOut(one: Active, receivedBytes: number): void {
    this.fail(one, "timeout", `no byte of the answer for ${Limits.idleTimeoutMillis} ms`, receivedBytes)
  }

  /** Bytes on the wire with the headers of their frames. */
  private wireBytes(bytes: number): number {
    const { frameBytes = Limits.maxFrameBytes } = this.faults
    return bytes + frameOverheadBytes * Math.ceil(bytes / (frameBytes - frameOverheadBytes))
  }

  private transmit(one: Active, connection: Connection, reply: Reply): void {
    const now = this.ports.nowMillis()
    const { cutAfterBytes = Infinity, pacedBytesPerSecond = Infinity, silentAfterBytes = Infinity } = this.faults
    const wire = this.wireBytes(reply.bytes)
    const { ours } = this.ports
    const start = Math.max(now, connection.freeAtMillis, this.pipeFreeAtMillis, ours.freeAtMillis)
    const onPipe = (wire * 1000) / this.shape.bytesPerSecond
    const lasts = Math.max(onPipe, (wire * 1000) / pacedBytesPerSecond)
    this.pipeFreeAtMillis = Math.max(now, this.pipeFreeAtMillis) + onPipe
    ours.freeAtMillis = Math.max(now, ours.freeAtMillis) + (wire * 1000) / ours.bytesPerSecond
    connection.freeAtMillis = start + lasts
    const before = connection.sentBytes
    connection.sentBytes += wire
    const dies = before + (reply.diesAfterBytes ?? Infinity)
    const fault = Math.min(cutAfterBytes, silentAfterBytes, connection.flipAtBytes, dies)
    const arrived = Math.min(wire, fault - before)
    const came = start + lasts * arrived / wire + this.shape.latencyMillis
    const totalEnd = one.beganMillis + Limits.callTimeoutMillis
    if (came > totalEnd) {
      const message = `no complete answer in ${Limits.callTimeoutMillis} ms`
      return this.later(one, totalEnd - now, () => this.fail(one, "timeout", message, Math.floor(arrived / 2)))
    }
    this.later(one, came - now, () => {
      if (fault >= before + wire) return this.done(one, reply)
      if (fault === dies) return this.die()
      if (fault === cutAfterBytes) return this.fail(one, "closed", "the connection ended (eof)", arrived)
      // A flip in the size of a frame makes the client wait for what never comes; nearly everywhere else the checksum tells.
      const isSilent = fault === silentAfterBytes || this.ports.random.chance(frameOverheadBytes / 1000)
      if (!isSilent) return this.fail(one, "protocol", "wrong checksum in a frame", arrived)
      this.later(one, Math.min(Limits.idleTimeoutMillis, totalEnd - came), () => this.timeOut(one, arrived))
    })
  }

  private done(one: Active, reply: Reply): void {
    this.end(one, reply.ends === true ? "close" : "keep")
    reply.settle()
  }

  private fail(one: Active, reason: CallErrorReason, message: string, receivedBytes: number): void {
    this.end(one, "close")
    one.call.failed({ reason, message, receivedBytes })
  }

  private end(one: Active, then: "keep" | "close"): void {
    one.isOver = true
    this.active.delete(one)
    if (then === "keep" && one.connection !== undefined && !this.isDown) this.idle.push(one.connection)
    this.startNext()
  }
}
