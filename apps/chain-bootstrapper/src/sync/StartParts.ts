/** Starts what a run is made of: what plugins tell on the way goes to the people and programs that watch the run. */
import type { CommandError, Reporter } from "@peerstrap/command-line"
import { type Composition, Host, type HostOptions, type LogThreshold, type PluginEvent } from "@peerstrap/plugin-host"
import { searchingIdentity } from "@peerstrap/tezos-bootstrap/plugin"
import * as Effect from "effect/Effect"
import { counted } from "../Counted.ts"
import type { RunState } from "./RunState.ts"
import { partFault } from "./StartFaults.ts"

/** No bound of its own: an identity takes minutes, a base as long as there are peers to ask. `--deadline` and signals end it. */
const startMillis = 7 * 86_400_000

const damagedWords = ({ fields }: PluginEvent): string =>
  `the store is damaged in ${
    counted(Number(fields["damages"]), "place")
  }; sync fetches again what was lost of its chain; ` +
  `see all with: peerstrap-chain verify ${fields["directory"]}`

const warningOf = (event: PluginEvent): string | undefined =>
  event.name === "store-damaged" ? damagedWords(event) : /^warning: (.*)/.exec(event.text ?? "")?.[1]

interface Watching {
  readonly state: RunState
  readonly reporter: Reporter
}

const watching = ({ reporter, state }: Watching): HostOptions => ({
  startMillis,
  onStatus: (status) => state.told(status),
  onChange: ({ from, origin, plugin, setting, to }) =>
    reporter.event(
      "setting-changed",
      { plugin, setting, from, to, origin },
      `${plugin} ${setting} ${from} → ${to}, set by ${origin}`
    ),
  onEvent: (event) => {
    const warning = warningOf(event)
    // What becomes of damage is told when its repair has ended.
    if (warning !== undefined && event.name !== "store-damaged") state.warnings.push(warning)
    reporter.event(
      event.name,
      { plugin: event.plugin, ...event.fields },
      warning === undefined ? event.text : `warning: ${warning}`
    )
  },
  onProgress: ({ activity, done, total }) =>
    activity === searchingIdentity ? state.search(activity, done, total) : state.stepTo(activity, done, total)
})

/** They stop, in reverse order, with the scope. */
export const startParts = <Provided>(parts: Composition<Provided | LogThreshold>, run: Watching) =>
  Host.start(parts, watching(run)).pipe(
    Effect.mapError((error): CommandError => partFault(error)),
    Effect.tap((host) => Effect.sync(() => run.state.compose(host)))
  )
