/**
 * Spacing of messages of one kind on one connection: for what we ask, and for what we send back, because a current Octez node sleeps for seconds
 * over a message that comes too early and with it stalls all that follow (specs: chain bootstrap 1.10, 5.12 (12)).
 */

export interface Throttle {
  /** Earliest time at which a message of this kind may be sent: `nowMillis` if at once. Kinds without an interval are free. */
  mayAt(kind: string, nowMillis: number): number
  sent(kind: string, nowMillis: number): void
}

/** A throttle of one connection. `leastMillis`: least interval by kind. */
export const makeThrottle = (leastMillis: Readonly<Record<string, number>>): Throttle => {
  const intervals = new Map(Object.entries(leastMillis))
  for (const [kind, interval] of intervals) {
    if (!(interval >= 0)) throw new RangeError(`throttle: the interval of ${kind} must be 0 or more, got ${interval}`)
  }
  const last = new Map<string, number>()
  return {
    mayAt: (kind, nowMillis) => {
      const before = last.get(kind)
      return before === undefined ? nowMillis : Math.max(nowMillis, before + intervals.get(kind)!)
    },
    sent: (kind, nowMillis) => {
      if (intervals.has(kind)) last.set(kind, nowMillis)
    }
  }
}
