/**
 * The share of the ledger that bodies take on their way from a connection through the engine to the disk. Every body is drawn once, when it arrives, and
 * given back once: when the engine did not want it, when it is durable, or when the run is over, whatever came of it.
 */
import type { Wait } from "@peerstrap/progress"
import type { ByteLedger } from "@peerstrap/transport"

/** Ledger account of bodies between a connection and the disk. */
export const bodyAccount = "bodies"

/** What `why` says while a body waits: how much is drawn of how much, as of now, and what changes that while the run goes on. */
export const bodyWait = ({ capacity, used }: Pick<ByteLedger, "capacity" | "used">, nowMillis: number): Wait => ({
  subject: "bodies",
  waitingFor: "memory for bodies that have come",
  cause: `${used} of ${capacity} bytes are in use, by bodies on their way to the disk and messages on their way in${
    used > capacity ? ": the limit was lowered, and more is read when enough has come back" : ""
  }`,
  peers: [],
  remedy: `look after the disk of the store, or raise the limit: peerstrap-chain set memory.bounded bytes ${
    Math.ceil(capacity / 2 ** 19)
  }MiB (at the next start --memory)`,
  sinceMillis: nowMillis
})

export class BodyMemory {
  private readonly ledger: ByteLedger
  private drawnBytes = 0
  private closed = false

  constructor(ledger: ByteLedger) {
    this.ledger = ledger
  }

  get drawn(): number {
    return this.drawnBytes
  }

  /** Whether a body of this size could ever be held, by the capacity as it is now. */
  fits(bytes: number): boolean {
    return bytes <= this.ledger.capacity
  }

  /** After `close` nothing is drawn any more: whoever brings a body then sees it dropped. */
  tryDraw(bytes: number): boolean {
    if (this.closed) return true
    if (!this.ledger.tryReserve(bodyAccount, bytes)) return false
    this.drawnBytes += bytes
    return true
  }

  giveBack(bytes: number): void {
    if (this.closed) return
    if (bytes > this.drawnBytes) {
      throw new RangeError(`bodies: ${bytes} bytes given back, ${this.drawnBytes} are drawn`)
    }
    this.drawnBytes -= bytes
    this.ledger.release(bodyAccount, bytes)
  }

  /** Gives back all that is drawn. Idempotent. */
  close(): void {
    this.giveBack(this.drawnBytes)
    this.closed = true
  }
}
