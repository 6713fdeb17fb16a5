// Every plugin of this package keeps the contract of plugins.
import { describe, it } from "@effect/vitest"
import { boundedMemory } from "@peerstrap/chain-bootstrap/plugin"
import { pluginSuite } from "@peerstrap/plugin-host/testing"
import { memoryFiles } from "@peerstrap/storage/plugin"
import { portableCrypto } from "@peerstrap/tezos-wire/plugin"
import { memory } from "@peerstrap/transport/plugin"
import { octezRpcApplier, tezosBase, tezosProtocol } from "../src/plugin/index.ts"

const below = [memory({}), memoryFiles({}), portableCrypto({}), boundedMemory({})]
const protocol = tezosProtocol({ network: "sandbox" })
const rest = { capabilities: { "counts-handles": false }, test: it }

describe("plugins keep the contract:", () => {
  pluginSuite(tezosProtocol, { config: { network: "sandbox" }, providers: below, ...rest })
  pluginSuite(tezosBase, { providers: [...below, protocol], ...rest })
  pluginSuite(octezRpcApplier, {
    config: { url: "http://127.0.0.1:8732" },
    providers: [...below, protocol],
    ...rest
  })
})
