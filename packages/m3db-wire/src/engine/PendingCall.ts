/** A call that waits for its answer on one connection. */
import { MessageReader } from "../codec/Message.ts"
import type { CallErrorReason } from "../contract/NodeClient.ts"

/** A call that ended without an answer. */
export interface CallFailure {
  readonly _tag: "failure"
  readonly reason: CallErrorReason
  readonly message: string
}

/** A call's answer, whole and verified by its checksum. */
export interface CallAnswer {
  readonly _tag: "answer"
  /** 0: the result holds a value, 1: it holds a declared exception. */
  readonly code: number
  readonly arg3: Uint8Array
}

export type CallOutcome = CallAnswer | CallFailure

/** Makes a `CallFailure`. */
export const callFailure = (reason: CallErrorReason, message: string): CallFailure => ({
  _tag: "failure",
  reason,
  message
})

/** Bounds of one call's answer, in bytes, and who hears of its bytes as they arrive. */
export interface PendingCallOptions {
  readonly maxAnswerBytes: number
  readonly capacityHint: number
  /** Where the answer is gathered: at least `maxAnswerBytes` bytes. Absent: memory of its own. */
  readonly into?: Uint8Array | undefined
  readonly onBytes?: ((bytes: number) => void) | undefined
}

/** One call on a connection that has no whole answer yet. */
export class PendingCall {
  readonly id: number
  readonly reader: MessageReader
  /** Bytes of frames of this call, headers included, unfinished frames, too. */
  receivedBytes = 0
  /** When the last of them came, on the session's clock; when it began, as long as none has come. */
  lastByteMillis: number
  private readonly onBytes: ((bytes: number) => void) | undefined
  private listener: ((outcome: CallOutcome) => void) | undefined
  private settled: CallOutcome | undefined

  constructor(id: number, nowMillis: number, options: PendingCallOptions) {
    const { capacityHint, into, maxAnswerBytes, onBytes } = options
    this.id = id
    this.lastByteMillis = nowMillis
    this.reader = new MessageReader("response", { maxBytes: maxAnswerBytes, capacityHint, into })
    this.onBytes = onBytes
  }

  /** Undefined while it waits. */
  get outcome(): CallOutcome | undefined {
    return this.settled
  }

  /** Installs the one listener; it is called at once when the call is already over. */
  listen(listener: (outcome: CallOutcome) => void): void {
    if (this.settled !== undefined) listener(this.settled)
    else this.listener = listener
  }

  credit(bytes: number, nowMillis: number): void {
    this.receivedBytes += bytes
    this.lastByteMillis = nowMillis
    this.onBytes?.(bytes)
  }

  /** The first outcome counts. */
  settle(outcome: CallOutcome): void {
    if (this.settled !== undefined) return
    this.settled = outcome
    const { listener } = this
    this.listener = undefined
    listener?.(outcome)
  }
}
