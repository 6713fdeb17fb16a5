/** The chain of tests as a plugin, as somebody else would write one. */
import { definePlugin } from "@peerstrap/plugin-host"
import * as Schema from "effect/Schema"
import { protocolKind } from "../src/plugin/index.ts"
import { syntheticProtocolLayer } from "../src/testing/SyntheticProtocol.ts"

export const syntheticPlugin = definePlugin({
  id: "chain.protocol.synthetic",
  version: "0.1.0",
  stability: "experimental",
  summary: "Made-up blocks for tests.",
  provides: [protocolKind],
  requires: [],
  config: Schema.Struct({ chain: Schema.optionalKey(Schema.String) }),
  layer: (config) => syntheticProtocolLayer({ id: "us", ...config })
})
