/**
 * How a plugin is. The host runs the machine:
 *
 *   starting ─► ok ◄─► recoverable          stopping ─► stopped
 *      │        │ └──────┬──┘                  ▲
 *      └────────┴─► permanent ─► fatal ────────┘ (from everywhere)
 *
 * `recoverable`: does not work now, mends itself · `permanent`: will not work again without a change from outside, others go on ·
 * `fatal`: the composition has to end.
 */
export const statuses = [
  "starting",
  "ok",
  "recoverable",
  "permanent",
  "fatal",
  "stopping",
  "stopped"
] as const
/** One state of a plugin. */
export type Status = (typeof statuses)[number]

/** What a plugin may say of itself. */
export const reportedStatuses = ["ok", "recoverable", "permanent", "fatal"] as const
/** What a plugin may say of itself. */
export type ReportedStatus = (typeof reportedStatuses)[number]

/** Whether a plugin is as it should be. One that stops may hang at it; one that has stopped cannot. */
export const isWell = (status: Status): boolean => status === "ok" || status === "stopped"

/** How one plugin is, why, and since when (ms since 1970). */
export interface PluginStatus {
  readonly id: string
  readonly status: Status
  readonly message: string
  readonly sinceMillis: number
}
