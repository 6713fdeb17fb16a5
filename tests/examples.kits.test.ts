/** The plugins of the examples keep the contract of plugins, and the toy chain that of chain protocols: what people copy is right. */
import { afterAll, assert, describe, it } from "@effect/vitest"
import { ChainProtocol } from "@peerstrap/chain-bootstrap"
import { chainProtocolKit, counterpartBy, type OtherSide, ProtocolWorld } from "@peerstrap/chain-bootstrap/testing"
import { runCheck } from "@peerstrap/conformance"
import { type AnyPlugin, compose, Host, isPlugin } from "@peerstrap/plugin-host"
import { type PluginSubject, pluginSuite } from "@peerstrap/plugin-host/testing"
import { nodeFiles } from "@peerstrap/storage/plugin"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { bodyOf, makeToyChain } from "../examples/05-own-chain/test/ToyPeers.ts"
import { toyRules } from "../examples/05-own-chain/ToyChain.ts"
import { toyProtocol } from "../examples/05-own-chain/ToyProtocol.ts"
import { webSockets } from "../examples/08-own-transport/WebSockets.ts"
import { root } from "./tidy/Repository.ts"

const folder = mkdtempSync(join(tmpdir(), "peerstrap-examples-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** By the plugin's id: a config as in a file, and who provides what it requires. */
const subjects: Readonly<Record<string, PluginSubject>> = {
  "chain.protocol.toy": { config: { id: "alice" } },
  "hoard.peer.http": { config: { id: "A", url: "http://127.0.0.1:1" } },
  "m3db.sink.lines": { config: { out: join(folder, "lines"), maxPoints: 60 }, providers: [nodeFiles({})] },
  "m3db.sink.list": { config: { file: join(folder, "list.txt") } },
  "selection.zone-first": { config: { zone: "eu-1" } },
  "transport.websocket": { config: { handshake: "1s" } }
}

/** Modules begin with a capital letter; a program would run. */
const modules = readdirSync(join(root, "examples"), { recursive: true, encoding: "utf8" })
  .filter((name) => /^\d\d-[^/]+\/[A-Z]\w*\.ts$/.test(name))
  .map((name) => join(root, "examples", name))

const pluginsIn = async (file: string): Promise<ReadonlyArray<AnyPlugin>> => {
  const found: Readonly<Record<string, unknown>> = await import(pathToFileURL(file).href)
  return Object.values(found).filter(isPlugin)
}

const plugins = (await Promise.all(modules.map(pluginsIn))).flat().toSorted((a, b) => a.id < b.id ? -1 : 1)

describe("every plugin of the examples", () => {
  it("has what it is checked with", () => {
    assert.deepStrictEqual(plugins.map(({ id }) => id), Object.keys(subjects))
  })

  for (const plugin of plugins) {
    pluginSuite(plugin, { ...subjects[plugin.id], capabilities: { "counts-handles": false }, test: it })
  }
})

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

const toyWorld = Effect.gen(function*() {
  const [genesis, ...headers] = makeToyChain(24)
  const { context } = yield* Host.start(compose(toyProtocol({ id: "other" })))
  const side: OtherSide = {
    other: yield* Effect.provideContext(ChainProtocol, context),
    host: "127.0.0.1",
    genesis: { id: genesis!.id, level: 0 },
    blocks: headers.map((header) => ({ header, units: [bodyOf(header.level)] })),
    misdeeds: {
      malformed: bytesOf("nonsense\n"),
      huge: new Uint8Array(2 ** 20 + 1).fill(0x61),
      half: bytesOf("{\"kind\":")
    },
    altered: (reply) => {
      if (reply.kind !== "header") return reply
      const [level, parent, time, body] = new TextDecoder().decode(reply.header.bytes).split(" ")
      const header = toyRules.decodeHeader(bytesOf(`${level} ${parent} ${Number(time) + 1} ${body}`))
      return typeof header === "string" ? reply : { kind: "header", header }
    }
  }
  return { genesis: side.genesis, blocks: side.blocks, counterpart: counterpartBy(side) }
})

describe("the toy chain of example 05, over the WebSockets of example 08", () => {
  const layer = Layer.mergeAll(
    Host.layer(compose(webSockets({}))),
    Host.layer(compose(toyProtocol({ id: "us" }))),
    Layer.effect(ProtocolWorld, toyWorld)
  )
  const wanting = "the world has no block with two different units"

  for (const check of chainProtocolKit.checks.filter(({ needs }) => needs === undefined || needs.length === 0)) {
    it(check.name, async () => {
      const failure = await Effect.runPromise(runCheck(check, layer)).then(() => undefined, String)
      // A body of the toy chain is a single unit: what is about several of them does not concern it.
      if (failure?.includes(wanting) !== true) assert.strictEqual(failure, undefined)
    })
  }
})
