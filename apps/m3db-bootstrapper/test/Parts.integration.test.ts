// Parts of a run exchanged for others: by one line of the config file, and by one part in code.
import { assert, describe, it } from "@effect/vitest"
import { fixedLevel } from "@peerstrap/consistency-policy/plugin"
import { BlockSink } from "@peerstrap/m3db-bootstrap"
import { discardSink, sinkKind } from "@peerstrap/m3db-bootstrap/plugin"
import { SeededReplica, startReplica } from "@peerstrap/m3db-wire/testing"
import { compose, definePlugin, graphJson, Host, PluginRuntime, withOverrides } from "@peerstrap/plugin-host"
import { NodeFileSystem } from "@peerstrap/storage"
import { memoryFiles } from "@peerstrap/storage/plugin"
import { Tcp } from "@peerstrap/transport"
import { faultyTcp, memory } from "@peerstrap/transport/plugin"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { lineSink } from "./plugins/LineSink.ts"
import { embeddedReplicas } from "./plugins/Replicas.ts"
import { startChild } from "./support/ChildProgram.ts"
import { runHere } from "./support/InProcess.ts"
import { jsonLinesOf, linesOf, temporaryDirectory } from "./support/InspectProgram.ts"
import { peerArguments, type Replica, spec, startReplicas } from "./support/Replicas.ts"
import { partsOfArguments, runWith } from "./support/RunParts.ts"

const truthCount = Array.from(new SeededReplica(spec).truth()).length
const pluginFile = (name: string): string => join(import.meta.dirname, "plugins", name)

/** Everything but `--peer`, as a config file has it. */
const section = (out: string, peers: ReadonlyArray<string>): string =>
  `bootstrap:
  peer: ${JSON.stringify(peers)}
  namespace: ${spec.namespace}
  num-shards: ${spec.numShards}
  block-size: 2h
  from: ${spec.start}
  to: ${spec.start + BigInt(spec.blocks) * spec.blockSize}
  out: ${out}
`

/** A directory with `run.yaml`: the replicas' section, and `plugins`. */
const configured = Effect.fnUntraced(
  function*(replicas: ReadonlyArray<Replica> | ReadonlyArray<string>, plugins: string) {
    const directory = yield* temporaryDirectory
    const out = join(directory, "out")
    const file = join(directory, "run.yaml")
    const peers = replicas.map((one) => typeof one === "string" ? one : `${one.id}=${one.server.hostPort}`)
    writeFileSync(file, `${section(out, peers)}plugins:\n${plugins}`)
    return { directory, out, file, flags: ["bootstrap", "--config", file] }
  }
)

const run = (...args: Parameters<typeof runWith>) => Effect.provide(runWith(...args), NodeFileSystem.layer)

const reportOf = (out: string) => JSON.parse(readFileSync(join(out, "peerstrap-report.json"), "utf8"))

/** A replica that lists, and never answers a question for blocks; `asked` completes with the first of these. */
const hangingReplica = Effect.gen(function*() {
  const asked = yield* Deferred.make<void>()
  const data = new SeededReplica(spec)
  const server = yield* startReplica({
    data,
    behaviours: "hang:fetchBlocksRaw",
    observe: (event) => {
      if (event.kind === "call" && event.call.request.kind === "blocks") Deferred.doneUnsafe(asked, Effect.void)
    }
  })
  return { asked, data, server }
})

describe("majority for none", () => {
  const behaviours = [{}, { behaviours: "not-bootstrapped" }, { behaviours: "not-bootstrapped" }]

  it.live("in a config: the run takes what there is instead of waiting", () =>
    Effect.gen(function*() {
      const replicas = yield* startReplicas(behaviours)
      const { flags, out } = yield* configured(replicas, "  - { use: consistency.fixed, with: { level: none } }\n")
      const ended = yield* runHere(...flags)
      assert.strictEqual(ended.code, 1, ended.err)
      assert.match(ended.out, /^incomplete: 8 of 8 blocks written.*level none/)
      assert.match(ended.err, /level none \(settings\): .*; consistency\.fixed does not change it/)
      assert.deepInclude(reportOf(out).plugins, { id: "consistency.fixed", version: "0.1.0" })
      const { out: shown } = yield* runHere("report", out)
      assert.match(
        shown,
        /\n {2}plugins: transport\.tcp 0\.1\.0, files\.node 0\.1\.0, memory\.bounded 0\.1\.0, consistency\.fixed 0\.1\.0, /
      )
    }))

  it.live("in code", () =>
    Effect.gen(function*() {
      const out = join(yield* temporaryDirectory, "out")
      const replicas = yield* startReplicas(behaviours)
      const argv = [...peerArguments(replicas), "--out", out]
      const { result } = yield* run(argv, compose(fixedLevel({ level: "none" })))
      assert.deepStrictEqual([result.exitCode, /^incomplete: 8 of 8 .*level none/.test(result.text)], [1, true])
    }))

  it.live("a level that is fixed is not set, and the answer names the plugin that could", () =>
    Effect.gen(function*() {
      const { asked, data, server } = yield* hangingReplica
      const lines = join(yield* temporaryDirectory, "lines.txt")
      const { flags, out } = yield* configured(
        [{ id: "a", data, server }],
        `  - { use: consistency.fixed, with: { level: all } }
  - use: m3db.sink.lines
    from: ${pluginFile("LineSink.ts")}
    with: { file: ${lines}, mood: slow }
`
      )
      const running = yield* Effect.forkScoped(runHere(...flags))
      yield* Deferred.await(asked)
      const set = yield* runHere("set-level", "none", "--out", out)
      assert.deepStrictEqual([set.code, set.out], [1, ""])
      assert.match(set.err, /level of this run is that of consistency\.fixed[\s\S]*consistency\.settable could/)
      const why = yield* runHere("why", "--out", out)
      assert.match(
        why.out,
        /the run waits for m3db\.sink\.lines [\s\S]*because: it is recoverable: its disk is busy[\s\S]*what to do: mend/
      )
      const chains = JSON.parse((yield* runHere("why", "--out", out, "--json")).out).plugins
      assert.deepStrictEqual(chains[0].chain, ["program", "m3db.sink.lines"])
      const status = yield* runHere("status", "--out", out)
      assert.match(
        status.out,
        /\nlevel all, set by settings\nplugin m3db\.sink\.lines is recoverable: its disk is busy\n/
      )
      const plugins: ReadonlyArray<{ readonly id: string; readonly status: string; readonly progress?: object }> =
        JSON.parse((yield* runHere("status", "--out", out, "--json")).out).status.plugins
      assert.isTrue(plugins.some(({ id, status }) => id === "transport.tcp" && status === "ok"))
      assert.deepInclude(plugins.find(({ id }) => id === "m3db.sink.lines")?.progress, { done: 3, total: 9 })
      yield* Fiber.interrupt(running)
      assert.isFalse(existsSync(lines))
    }).pipe(Effect.provide(Tcp.layer)))
})

describe("values that change while a run goes on", () => {
  it.live("are listed, set and told with who set them: memory, level, rate, log level", () =>
    Effect.gen(function*() {
      const { asked, data, server } = yield* hangingReplica
      const { flags, out } = yield* configured([{ id: "a", data, server }], "  - { use: consistency.settable }\n")
      const set = (...words: ReadonlyArray<string>) => runHere("set", ...words, "--out", out)
      const running = yield* startChild(...flags, "--peer-bytes-per-second", "50MB", "--log-level", "warn", "--json")
      yield* Deferred.await(asked)
      const listed = (yield* set()).out.split("\n")
      assert.match(listed[0]!, /^memory\.bounded bytes 536870912 /)
      assert.match(listed[1]!, /^consistency\.settable level majority /)
      assert.match(listed[2]!, /^rate\.settable bytes-per-second 50000000 /)
      assert.match(listed[3]!, /^log\.settable level warn /)
      assert.strictEqual((yield* set("log.settable", "level", "info")).out, "log.settable level info (was warn)\n")
      assert.match((yield* set("rate.settable", "bytes-per-second", "10MB")).out, /10000000 \(was 50000000\)/)
      assert.match((yield* set("consistency.settable", "level", "one")).out, /level one \(was majority\)/)
      const wrong = yield* set("log.settable", "level", "loud")
      assert.deepStrictEqual([wrong.code, wrong.out], [2, ""])
      yield* running.signal("SIGINT")
      const { err } = yield* running.end
      const told = jsonLinesOf(err).filter(({ name }) => name === "setting-changed").map(({ fields }) => fields)
      assert.deepStrictEqual(told, [
        { plugin: "log.settable", setting: "level", from: "warn", to: "info", origin: "control socket" },
        {
          plugin: "rate.settable",
          setting: "bytes-per-second",
          from: 50_000_000,
          to: 10_000_000,
          origin: "control socket"
        },
        { plugin: "consistency.settable", setting: "level", from: "majority", to: "one", origin: "control socket" }
      ])
      // What was logged before the level was lowered is not told.
      const logged = jsonLinesOf(err).filter(({ name }) => name === "log").map(({ fields }) => fields.text)
      assert.match(logged[0], /^bytes per second a peer: 10000000/)
      assert.match(logged[1], /^consistency level one, set by control socket/)
    }).pipe(Effect.provide(Tcp.layer)))
})

describe("filesets for a sink of one's own", () => {
  it.live("in a config, from a local file: exit 0 says that everything was committed", () =>
    Effect.gen(function*() {
      const replicas = yield* startReplicas([{}, {}])
      const directory = yield* temporaryDirectory
      const lines = join(directory, "lines.txt")
      const { flags, out } = yield* configured(
        replicas,
        `  - use: m3db.sink.lines
    from: ${pluginFile("LineSink.ts")}
    with: { file: ${lines} }
`
      )
      const ended = yield* runHere(...flags)
      assert.strictEqual(ended.code, 0, ended.err)
      assert.match(
        ended.out,
        /^done: 8 of 8 blocks committed to m3db\.sink\.lines, all that level majority asks for; nothing is read again\n/
      )
      assert.notMatch(ended.out, /files:/)
      assert.match(ended.err, /lines go to .*lines\.txt/)
      assert.notMatch(ended.err, /plugin .* is /)
      assert.match(ended.err, /output: m3db\.sink\.lines, of which nothing is read again/)
      assert.strictEqual(linesOf(readFileSync(lines, "utf8")).length, truthCount)
      assert.isFalse(existsSync(join(out, "data")))
      const report = reportOf(out)
      assert.deepInclude(report, { exitCode: 0, written: 8, verification: null, files: null })
      assert.deepInclude(report.plugins, { id: "m3db.sink.lines", version: "1.2.3" })

      const kept = yield* runHere(...flags, "--resume")
      assert.strictEqual(kept.code, 2)
      assert.match(
        kept.err,
        /\n {2}--resume: is about m3db\.sink\.filesets, and m3db\.sink\.lines at \S*run\.yaml:10:10 stands in its place; leave/
      )
    }))

  it.live("in code, and one that only counts", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const replicas = yield* startReplicas([{}])
      const file = join(directory, "lines.txt")
      const argv = [...peerArguments(replicas), "--out", join(directory, "out")]
      const lines = yield* run(argv, compose(lineSink({ file })))
      assert.strictEqual(lines.result.exitCode, 0, lines.said)
      assert.strictEqual(linesOf(readFileSync(file, "utf8")).length, truthCount)
      const counted = yield* run(argv, compose(discardSink({})))
      assert.match(counted.result.text, /^done: 8 of 8 blocks committed to m3db\.sink\.discard/)
    }))

  it.live("one that cannot start, or gives up, ends the run as what stopped it says", () =>
    Effect.gen(function*() {
      const replicas = yield* startReplicas([{}])
      const cases = [
        ["full", /\/lines: disk full\n {2}what to do: free space/],
        ["broken", /m3db\.sink\.lines: no such thing\n {2}what to do: .*plugins explain m3db\.sink\.lines/],
        ["fatal", /m3db\.sink\.lines gave up: the line is cut\n {2}what to do: mend/]
      ] as const
      for (const [mood, said] of cases) {
        const lines = join(yield* temporaryDirectory, "lines.txt")
        const { flags, out } = yield* configured(
          replicas,
          `  - { use: m3db.sink.lines, from: ${pluginFile("LineSink.ts")}, with: { file: ${lines}, mood: ${mood} } }\n`
        )
        const ended = yield* runHere(...flags)
        assert.strictEqual(ended.code, 4, ended.err)
        assert.match(ended.err, said)
        if (mood === "fatal") assert.match(ended.err, /\nplugin m3db\.sink\.lines is fatal: the line is cut\n/)
        // Only a run that began has something to report on.
        assert.strictEqual(existsSync(join(out, "peerstrap-report.json")), mood === "fatal")
        assert.isFalse(existsSync(join(out, "control.sock")))
      }
    }))
})

describe("a part that takes its time to start", () => {
  it.live("is what the run waits for, says why; a signal ends that", () =>
    Effect.gen(function*() {
      const begun = yield* Deferred.make<void>()
      const stop = yield* Deferred.make<"SIGTERM">()
      const patient = definePlugin({
        id: "m3db.sink.patient",
        version: "1.0.0",
        stability: "stable",
        summary: "Never starts.",
        provides: [sinkKind],
        requires: [],
        config: Schema.Struct({}),
        layer: () =>
          Layer.effect(
            BlockSink,
            Effect.gen(function*() {
              const runtime = yield* PluginRuntime
              runtime.progress("reading an old index", 1200, 0)
              yield* Deferred.succeed(begun, undefined)
              return yield* Effect.never
            })
          )
      })
      const out = join(yield* temporaryDirectory, "out")
      const argv = [...peerArguments([]), "--peer", "a=10.0.0.1:9000", "--out", out]
      const running = yield* Effect.forkScoped(run(argv, compose(patient({})), Deferred.await(stop)))
      yield* Deferred.await(begun)
      const why = yield* runHere("why", "--out", out)
      assert.match(
        why.out,
        /^starting, level not known yet\nthe run waits for m3db\.sink\.patient [\s\S]*because: starts: reading an old index, 1,200\n/
      )
      assert.match((yield* runHere("status", "--out", out)).out, /\nplugin m3db\.sink\.patient is starting: starts\n/)
      const set = yield* runHere("set-level", "none", "--out", out)
      assert.deepStrictEqual([set.code, /plugins are still starting/.test(set.err)], [1, true])
      yield* Deferred.succeed(stop, "SIGTERM")
      const error = yield* Effect.flip(Fiber.join(running))
      assert.deepInclude(error, { exitCode: 143, message: "stopped by SIGTERM before anything was written" })
      assert.isFalse(existsSync(join(out, "control.sock")))
    }))
})

describe("Tcp for Memory", () => {
  const hosts = ["a", "b"]
  const peers = hosts.map((host) => `${host}=${host}:9000`)

  it.live("in a config: the whole run inside this process, replicas included", () =>
    Effect.gen(function*() {
      const { flags, out } = yield* configured(
        peers,
        `  - use: transport.memory
  - { use: test.replicas.embedded, from: ${pluginFile("Replicas.ts")}, with: { hosts: [a, b] } }
`
      )
      const ended = yield* runHere(...flags)
      assert.strictEqual(ended.code, 0, ended.err)
      assert.match(ended.out, /^done: 8 of 8 blocks written and verified/)
      assert.strictEqual(reportOf(out).report.seriesBlocks.stored, truthCount)
    }))

  it.live("in code, with files in memory as well: nothing but the report comes to the disk", () =>
    Effect.gen(function*() {
      const out = join(yield* temporaryDirectory, "out")
      const argv = [...peerArguments([]), ...peers.flatMap((peer) => ["--peer", peer]), "--out", out]
      const others = compose(memory({}), memoryFiles({}), embeddedReplicas({ hosts }))
      const { result, said } = yield* run(argv, others)
      assert.strictEqual(result.exitCode, 0, said)
      assert.match(result.text, /^done: 8 of 8 blocks written and verified/)
      assert.isFalse(existsSync(join(out, "data")))
      assert.isTrue(existsSync(join(out, "peerstrap-report.json")))
    }))

  it.live("for a network with faults: the same blocks, in more pieces", () =>
    Effect.gen(function*() {
      const out = join(yield* temporaryDirectory, "out")
      const replicas = yield* startReplicas([{}, {}])
      const argv = [...peerArguments(replicas), "--out", out]
      const { result, said } = yield* run(argv, compose(faultyTcp({ inbound: { chopBytes: 100, latency: "1ms" } })))
      assert.strictEqual(result.exitCode, 0, said)
      assert.strictEqual(reportOf(out).report.seriesBlocks.stored, truthCount)
    }))
})

describe("parts that a plan uses", () => {
  it.live("are those of the file: the level, the network; nothing that writes is started", () =>
    Effect.gen(function*() {
      const { directory, file, out } = yield* configured(
        ["a=a:9000", "b=b:9000"],
        `  - use: transport.memory
  - { use: test.replicas.embedded, from: ${pluginFile("Replicas.ts")}, with: { hosts: [a] } }
  - { use: consistency.fixed, with: { level: none } }
  - { use: m3db.sink.lines, from: ${pluginFile("LineSink.ts")}, with: { file: lines.txt, mood: broken } }
  - { use: memory.bounded, with: { bytes: 64MiB } }
  - { use: rate.settable, with: { bytesPerSecond: 2MB } }
`
      )
      // What stands on the network of a plan is what the plan uses: here nobody, so that both peers are silent.
      writeFileSync(file, readFileSync(file, "utf8").replace("bootstrap:", "plan:"))
      const flags = ["plan", "--config", file, "--patience", "50ms"]
      const planned = yield* runHere(...flags)
      assert.notMatch(planned.err, /no such thing/)
      assert.match(planned.out, /level none needs 1 of 2 peers[\s\S]*nothing listens on b:9000 in this memory network/)
      assert.match(planned.out, /memory: at most about .* of 64\.0 MiB;/)
      assert.match(planned.out, /if each peer sends 1\.9 MiB\/s/)
      assert.isFalse(existsSync(out))
      assert.isFalse(existsSync(join(directory, "lines.txt")))
    }))
})

describe("peers from another part", () => {
  it.live("are those of the plan by their ids, in whatever order they come; one that is not there is told", () =>
    Effect.gen(function*() {
      const replicas = yield* startReplicas([{}, { lackSeries: { every: 5, remainder: 0 } }])
      const peersOf = (ids: ReadonlyArray<string>): string =>
        ids.map((id, at) => `{ id: ${id}, host: 127.0.0.1, port: ${replicas[at]!.server.address.port} }`).join(", ")
      const named = `  - use: m3db.peers.tchannel\n    with: { peers: [${peersOf(["b", "a"])}] }\n`
      const { flags, out } = yield* configured(["a=10.0.0.1:1", "b=10.0.0.1:2"], named)
      const ended = yield* runHere(...flags)
      assert.strictEqual(ended.code, 0, ended.err)
      const absent: ReadonlyArray<Record<string, string>> = reportOf(out).report.divergences.entries.map((
        { checksums }: { checksums: Record<string, string> }
      ) => checksums)
      assert.isTrue(absent.length > 0 && absent.every(({ a, b }) => a === "-" && b !== "-"))

      const other = yield* configured(["a=10.0.0.1:1"], named.replace("id: a", "id: c"))
      const refused = yield* runHere(...other.flags)
      assert.strictEqual(refused.code, 2)
      assert.match(refused.err, /the part that brings the peers has b, c, and not a\n {2}what to do: name the same ids/)
    }))
})

describe("the graph of a run", () => {
  it.live("is the same by code and by config, as text and as JSON", () =>
    Effect.gen(function*() {
      const { file, out } = yield* configured(
        ["a=10.0.0.1:9000"],
        `  - { use: consistency.fixed, with: { level: none } }
  - { use: m3db.sink.lines, from: ${pluginFile("LineSink.ts")}, with: { file: lines.txt } }
  - use: transport.memory
`
      )
      const shown = yield* runHere("plugins", "graph", file, "--json")
      assert.strictEqual(shown.code, 0, shown.err)
      const argv = [...peerArguments([]), "--peer", "a=10.0.0.1:9000", "--out", out]
      const typed = withOverrides(
        partsOfArguments(argv).parts,
        compose(fixedLevel({ level: "none" }), lineSink({ file: "lines.txt" }), memory({}))
      )
      const graph = yield* Host.plan(typed)
      assert.deepStrictEqual(JSON.parse(shown.out).plugins, graphJson(graph).plugins)
      assert.deepStrictEqual(graph.nodes.map(({ name }) => name), [
        "transport.memory",
        "files.node",
        "memory.bounded",
        "consistency.fixed",
        "m3db.peers.tchannel",
        "selection.least-loaded",
        "rate.settable",
        "m3db.merge.most-replicas",
        "m3db.sink.lines",
        "log.settable"
      ])
      const text = yield* runHere("plugins", "graph", file)
      assert.match(text.out, /\nm3db\.peers\.tchannel 0\.1\.0 → m3db\.peers\n {2}├ transport ◄ transport\.memory\n/)
      const usual = yield* runHere("plugins", "graph")
      assert.match(usual.out, /\nm3db\.sink\.filesets 0\.1\.0 → m3db\.sink\n {2}├ files ◄ files\.node\n/)
      assert.match((yield* runHere("plugins", "validate", file)).out, /run\.yaml: fits, 10 parts\n/)
    }))

  it.live("problems of flags and of plugins come in one report, with line and column, before anything is touched", () =>
    Effect.gen(function*() {
      const { file, flags, out } = yield* configured(
        ["a=10.0.0.1"],
        `  - { use: consistency.fixd }
  - { use: m3db.sink.filesets, with: { overwrit: true } }
  - { use: m3db.sink.lines, from: ./nowhere.ts }
`
      )
      const refused = yield* runHere(...flags)
      assert.strictEqual(refused.code, 2)
      const told = refused.err.split("\n").filter((line) => line.startsWith("  "))
      assert.strictEqual(told.length, 4, refused.err)
      assert.match(told[0]!, /run\.yaml:\d+:\d+: peer: .*"10\.0\.0\.1" is not an address with a port/)
      assert.match(
        told[1]!,
        /run\.yaml:10:12: there is no plugin "consistency\.fixd"; did you mean consistency\.fixed\?/
      )
      assert.match(told[2]!, /run\.yaml:11:40: m3db\.sink\.filesets has no key "overwrit"; did you mean overwrite\?/)
      assert.match(told[3]!, /run\.yaml:12:35: cannot load \.\/nowhere\.ts/)
      assert.isFalse(existsSync(out))
      assert.strictEqual((yield* runHere("plugins", "validate", file)).code, 2)
    }))
})
