/**
 * Engine time: the caller's clock without its jumps. A clock that is set back stands still, and a gap that nothing explains (the clock was
 * set, the machine slept) is left out: it ends no patience, opens no breaker and says nothing about anybody's speed.
 */

/** A timer that was asked for may be so late on a loaded machine. */
const lateMillis = 60_000

/** Nothing was due: a slow answer may take so long between two events. */
const quietMillis = 600_000

export class EngineClock {
  /** Engine time, ms. Begins as the caller's. */
  now: number
  /** The caller's time, ms since the Unix epoch: for retention and for reports. */
  wall: number

  constructor(nowMillis: number) {
    this.now = nowMillis
    this.wall = nowMillis
  }

  /** The caller's time minus engine time. */
  get offset(): number {
    return this.wall - this.now
  }

  /** The caller's clock reads `wallMillis`; `due` gives the engine time at which something was due. Returns what was left out. */
  advance(wallMillis: number, due: () => number): number {
    const passed = wallMillis - this.wall
    this.wall = wallMillis
    if (passed < 0 || passed > lateMillis && passed > this.most(due())) return passed
    this.now += passed
    return 0
  }

  private most(dueMillis: number): number {
    return dueMillis === Number.POSITIVE_INFINITY ? quietMillis : Math.max(0, dueMillis - this.now) + lateMillis
  }
}
