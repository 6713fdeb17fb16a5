// The client over TCP keeps the contract of sources.
import { describe, it } from "@effect/vitest"
import { Tcp } from "@peerstrap/transport"
import * as Layer from "effect/Layer"
import { blockSourceSuite } from "../src/testing/BlockSourceSuite.ts"
import { tchannel } from "./support/TChannelSource.ts"

describe("sources keep the contract:", () => {
  blockSourceSuite("TChannel over TCP,", Layer.provide(tchannel(""), Tcp.layer), {
    capabilities: { "declares-errors": true, "bounds-answers": true, "counts-bytes": true, "counts-calls": false },
    test: it
  })
})
