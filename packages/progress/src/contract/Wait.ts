/** A value that can change while a run goes on and would end a wait. Whoever knows how the run is reached makes a command of it. */
export interface WaitChange {
  /** `level`: the consistency level · `memory`: bytes of all large buffers · `peer-rate`: bytes/s asked of each peer, 0 for no limit. */
  readonly setting: "level" | "memory" | "peer-rate"
  /** As it is given, e.g. `none`, `512MiB`. */
  readonly value: string
}

/** What something is waiting for, in a form that a person and a program can act on. The unit of `why`. */
export interface Wait {
  /** What cannot go on, e.g. `shard 3` or `shard 3 block 2026-11-21T10:00:00Z`. */
  readonly subject: string
  /** What it waits for, e.g. `metadata from peer C`. */
  readonly waitingFor: string
  /** Why that has not come, e.g. `connection refused (7 tries, next in 2.0 s)`. */
  readonly cause: string
  /** Peers concerned; empty when none. */
  readonly peers: ReadonlyArray<string>
  /** The level that must be reached, when one is the reason for waiting. */
  readonly level?: string
  /** What an operator can do, naming the option, e.g. `start peer C, or lower the level`. A program puts the command of `change` behind it. */
  readonly remedy: string
  /** What `remedy` speaks of last, when it can be set while the run goes on. */
  readonly change?: WaitChange
  /** Engine time at which the wait began, in milliseconds. */
  readonly sinceMillis: number
}
