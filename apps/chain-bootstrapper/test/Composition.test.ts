/** A sync as a composition: parts in code and in a config, what is shown of them, and runs with other parts than the usual ones. */
import { assert, describe, it } from "@effect/vitest"
import { commandApplier, memoryStore } from "@peerstrap/chain-bootstrap/plugin"
import { compose, type Composition, graphJson, graphText, Host, withOverrides } from "@peerstrap/plugin-host"
import { sqliteKeyValue } from "@peerstrap/storage/plugin"
import { memory } from "@peerstrap/transport/plugin"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { resolveParts as resolveServed } from "../src/serve/Parts.ts"
import type { ServeSettings } from "../src/serve/ServeFlags.ts"
import { partNames, partsOf, resolveParts, type SyncParts } from "../src/sync/Parts.ts"
import type { SyncSettings } from "../src/sync/SyncFlags.ts"
import { defaults } from "./support/Defaults.ts"
import { temporaryDirectory } from "./support/Directories.ts"
import { runHere } from "./support/InProcess.ts"
import { chainOf, networkFile, startNetwork } from "./support/Network.ts"

const timeout = 60_000

const plan = {
  storePath: "/store",
  controlPath: "/store/control.sock",
  identityPath: "/store/identity.json",
  network: "mainnet"
}
const settings = { ...defaults, network: "mainnet" }

const configured = (plugins: string, changes: Partial<SyncSettings> = {}) =>
  resolveParts({
    plan,
    settings: { ...settings, ...changes },
    file: { path: "c.yaml", text: plugins },
    given: new Map()
  })

const graphOf = (parts: Composition<never>) => Effect.map(Host.plan(parts), graphJson)

const idsOf = (parts: Composition<never>) => Effect.map(graphOf(parts), ({ plugins }) => plugins.map(({ id }) => id))

const byFlags = partsOf(plan, settings)

/** The same composition by flags, in code and in a config, where one part is another. */
const exchanged = Effect.fnUntraced(function*(inCode: Composition<never>, inConfig: string) {
  const byCode = withOverrides(byFlags, inCode)
  const byConfig = yield* configured(`plugins:\n  - ${inConfig}\n`)
  const [code, config] = yield* Effect.all([graphOf(byCode), graphOf(byConfig)])
  assert.deepStrictEqual(code, config)
  const before = yield* idsOf(byFlags)
  return (yield* idsOf(byConfig)).filter((id) => !before.includes(id))
})

describe("the parts of a sync", () => {
  it.effect("are what flags say", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* idsOf(byFlags), [
        "transport.tcp",
        "files.node",
        "tezos.crypto.any",
        "memory.bounded",
        "chain.protocol.tezos",
        "chain.base.tezos",
        "chain.store.files",
        "chain.applier.archive",
        "chain.strategy.cached-tail",
        "log.settable"
      ])
      const others = partsOf(plan, {
        ...settings,
        applier: "octez-rpc",
        octezRpc: "http://127.0.0.1:8732",
        strategy: "applied-branches"
      })
      const names = partNames(yield* Host.plan(others))
      assert.deepStrictEqual([names.applier, names.store], ["octez-rpc", "/store"])
      assert.include(names.parts, "chain.strategy.applied-branches")
    }))

  it.effect("archive → command, Tcp → Memory, files → memory: one line in code, one in a config, equal graphs", () =>
    Effect.gen(function*() {
      const command = "use: chain.applier.command\n    with: { command: ./index-blocks }"
      assert.deepStrictEqual(yield* exchanged(compose(commandApplier({ command: "./index-blocks" })), command), [
        "chain.applier.command"
      ])
      assert.deepStrictEqual(yield* exchanged(compose(memory({})), "use: transport.memory"), ["transport.memory"])
      const inMemory = { parts: [{ plugin: memoryStore, config: {}, where: () => "here" }] }
      assert.deepStrictEqual(yield* exchanged(inMemory, "use: chain.store.memory"), ["chain.store.memory"])
      // No part of a sync requires one; an applier from outside may.
      assert.deepStrictEqual(
        yield* exchanged(compose(sqliteKeyValue({ path: "index.db" })), "use: kv.sqlite\n    with: { path: index.db }"),
        ["kv.sqlite"]
      )
      // The flags say the same.
      assert.deepStrictEqual(
        yield* graphOf(partsOf(plan, { ...settings, applier: "command", applierCommand: "./index-blocks" })),
        yield* graphOf(yield* configured(`plugins: [{ ${command.replace("\n   ", ",")} }]`))
      )
    }))

  it.effect("a config keeps what flags said of the same part", () =>
    Effect.gen(function*() {
      const parts: SyncParts = yield* configured(
        "plugins:\n  - use: memory.bounded\n    with: { bytes: 64MiB }\n"
      )
      const { nodes } = yield* Host.plan(parts)
      const configOf = (id: string) => nodes.find((node) => node.name === id)?.config
      assert.deepStrictEqual(configOf("memory.bounded"), { bytes: 64 * 2 ** 20 })
      const timed = yield* configured("plugins:\n  - use: chain.base.tezos\n    with: { timeout: 1s }\n", {
        peer: ["127.0.0.1:9732"]
      })
      const base = (yield* Host.plan(timed)).nodes.find((node) => node.name === "chain.base.tezos")?.config
      assert.deepStrictEqual(base, { peers: ["127.0.0.1:9732"], timeout: 1000 })
    }))
})

describe("plugins", () => {
  it.live("list, explain, graph and schema", () =>
    Effect.gen(function*() {
      const list = yield* runHere("plugins", "list")
      assert.match(list.out, /^chain\.applier\.command +0\.1\.0 +stable/m)
      const explained = yield* runHere("plugins", "explain", "chain.applier.octez-rpc")
      assert.match(explained.out, /url: .*http or https[\s\S]*answerBytes = /)
      const near = yield* runHere("plugins", "explain", "chain.applier.comand")
      assert.deepStrictEqual([near.code, /did you mean chain\.applier\.command/.test(near.err)], [2, true])
      const graph = yield* runHere("plugins", "graph")
      assert.match(
        graph.out,
        /chain\.store\.files .*\n {2}├ files ◄ files\.node\n {2}├ chain\.protocol ◄ chain\.protocol\.tezos/
      )
      const json = JSON.parse((yield* runHere("plugins", "graph", "--json")).out)
      assert.strictEqual(json.plugins.length, 10)
      const { schema } = JSON.parse((yield* runHere("plugins", "schema", "--json")).out)
      assert.isDefined(schema.properties.sync.properties["min-quorum-peers"])
      assert.include(JSON.stringify(schema.properties.plugins), "chain.strategy.applied-branches")
    }))

  it.live("graph of a file is that of its composition; validate tells every problem with line and column", () =>
    Effect.gen(function*() {
      const path = join(yield* temporaryDirectory, "run.yaml")
      const section = "sync:\n  network: mainnet\n  store: /store\n"
      writeFileSync(path, `${section}plugins:\n  - use: chain.store.memory\n  - use: transport.memory\n`)
      const graph = yield* runHere("plugins", "graph", path)
      const expected = yield* configured(readFileSync(path, "utf8"))
      assert.deepStrictEqual([graph.code, graph.out], [0, graphText(yield* Host.plan(expected))], graph.err)
      assert.strictEqual((yield* runHere("plugins", "validate", path)).code, 0)

      writeFileSync(
        path,
        `${section}  mode: fast
plugins:
  - use: chain.aplier.archive
  - use: memory.bounded
    with: { bytes: 1KiB }
  - use: chain.store.memory
  - use: chain.store.files
`
      )
      const wrong = yield* runHere("plugins", "validate", path)
      const run = yield* runHere("sync", "--config", path)
      assert.deepStrictEqual([wrong.code, run.code], [2, 2])
      for (const said of [wrong.out, run.err]) {
        assert.match(said, /run\.yaml:4:\d+: mode: .*segmented/)
        assert.match(
          said,
          /run\.yaml:6:10: there is no plugin "chain\.aplier\.archive"; did you mean chain\.applier\.archive/
        )
        assert.match(said, /run\.yaml:8:13: bytes of memory\.bounded: .*512MiB/)
        assert.match(
          said,
          /run\.yaml:10:10: chain\.store\.files provides chain\.store, and so does chain\.store\.memory/
        )
      }
    }).pipe(Effect.scoped))
})

describe("serving", () => {
  const served = {
    store: { directory: "/store", network: "mainnet" },
    identityPath: "/store/identity.json",
    controlPath: "/store/control.sock"
  }

  it.effect("has the parts that it needs, whatever the config says of a sync", () =>
    Effect.gen(function*() {
      const settings = { listen: { host: "0.0.0.0", port: 9732 }, logLevel: "info", memory: 2 ** 29 } as ServeSettings
      const text = `plugins:
  - use: chain.applier.command
    with: { command: ./index-blocks }
  - use: transport.memory
`
      const parts = yield* resolveServed({
        plan: served,
        settings,
        file: { path: "c.yaml", text },
        given: new Map()
      })
      assert.deepStrictEqual(yield* idsOf(parts), [
        "transport.memory",
        "files.node",
        "tezos.crypto.any",
        "memory.bounded",
        "chain.protocol.tezos",
        "chain.base.stored",
        "chain.store.files",
        "log.settable"
      ])
    }))

  it.live("begins no store: exit code 2", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      writeFileSync(join(directory, "network.json"), networkFile(yield* chainOf("unserved", 3)))
      const { code, err } = yield* runHere("serve", "--store", directory, "--listen", "127.0.0.1:0")
      assert.strictEqual(code, 2, err)
      assert.match(err, /there is no chain store here[\s\S]*what to do: make the store with: peerstrap-chain sync/)
      assert.isFalse(existsSync(join(directory, "STORE")))
    }).pipe(Effect.scoped))
})

describe("a sync with other parts", () => {
  it.live("hands blocks to a command that the config names", () =>
    Effect.gen(function*() {
      const { argv, directory } = yield* startNetwork(yield* chainOf("parts", 12), [""])
      const seen = join(directory, "seen.txt")
      const script = join(directory, "applier.mjs")
      writeFileSync(
        script,
        `import { appendFileSync } from "node:fs"
import { createInterface } from "node:readline"
console.log(JSON.stringify({ protocol: "peerstrap-applier/1" }))
createInterface({ input: process.stdin }).on("line", (line) => {
  const { apply } = JSON.parse(line)
  appendFileSync(${JSON.stringify(seen)}, apply.level + "\\n")
  console.log(JSON.stringify({ ok: apply.hash }))
})
`
      )
      const config = join(directory, "run.yaml")
      writeFileSync(
        config,
        `plugins:\n  - use: chain.applier.command\n    with: { command: "'${process.execPath}' '${script}'" }\n`
      )
      const run = yield* runHere(
        "sync",
        ...argv,
        "--config",
        config,
        "--min-quorum-peers",
        "1",
        "--until",
        "level:9",
        "--json"
      )
      assert.strictEqual(run.code, 0, run.err)
      const report = JSON.parse(run.out)
      assert.strictEqual(report.applier, "command")
      assert.include(report.parts, "chain.applier.command")
      assert.deepStrictEqual(readFileSync(seen, "utf8").trim().split("\n").map(Number), [1, 2, 3, 4, 5, 6, 7, 8, 9])
    }).pipe(Effect.scoped), timeout)

  /** Peers within this process, a store in memory: no socket to a peer, no block on the disk. */
  const inProcess = Effect.fnUntraced(function*(seed: string, more: string, place?: Deferred.Deferred<string>) {
    const directory = yield* temporaryDirectory
    if (place !== undefined) yield* Deferred.succeed(place, join(directory, "store"))
    const network = join(directory, "network.json")
    writeFileSync(network, networkFile(yield* chainOf(seed, 30)))
    const peers = ["10.0.0.1:9732", "10.0.0.2:9732", "10.0.0.3:9732"]
    const config = join(directory, "run.yaml")
    writeFileSync(
      config,
      `sync:
  network: ${network}
  store: ${join(directory, "store")}
  peer: [${peers.join(", ")}]
  until: level:25
plugins:
  - use: transport.in-process
    from: ${join(import.meta.dirname, "support", "OwnParts.ts")}
    with: { seed: ${seed}, levels: 30, peers: [${peers.join(", ")}] }
${more}`
    )
    return { run: yield* runHere("sync", "--config", config, "--json"), store: join(directory, "store") }
  })

  it.live(
    "over a transport from outside, into memory: verified, and nothing is left but the report",
    () =>
      Effect.gen(function*() {
        const { run, store } = yield* inProcess("inside", "  - use: chain.store.memory\n")
        assert.strictEqual(run.code, 0, run.err + run.out)
        const report = JSON.parse(run.out)
        assert.deepStrictEqual([report.head.level, report.verification.blocks, report.store], [
          25,
          25,
          "chain.store.memory"
        ])
        assert.isFalse(existsSync(join(store, "STORE")))
        assert.isTrue(existsSync(join(store, "peerstrap-report.json")))
      }).pipe(Effect.scoped),
    timeout
  )

  it.live(
    "waits for memory that a part keeps, says so, and goes on when the limit is raised",
    () =>
      Effect.gen(function*() {
        const more = `  - use: chain.applier.greedy
    from: ${join(import.meta.dirname, "support", "OwnParts.ts")}
`
        const store = yield* Deferred.make<string>()
        const running = yield* Effect.forkScoped(inProcess("greedy", more, store))
        const place = ["--store", yield* Deferred.await(store)]
        const why = yield* Effect.repeat(runHere("why", ...place), {
          until: ({ out }) => out.includes("memory for bodies")
        })
        assert.match(
          why.out,
          /because: 536870912 of 536870912 bytes are in use[\s\S]*peerstrap-chain set memory\.bounded/
        )
        const set = yield* runHere("set", "memory.bounded", "bytes", "600MiB", ...place)
        assert.strictEqual(set.out, "memory.bounded bytes 629145600 (was 536870912)\n", set.err)
        const { run } = yield* Fiber.join(running)
        assert.strictEqual(run.code, 0, run.err + run.out)
        assert.match(run.err, /"name":"setting-changed"[^\n]*"from":536870912,"to":629145600,"origin":"control socket"/)
      }).pipe(Effect.scoped),
    timeout
  )

  it.live("ends with exit code 4 and a report when a plugin gives up", () =>
    Effect.gen(function*() {
      const more = `  - use: chain.applier.gives-up
    from: ${join(import.meta.dirname, "support", "OwnParts.ts")}
    with: { level: 7 }
`
      const { run } = yield* inProcess("fatal", more)
      assert.strictEqual(run.code, 4, run.err + run.out)
      const { applier, error, head } = JSON.parse(run.out)
      assert.strictEqual(applier, "gives-up")
      assert.isBelow(head.level, 7)
      assert.match(error.message, /chain\.applier\.gives-up gave up: .*the disk behind level 7 is gone/)
    }).pipe(Effect.scoped), timeout)

  it.live("does not begin with a strategy that the applier cannot follow", () =>
    Effect.gen(function*() {
      const more = `  - use: chain.strategy.applied-branches
  - use: chain.applier.simulator
    with: { branches: one }
`
      const { run } = yield* inProcess("unfit", more)
      assert.strictEqual(run.code, 2)
      assert.match(
        run.out,
        /applied-branches needs an applier that holds several branches; simulator has a single chain/
      )
    }).pipe(Effect.scoped), timeout)
})
