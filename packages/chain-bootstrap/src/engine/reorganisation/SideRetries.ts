/**
 * Side blocks that the applier could not take for now. Each rests, twice as long each time, and after every such answer nothing beside our chain is tried
 * for a moment: one block that does not fit must not hold back the others, and many of them must not keep the applier from our chain (A35).
 */
import type { Wait } from "@peerstrap/progress"
import type { BlockId, HeaderFacts } from "../../contract/Block.ts"
import type { ReorganisationParts } from "../../contract/Reorganisation.ts"
import { applyRetryMillis } from "../ApplyRetry.ts"

interface Rest {
  readonly facts: HeaderFacts
  readonly failures: number
  readonly untilMillis: number
  readonly sinceMillis: number
  readonly reason: string
}

export class SideRetries {
  private readonly core: ReorganisationParts["core"]
  private readonly resting = new Map<BlockId, Rest>()
  private pausedUntilMillis = -Infinity

  constructor(core: ReorganisationParts["core"]) {
    this.core = core
  }

  /** Nothing is tried before the moment is over; asks to be woken then. */
  get paused(): boolean {
    return this.isBefore(this.pausedUntilMillis)
  }

  /** Whether a block rests; asks to be woken when it may be tried again. */
  rests(id: BlockId): boolean {
    return this.isBefore(this.resting.get(id)?.untilMillis ?? -Infinity)
  }

  /** How often in a row the applier could not take a block. */
  failures(id: BlockId): number {
    return this.resting.get(id)?.failures ?? 0
  }

  /** The blocks that could not be taken when they were last tried. */
  ids(): Iterable<BlockId> {
    return this.resting.keys()
  }

  failed(facts: HeaderFacts, reason: string): void {
    const { core } = this
    const before = this.resting.get(facts.id)
    const failures = (before?.failures ?? 0) + 1
    const delayMillis = applyRetryMillis(core.options.timers, failures)
    this.resting.set(facts.id, {
      facts,
      failures,
      untilMillis: core.now + delayMillis,
      sinceMillis: before?.sinceMillis ?? core.now,
      reason
    })
    this.pausedUntilMillis = core.now + core.options.timers.applyRetry
    core.notice({ kind: "apply-retry", level: facts.level, reason, delayMillis })
  }

  /** It was taken, refused for good, or has lost. */
  settled(id: BlockId): void {
    this.resting.delete(id)
  }

  private isBefore(millis: number): boolean {
    if (millis <= this.core.now) return false
    this.core.wakeBy(millis)
    return true
  }

  /** One wait for all, about a block of `first`, or the one that is tried next. */
  waits(first: ReadonlyArray<BlockId>): ReadonlyArray<Wait> {
    const ofFirst = first.flatMap((id) => this.resting.get(id) ?? [])
    const [next] = ofFirst.length > 0
      ? ofFirst
      : [...this.resting.values()].toSorted((a, b) => a.untilMillis - b.untilMillis)
    if (next === undefined) return []
    const { failures, facts, reason, sinceMillis, untilMillis } = next
    const seconds = Math.max(0, untilMillis - this.core.now) / 1000
    const others = this.resting.size - 1
    return [{
      subject: `block ${this.core.show(facts.id)} of level ${facts.level} beside our chain`,
      waitingFor: "the applier",
      cause: `${reason} (${failures} ${failures === 1 ? "try" : "tries"}, next in ${seconds.toFixed(1)} s)` +
        (others > 0 ? `; ${others} more wait like it` : ""),
      peers: [],
      remedy: "see the applier's own log; --strategy cached-tail gives it nothing beside our chain",
      sinceMillis
    }]
  }
}
