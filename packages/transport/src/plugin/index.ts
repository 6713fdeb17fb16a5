/** Transports as plugins of kind `transport`, and the memory of a run. */
import { definePlugin } from "@peerstrap/plugin-host"
import * as Schema from "effect/Schema"
import * as Memory from "../adapter/Memory.ts"
import * as Tcp from "../adapter/Tcp.ts"
import { Limits } from "../contract/Limits.ts"
import { faultyTcp } from "./FaultyTcp.ts"
import { transportKind } from "./Kind.ts"
import { boundedMemory } from "./Memory.ts"

export { faultyTcp } from "./FaultyTcp.ts"
export { transportKind } from "./Kind.ts"
export * from "./Memory.ts"

/** Plugin `transport.tcp`. */
export const tcp = definePlugin({
  id: "transport.tcp",
  version: "0.1.0",
  stability: "stable",
  summary: "Connections over TCP.",
  provides: [transportKind],
  requires: [],
  config: Schema.Struct({}),
  limits: {
    readBufferBytes: { value: Limits.readBufferBytes, reason: "one read of a socket; shared by all connections" },
    acceptedConnections: { value: Limits.acceptedConnections, reason: "connections that a listener holds at once" }
  },
  layer: () => Tcp.layer
})

/** Plugin `transport.memory`: connections inside this process. */
export const memory = definePlugin({
  id: "transport.memory",
  version: "0.1.0",
  stability: "stable",
  summary: "Connections inside this process, for tests and simulations.",
  provides: [transportKind],
  requires: [],
  config: Schema.Struct({}),
  layer: () => Memory.layer
})

/** All plugins of this package. */
export const transportPlugins = [tcp, memory, faultyTcp, boundedMemory]
