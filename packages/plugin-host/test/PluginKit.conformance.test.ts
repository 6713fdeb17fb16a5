import { describe, it } from "@effect/vitest"
import { mutantSuiteOf, suiteOf } from "@peerstrap/conformance"
import * as Layer from "effect/Layer"
import { settableLog } from "../src/plugin/index.ts"
import { CheckedPlugin } from "../src/testing/CheckedPlugin.ts"
import { lampSubject } from "../src/testing/LampPlugin.ts"
import { pluginKit, pluginSuite } from "../src/testing/PluginSuite.ts"

describe("plugins keep the contract:", () => {
  suiteOf(pluginKit)("a lamp:", Layer.sync(CheckedPlugin, () => lampSubject()), {
    capabilities: { "counts-handles": true },
    test: it
  })
  pluginSuite(settableLog, { settings: { level: "debug" }, capabilities: { "counts-handles": false }, test: it })
})

describe("the kit of plugins", () => mutantSuiteOf(pluginKit, it))
