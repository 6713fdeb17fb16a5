/** What people copy from the examples is right: it passes the kits of plugins, of sinks, of chain protocols, of appliers. */
import { afterAll, assert, describe, it } from "@effect/vitest"
import { ChainProtocol } from "@peerstrap/chain-bootstrap"
import { memoryStore } from "@peerstrap/chain-bootstrap/plugin"
import {
  ApplierBench,
  blockApplierSuite,
  chainProtocolKit,
  counterpartBy,
  type OtherSide,
  ProtocolWorld,
  restartable,
  syntheticApplierBlocks
} from "@peerstrap/chain-bootstrap/testing"
import { runCheck } from "@peerstrap/conformance"
import { BlockSink } from "@peerstrap/m3db-bootstrap"
import { blockSinkSuite, type PublishedPoints, SinkStore } from "@peerstrap/m3db-bootstrap/testing"
import { encodeTags } from "@peerstrap/m3db-wire"
import { type AnyPlugin, compose, definePlugin, Host, isPlugin } from "@peerstrap/plugin-host"
import { type PluginSubject, pluginSuite } from "@peerstrap/plugin-host/testing"
import { FileSystem, KeyValue, MemoryFileSystem, MemoryKeyValue } from "@peerstrap/storage"
import { filesKind, memoryKeyValue, nodeFiles } from "@peerstrap/storage/plugin"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { fileOf, lineSink } from "../examples/04-own-sink/LineSink.ts"
import { bodyOf, makeToyChain } from "../examples/05-own-chain/test/ToyPeers.ts"
import { toyRules } from "../examples/05-own-chain/ToyChain.ts"
import { toyProtocol } from "../examples/05-own-chain/ToyProtocol.ts"
import { webSockets } from "../examples/08-own-transport/WebSockets.ts"
import { idsOf, type Store } from "../examples/11-own-applier/Index.ts"
import { makeIndexApplier } from "../examples/11-own-applier/IndexApplier.ts"
import { toyNetwork } from "../examples/11-own-applier/test/Toy.ts"
import { root } from "./tidy/Repository.ts"

const folder = mkdtempSync(join(tmpdir(), "peerstrap-examples-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** By the plugin's id: a config as in a file, and who provides what it requires. */
const subjects: Readonly<Record<string, PluginSubject>> = {
  "chain.applier.index": { config: {}, providers: [memoryKeyValue({}), memoryStore({}), ...toyNetwork] },
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

/** What a reader of line protocol sees of a file. */
const seriesIn = (file: Uint8Array): ReadonlyArray<PublishedPoints> => {
  const lines = new TextDecoder().decode(file).split("\n").filter((line) => line !== "")
  return [...Map.groupBy(lines, (line) => line.split(" ")[0]!)].map(([labels, points]) => {
    const [id, ...tags] = labels.split(",").slice(1).map((label) => label.split("="))
    const numbers = points.map((line) => /value=(\S+) (\d+)$/.exec(line)!)
    const pairs = tags.map(([name, value]) => [bytesOf(name!), bytesOf(value!)] as const)
    return {
      id: new Uint8Array(Buffer.from(id![1]!, "hex")),
      tags: pairs.length === 0 ? new Uint8Array(0) : encodeTags(pairs),
      points: {
        count: numbers.length,
        timestamps: BigInt64Array.from(numbers, ([, , time]) => BigInt(time!)),
        values: Float64Array.from(numbers, ([, value]) => Number(value))
      }
    }
  })
}

/** A line sink over an empty disk, and eyes on that disk. */
const linesOnDisk = Layer.unwrap(Effect.sync(() => {
  const disk = MemoryFileSystem.make()
  const sharedFiles = definePlugin({
    id: "files.shared",
    version: "1.0.0",
    stability: "stable",
    summary: "One disk for several sinks.",
    provides: [filesKind],
    requires: [],
    config: Schema.Struct({}),
    layer: () => disk.layer
  })
  const sink = Host.layer(compose(lineSink({ out: "/lines" }), sharedFiles({})))
  const onDisk = <A, E>(read: (files: FileSystem["Service"]) => Effect.Effect<A, E>) =>
    Effect.provide(FileSystem.use(read), disk.layer)
  const eyes = SinkStore.of({
    published: (key) =>
      onDisk((files) => files.readFile(`/lines/${fileOf(key)}`, 2 ** 20)).pipe(
        Effect.match({ onFailure: () => undefined, onSuccess: seriesIn })
      ),
    residue: (key) =>
      onDisk((files) => files.list("/lines")).pipe(
        Effect.match({ onFailure: () => false, onSuccess: (names) => names.includes(fileOf(key)) })
      ),
    cutPower: Effect.sync(() => disk.crash()),
    reopen: Effect.orDie(Effect.map(Layer.build(Layer.fresh(sink)), (context) => Context.get(context, BlockSink)))
  })
  return Layer.merge(sink, Layer.succeed(SinkStore, eyes))
}))

describe("the line sink of example 04", () => {
  const capabilities = {
    "readable": true,
    "unique-ids": true,
    "write-once": true,
    "power-cut": true,
    "reopens": true,
    "counts-handles": false
  }
  blockSinkSuite("m3db.sink.lines", linesOnDisk, { capabilities, test: it })
})

/** Takes a turn for each call, as a disk does: what is done in two calls can be interrupted between them. */
const unhurried = ({ get, scan, write }: Store): Store => ({
  get: (keys) => Effect.andThen(Effect.yieldNow, get(keys)),
  scan: (request) => Effect.andThen(Effect.yieldNow, scan(request)),
  write: (changes) => Effect.andThen(Effect.yieldNow, write(changes))
})

/** The index above a base, and what a reader sees of it. */
const indexBench = Layer.succeed(ApplierBench, {
  blocks: syntheticApplierBlocks,
  make: (base) =>
    Effect.flatMap(Layer.build(MemoryKeyValue.layer()), (context) => {
      const store = unhurried(Context.get(context, KeyValue))
      const open = Effect.sync(() => ({ applier: makeIndexApplier(store, base), chain: Effect.orDie(idsOf(store)) }))
      return restartable(open, () => Effect.void)
    })
})

describe("the index of example 11", () => {
  const capabilities = {
    "undo": true,
    "own-head": true,
    "visible-chain": true,
    "interruptible": true,
    "restart": true,
    "kill": true,
    // It judges no block, holds one branch, reads no bodies, and opens nothing of its own.
    "verdicts": false,
    "branches": false,
    "counted-units": false,
    "counted-resources": false
  }
  blockApplierSuite("chain.applier.index", indexBench, { capabilities, test: it })
})
