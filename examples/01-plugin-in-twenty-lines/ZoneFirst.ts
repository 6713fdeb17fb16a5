/** A plugin in twenty lines: of the peers that could do a piece of work, those of our own zone come first. */
import { type Candidate, leastLoaded, PeerRanking } from "@peerstrap/peer-selection"
import { selectionKind } from "@peerstrap/peer-selection/plugin"
import { configValue, definePlugin, Type } from "@peerstrap/plugin-host"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

export const zoneFirst = definePlugin({
  id: "selection.zone-first",
  version: "1.0.0",
  stability: "beta",
  summary: "Peers of our own zone first, then the least loaded.",
  provides: [selectionKind],
  requires: [],
  config: Schema.Struct({
    zone: configValue(Type.text("PREFIX", "the first letters of an id", "eu-1/"), "Ids of near peers begin so.")
  }),
  layer: ({ zone }) => {
    const far = ({ id }: Candidate) => id.startsWith(zone) ? 0 : 1
    return Layer.succeed(PeerRanking, {
      name: "zone-first",
      compare: (a, b) => a.attempts - b.attempts || far(a) - far(b) || leastLoaded.compare(a, b)
    })
  }
})
