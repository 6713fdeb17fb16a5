/**
 * A seeded discrete-event scheduler: virtual time jumps from event to event. Events of the same instant run in an order shuffled
 * by the seed, so that many seeds try many interleavings; the same seed gives the same run, which the hash of the events proves.
 *
 * ```
 *   at / after ─► heap by time ─► batch: all events of the earliest instant ─► shuffled ─► run one by one
 *                    ▲                                                                      │
 *                    └──────────── events that these add (same instant: next batch) ◄───────┘
 * ```
 */
import { Limits } from "../contract/Limits.ts"
import { EventQueue, type QueuedEvent } from "./EventQueue.ts"
import type { Random } from "./Random.ts"

/** A scheduled event that may be taken back. */
export interface EventHandle {
  cancel(): void
}

/** What an event is called, and what it must not overtake. */
export interface EventOptions {
  /** Goes into the hash and the trace. */
  readonly label?: string
  /** Events of one chain keep their order among themselves when an instant is shuffled. */
  readonly chain?: number
}

/** The chance and the bounds of a scheduler. */
export interface SchedulerOptions {
  readonly random: Random
  /** Shuffle events of the same instant. Default true; false runs them in the order in which they were added. */
  readonly shuffle?: boolean
  /** Default `Limits.maxEvents`; one more throws. */
  readonly maxEvents?: number
  /** Called with every event before it runs. */
  readonly onEvent?: (atMillis: number, label: string) => void
}

/** Why a run stopped. */
export type RunOutcome = "idle" | "time" | "condition"

/** Runs events in virtual time, ms. */
export class Scheduler {
  private readonly random: Random
  private readonly shuffled: boolean
  private readonly maxEvents: number
  private readonly onEvent: ((atMillis: number, label: string) => void) | undefined
  private readonly queue = new EventQueue()
  private batch: Array<QueuedEvent> = []
  private batchNext = 0
  private nowMillis = 0
  private sequence = 0
  private eventCount = 0
  private cancelled = 0
  private hashHigh = 0xdeadbeef
  private hashLow = 0x41c6ce57

  constructor(options: SchedulerOptions) {
    this.random = options.random.fork("scheduler")
    this.shuffled = options.shuffle ?? true
    this.maxEvents = options.maxEvents ?? Limits.maxEvents
    this.onEvent = options.onEvent
  }

  /** Virtual time in milliseconds from the start; fractions are allowed. */
  get now(): number {
    return this.nowMillis
  }

  /** Events run so far. */
  get events(): number {
    return this.eventCount
  }

  /** Events that wait. */
  get pending(): number {
    return this.queue.size + this.batch.length - this.batchNext - this.cancelled
  }

  /** A digest of every event so far (time and label, in order): 13 hexadecimal digits, 52 bits. */
  get hash(): string {
    return (this.hashHigh & 0xfffff).toString(16).padStart(5, "0") + (this.hashLow >>> 0).toString(16).padStart(8, "0")
  }

  /** Runs `event` at a virtual time; a time that has passed means now, after the events of the current batch. */
  at(atMillis: number, event: () => void, options: EventOptions = {}): EventHandle {
    if (Number.isNaN(atMillis)) throw new RangeError("Scheduler.at: the time is not a number")
    const queued: QueuedEvent = {
      atMillis: Math.max(this.nowMillis, atMillis),
      sequence: this.sequence++,
      label: options.label ?? "event",
      chain: options.chain,
      run: event
    }
    if (queued.atMillis !== Infinity) this.queue.push(queued)
    else queued.run = undefined
    return {
      cancel: () => {
        if (queued.run === undefined) return
        queued.run = undefined
        this.cancelled++
      }
    }
  }

  after(delayMillis: number, event: () => void, options?: EventOptions): EventHandle {
    return this.at(this.nowMillis + Math.max(0, delayMillis), event, options)
  }

  /** Folds something that happened outside of an event into the hash: a decision, a result. */
  note(label: string): void {
    this.fold(label)
  }

  /** Runs one event; false when none is left. */
  step(): boolean {
    return this.stepUntil(Infinity)
  }

  /** Runs until nothing is left to do. */
  runUntilIdle(): RunOutcome {
    while (this.step()) { /* each step is an event */ }
    return "idle"
  }

  /** Runs every event up to and including `untilMillis`, and leaves the clock there. */
  runUntil(untilMillis: number): RunOutcome {
    while (this.stepUntil(untilMillis)) { /* each step is an event */ }
    const outcome = this.pending === 0 ? "idle" : "time"
    if (untilMillis > this.nowMillis && untilMillis !== Infinity) this.nowMillis = untilMillis
    return outcome
  }

  /** Runs until `done` holds, which is asked after each event; or until nothing is left, or until a time. */
  runUntilCondition(done: () => boolean, untilMillis = Infinity): RunOutcome {
    for (;;) {
      if (done()) return "condition"
      if (!this.stepUntil(untilMillis)) return this.pending === 0 ? "idle" : "time"
    }
  }

  private stepUntil(untilMillis: number): boolean {
    for (;;) {
      if (this.batchNext >= this.batch.length && !this.nextBatch(untilMillis)) return false
      const event = this.batch[this.batchNext++]!
      const run = event.run
      if (run === undefined) {
        this.cancelled--
        continue
      }
      event.run = undefined
      this.eventCount++
      if (this.eventCount > this.maxEvents) {
        throw new Error(
          `Scheduler: more than ${this.maxEvents} events at ${this.nowMillis} ms, the last one "${event.label}": ` +
            "a livelock, or raise maxEvents"
        )
      }
      this.fold(event.label)
      this.onEvent?.(this.nowMillis, event.label)
      run()
      return true
    }
  }

  private nextBatch(untilMillis: number): boolean {
    // A cancelled event must not move the clock.
    while (this.queue.peek() !== undefined && this.queue.peek()!.run === undefined) {
      this.queue.pop()
      this.cancelled--
    }
    const first = this.queue.peek()
    if (first === undefined || first.atMillis > untilMillis) return false
    const batch: Array<QueuedEvent> = []
    while (this.queue.peek()?.atMillis === first.atMillis) batch.push(this.queue.pop()!)
    this.nowMillis = first.atMillis
    this.batch = this.shuffled && batch.length > 1 ? this.shuffleTies(batch) : batch
    this.batchNext = 0
    return true
  }

  private shuffleTies(batch: Array<QueuedEvent>): Array<QueuedEvent> {
    const out = this.random.shuffle(batch)
    // Give the places of each chain back to its events in their own order.
    const chains = new Map<number, { readonly places: Array<number>; readonly events: Array<QueuedEvent> }>()
    for (const [place, event] of out.entries()) {
      if (event.chain === undefined) continue
      const chain = chains.get(event.chain)
      if (chain === undefined) chains.set(event.chain, { places: [place], events: [event] })
      else {
        chain.places.push(place)
        chain.events.push(event)
      }
    }
    for (const { events, places } of chains.values()) {
      if (events.length === 1) continue
      events.sort((a, b) => a.sequence - b.sequence)
      for (const [i, place] of places.entries()) out[place] = events[i]!
    }
    return out
  }

  private fold(label: string): void {
    let high = this.hashHigh ^ Math.round(this.nowMillis * 1_000)
    let low = this.hashLow ^ this.eventCount
    for (let i = 0; i < label.length; i++) {
      const code = label.charCodeAt(i)
      high = Math.imul(high ^ code, 2_654_435_761)
      low = Math.imul(low ^ code, 1_597_334_677)
    }
    high = Math.imul(high ^ (high >>> 16), 2_246_822_507) ^ Math.imul(low ^ (low >>> 13), 3_266_489_909)
    low = Math.imul(low ^ (low >>> 16), 2_246_822_507) ^ Math.imul(high ^ (high >>> 13), 3_266_489_909)
    this.hashHigh = high
    this.hashLow = low
  }
}
