/** Every plugin of this package keeps the contract of plugins. */
import { describe, it } from "@effect/vitest"
import { pluginSuite } from "@peerstrap/plugin-host/testing"
import { cryptoPlugins } from "../src/plugin/index.ts"

describe("plugins keep the contract:", () => {
  for (const plugin of cryptoPlugins) pluginSuite(plugin, { capabilities: { "counts-handles": false }, test: it })
})
