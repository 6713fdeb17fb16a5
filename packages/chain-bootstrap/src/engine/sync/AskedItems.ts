/**
 * What was asked of one peer and not yet answered: request counters by item, timers, and the items it is not asked again for
 * (mission 003, handling timeouts; specs: chain bootstrap R110–R116, A23, A30). Silence costs the peer nothing.
 */
import { ChainLimits } from "../../contract/ChainLimits.ts"

/** How an answer relates to what was asked. Only `never` is a fault: late and repeated answers are not (A23). */
export type AnswerStanding = "pending" | "late" | "never"

interface Sent {
  readonly message: { left: number }
  deadlineMillis: number
  /** Not wanted any more, or not from this peer: its answer may still come, so it is not asked of the peer again before the deadline. */
  dropped: boolean
}

export interface ItemTimers {
  readonly firstMillis: number
  readonly longestMillis: number
  readonly doNotAskAfter: number
  readonly doNotAskMillis: number
}

export class AskedItems {
  private readonly timers: ItemTimers
  private readonly sent = new Map<string, Sent>()
  private readonly counts = new Map<string, number>()
  private readonly refused = new Map<string, number>()
  /** Every item ever asked, oldest first, so that a late answer is told from an unasked one. */
  private readonly history = new Set<string>()
  private messagesOut = 0
  private droppedItems = 0
  private failuresInRow = 0
  private restUntil = 0
  private earliest = Infinity

  constructor(timers: ItemTimers) {
    this.timers = timers
  }

  get messages(): number {
    return this.messagesOut
  }

  get pending(): number {
    return this.sent.size - this.droppedItems
  }

  get doNotAsk(): number {
    return this.refused.size
  }

  /** Earliest deadline, or Infinity. May be earlier than the truth, never later. */
  get deadlineMillis(): number {
    return this.earliest
  }

  /** Nothing more is asked before: the peer left requests unanswered, and answered none since. No fault; the work goes to others. */
  get restUntilMillis(): number {
    return this.restUntil
  }

  /** Requests timed out: the next ones wait longer each time, until the peer answers. */
  rest(nowMillis: number): void {
    if (nowMillis < this.restUntil) return
    this.restUntil = nowMillis +
      Math.min(ChainLimits.restLongestMillis, ChainLimits.restMillis * 2 ** this.failuresInRow++)
  }

  isPending(key: string): boolean {
    return this.sent.has(key)
  }

  /** Whether this peer was ever asked for the item and has neither answered nor been given up. */
  wasAsked(key: string): boolean {
    return this.history.has(key)
  }

  /** Whether the peer has answered: asked and, as far as is remembered, neither waited for nor counted as unanswered. */
  hasAnswered(key: string): boolean {
    return this.history.has(key) && !this.sent.has(key) && !this.counts.has(key) && !this.refused.has(key)
  }

  isRefused(key: string, nowMillis: number): boolean {
    const until = this.refused.get(key)
    if (until === undefined) return false
    if (until > nowMillis) return true
    this.refused.delete(key)
    this.counts.delete(key)
    return false
  }

  mayAsk(key: string, nowMillis: number): boolean {
    return !this.sent.has(key) && !this.isRefused(key, nowMillis)
  }

  /** Records one message for these items; each item's counter rises by one, here and nowhere else (A30). */
  ask(keys: ReadonlyArray<string>, nowMillis: number): void {
    const message = { left: keys.length }
    this.messagesOut++
    for (const key of keys) {
      const count = (this.counts.get(key) ?? 0) + 1
      this.counts.set(key, count)
      const wait = Math.min(this.timers.longestMillis, this.timers.firstMillis * 1.5 ** (count - 1))
      const deadlineMillis = nowMillis + Math.ceil(wait)
      this.sent.set(key, { message, deadlineMillis, dropped: false })
      this.earliest = Math.min(this.earliest, deadlineMillis)
      this.remember(key)
    }
  }

  answered(key: string): AnswerStanding {
    const sent = this.sent.get(key)
    if (sent === undefined) return this.history.has(key) ? "late" : "never"
    this.release(key, sent)
    this.counts.delete(key)
    this.failuresInRow = 0
    this.restUntil = 0
    return "pending"
  }

  /** Gives an item up, because it is not wanted any more; an answer to it still counts as asked. */
  drop(key: string): void {
    const sent = this.sent.get(key)
    if (sent === undefined || sent.dropped) return
    sent.dropped = true
    this.droppedItems++
    if (--sent.message.left === 0) this.messagesOut--
  }

  /** Waits again for the answer to an item that was given up. False: nothing of it is under way. */
  retake(key: string): boolean {
    const sent = this.sent.get(key)
    if (sent?.dropped === true) {
      sent.dropped = false
      this.droppedItems--
      if (sent.message.left++ === 0) this.messagesOut++
    }
    return sent !== undefined
  }

  /** Marks an item as not to be asked for a while. */
  refuse(key: string, nowMillis: number): void {
    this.refused.set(key, nowMillis + this.timers.doNotAskMillis)
    this.counts.delete(key)
  }

  /** A new branch gives every item another chance (A31). */
  clearRefused(): void {
    this.refused.clear()
  }

  /** Items whose time is over; those at the limit are refused from now on. */
  expire(nowMillis: number, out: Array<string>): void {
    if (nowMillis < this.earliest) return
    this.earliest = Infinity
    for (const [key, sent] of this.sent) {
      if (sent.deadlineMillis > nowMillis) {
        this.earliest = Math.min(this.earliest, sent.deadlineMillis)
        continue
      }
      this.release(key, sent)
      if ((this.counts.get(key) ?? 0) >= this.timers.doNotAskAfter) this.refuse(key, nowMillis)
      if (!sent.dropped) out.push(key)
    }
  }

  /** Every deadline moves by so much. */
  postpone(millis: number): void {
    for (const sent of this.sent.values()) sent.deadlineMillis += millis
    this.earliest += millis
  }

  /** All items under way, for when the peer leaves. */
  pendingKeys(): ReadonlyArray<string> {
    return [...this.sent.keys()].filter((key) => this.sent.get(key)?.dropped === false)
  }

  private release(key: string, sent: Sent): void {
    this.sent.delete(key)
    if (sent.dropped) this.droppedItems--
    else if (--sent.message.left === 0) this.messagesOut--
  }

  private remember(key: string): void {
    this.history.delete(key)
    this.history.add(key)
    if (this.history.size <= ChainLimits.askedHistory) return
    for (const oldest of this.history) {
      if (this.sent.has(oldest)) continue
      this.history.delete(oldest)
      this.counts.delete(oldest)
      return
    }
  }
}
