/** The behaviours of a running replica and what they count. Plain and synchronous; time comes from outside. */
import { type BehaviourName, type Behaviours, behavioursOf } from "./Behaviours.ts"

const windowMillis = 1_000

/** Decides call by call how a replica behaves, and counts; behaviours may be exchanged while it runs. */
export class ReplicaControl {
  behaviours: Behaviours
  /** Streaming calls so far. */
  dataCalls = 0
  /** The call in whose answer the replica dies; 0: it lives. */
  dying = 0
  private readonly nowMillis: () => number
  private setAtMillis: number
  private readonly turns = new Map<BehaviourName, number>()
  private recentMillis: Array<number> = []

  constructor(behaviours: Behaviours | string, nowMillis: () => number) {
    this.behaviours = typeof behaviours === "string" ? behavioursOf(behaviours) : behaviours
    this.nowMillis = nowMillis
    this.setAtMillis = nowMillis()
  }

  /** Replaces all behaviours; counters and times begin again. */
  set(behaviours: Behaviours | string): void {
    this.behaviours = typeof behaviours === "string" ? behavioursOf(behaviours) : behaviours
    this.setAtMillis = this.nowMillis()
    this.turns.clear()
    this.recentMillis = []
    this.dataCalls = 0
  }

  /** Counts a call for a behaviour with EVERY; true each n-th time, false when the behaviour is not set. */
  turn(name: "error" | "bad-crc" | "chunkless-fragment"): boolean {
    const every = this.behaviours.get(name)?.every
    if (every === undefined) return false
    const count = (this.turns.get(name) ?? 0) + 1
    this.turns.set(name, count)
    return count % every === 0
  }

  bootstrapped(): boolean {
    const refused = this.behaviours.get("not-bootstrapped")
    if (refused === undefined) return true
    return refused.seconds > 0 && this.nowMillis() - this.setAtMillis >= refused.seconds * 1_000
  }

  /** Counts a data call against `rate-limit`; true when it is one too many in the last second. */
  overRate(): boolean {
    const limit = this.behaviours.get("rate-limit")
    if (limit === undefined) return false
    const now = this.nowMillis()
    this.recentMillis = this.recentMillis.filter((millis) => now - millis < windowMillis)
    if (this.recentMillis.length >= limit.callsPerSecond) return true
    this.recentMillis.push(now)
    return false
  }
}
