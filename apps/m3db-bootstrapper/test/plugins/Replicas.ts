// Replicas as a part of the composition: they listen on whatever transport the run dials with.
import { startReplica } from "@peerstrap/m3db-wire/testing"
import { SeededReplica } from "@peerstrap/m3db-wire/testing"
import { definePlugin, one } from "@peerstrap/plugin-host"
import { transportKind } from "@peerstrap/transport/plugin"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { spec } from "../support/Replicas.ts"

export class Embedded extends Context.Service<Embedded, { readonly hosts: ReadonlyArray<string> }>()("test/Embedded") {}

export const embeddedKind = one("test.replicas", Embedded, { summary: "Replicas in this process.", metered: false })

/** `HOST:9000` of each host holds all data of the tests' cluster. */
export const embeddedReplicas = definePlugin({
  id: "test.replicas.embedded",
  version: "1.0.0",
  stability: "stable",
  summary: "Replicas in this process, on the transport of the run.",
  provides: [embeddedKind],
  requires: [transportKind],
  config: Schema.Struct({ hosts: Schema.Array(Schema.String) }),
  layer: ({ hosts }) =>
    Layer.effect(
      Embedded,
      Effect.as(
        Effect.forEach(hosts, (host) => startReplica({ data: new SeededReplica(spec), address: { host, port: 9000 } })),
        { hosts }
      )
    )
})
