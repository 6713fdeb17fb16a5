/** How the plugins of a run are, for `status` and `why`: those that are well are not named. */
import { isWell, type PluginStatus, type RunningHost, type Status } from "@peerstrap/plugin-host"
import { formatDuration } from "@peerstrap/progress"

export interface TroubledPart {
  readonly plugin: string
  readonly status: Status
  readonly message: string
  readonly sinceMillis: number
  /** From the program to the plugin, over those that use it; while the composition starts only the plugin. */
  readonly chain: ReadonlyArray<string>
}

export class PartStates {
  private readonly statuses = new Map<string, PluginStatus>()
  private host: Pick<RunningHost<unknown>, "why"> | undefined

  told(status: PluginStatus): void {
    this.statuses.set(status.id, { ...status })
  }

  compose(host: Pick<RunningHost<unknown>, "why">): void {
    this.host = host
  }

  troubled(): ReadonlyArray<TroubledPart> {
    const chains = new Map(this.host?.why().map(({ chain, status }) => [status.id, chain]))
    return [...this.statuses.values()]
      .filter(({ status }) => !isWell(status))
      .toSorted((a, b) => a.sinceMillis - b.sinceMillis)
      .map(({ id, message, sinceMillis, status }) => ({
        plugin: id,
        status,
        message,
        sinceMillis,
        chain: chains.get(id) ?? [id]
      }))
  }
}

/** One line each. */
export const partLines = (parts: ReadonlyArray<TroubledPart>, nowMillis: number): ReadonlyArray<string> =>
  parts.map(({ chain, message, plugin, sinceMillis, status }) =>
    `plugin ${plugin} is ${status} since ${formatDuration(Math.max(0, nowMillis - sinceMillis))}` +
    `${message === "" ? "" : `: ${message}`}${chain.length < 2 ? "" : ` (${chain.join(" → ")})`}`
  )
