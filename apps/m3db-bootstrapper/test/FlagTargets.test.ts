/** Flags beside `plugins:` of the config file: each that would do nothing is refused, and the table that says so is that of the parts. */
import { assert, describe, it } from "@effect/vitest"
import { type Command, readSettings } from "@peerstrap/command-line"
import { Host } from "@peerstrap/plugin-host"
import { flagTargetProblems } from "@peerstrap/plugin-host/testing"
import * as Effect from "effect/Effect"
import { existsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { bootstrapFlags, type BootstrapSettings } from "../src/bootstrap/BootstrapFlags.ts"
import { type BootstrapPlan, planBootstrap } from "../src/bootstrap/BootstrapPlan.ts"
import { flagTargets, partsOf, resolveParts } from "../src/bootstrap/Parts.ts"
import { bootstrap } from "../src/commands/Bootstrap.ts"
import { runHere } from "./support/InProcess.ts"
import { temporaryDirectory } from "./support/InspectProgram.ts"

const context = { nowNanos: 1_795_255_200_000_000_000n, read: (path: string) => ({ problem: path }) }
const argv = "--peer b=10.0.0.2:9000 --namespace metrics --num-shards 8 --block-size 2h --retention 48h --out /data/out"

describe("the table of flags and parts", () => {
  it("has every flag that parts alone hear, as the parts have it", () => {
    const read = readSettings(bootstrap as Command, ["bootstrap"], argv.split(" "), context)
    assert.deepStrictEqual(read.problems, [])
    const settings = read.settings as unknown as BootstrapSettings
    const problems = flagTargetProblems<BootstrapSettings>({
      flags: bootstrapFlags,
      targets: flagTargets,
      // The run asks these peers for this namespace, looks into this directory and leaves its report there.
      alsoElsewhere: ["peer", "namespace", "blockSize", "out"],
      noPart:
        ("placement origin numShards hashSeed shards replicationFactor retention bufferPast from to includeMutable " +
          "errorPolicy deadline jobsInFlight window batchBytes batchItems encoding control").split(" "),
      settings: [settings, { ...settings, levelFile: "level.txt" }],
      partsOf: (changed) =>
        partsOf(planBootstrap(changed, [], context, () => undefined) ?? read.plan as BootstrapPlan, changed)
    })
    assert.deepStrictEqual(problems, [])
  })
})

/** A file with this section and these parts; the lines of the report without the directory. */
const refused = Effect.fnUntraced(
  function*(section: string, plugins: string, flags: ReadonlyArray<string>, command = "bootstrap") {
    const directory = yield* temporaryDirectory
    const file = join(directory, "run.yaml")
    writeFileSync(file, `${section}plugins:\n${plugins}`)
    const out = join(directory, "out")
    const words = argv.replace("/data/out", out).split(" ")
    const { code, err } = yield* runHere(command, ...words, "--config", file, ...flags)
    assert.isFalse(existsSync(out))
    return {
      code,
      told: err.replaceAll(`${directory}/`, "").split("\n").filter((line) =>
        line.startsWith("  --") || /^ {2}run/.test(line)
      )
        .map((line) => line.trim().replace("; leave one of the two out", ""))
    }
  }
)

const parts = `  - use: memory.bounded
    with: { bytes: 256MiB }
  - { use: consistency.fixed, with: { level: none } }
  - use: m3db.peers.tchannel
    with: { connections: 2, idleTimeout: 1s }
  - use: selection.throughput-weighted
  - use: m3db.merge.highest-peer
  - use: rate.settable
    with: { bytesPerSecond: 1000 }
  - use: m3db.sink.discard
  - { use: log.settable, with: { level: warn } }
`

describe("flags beside parts of the config file", () => {
  it.live("that would do nothing are refused, all in one report, before anything is touched", () =>
    Effect.gen(function*() {
      const flags = "--memory 1GiB --level all --level-file l.txt --connections-per-peer 4 --idle-timeout 5s " +
        "--ranking least-loaded --merge-rule most-replicas --peer-bytes-per-second 1MB --overwrite --log-level info"
      for (const command of ["bootstrap", "plan"]) {
        const { code, told } = yield* refused("", parts, flags.split(" "), command)
        assert.strictEqual(code, 2)
        assert.deepStrictEqual(told, [
          "--level: is about consistency.watched-file, and consistency.fixed at run.yaml:4:12 stands in its place",
          "--level-file: is about consistency.watched-file, and consistency.fixed at run.yaml:4:12 stands in its place",
          "--overwrite: is about m3db.sink.filesets, and m3db.sink.discard at run.yaml:11:10 stands in its place",
          "--memory: gives bytes of memory.bounded, and so does run.yaml:3:13",
          "--connections-per-peer: gives connections of m3db.peers.tchannel, and so does run.yaml:6:13",
          "--peer-bytes-per-second: gives bytesPerSecond of rate.settable, and so does run.yaml:10:13",
          "--idle-timeout: gives idleTimeout of m3db.peers.tchannel, and so does run.yaml:6:29",
          "--merge-rule: chooses m3db.merge.most-replicas, and m3db.merge.highest-peer at run.yaml:8:10 stands in its place",
          "--ranking: chooses selection.least-loaded, and selection.throughput-weighted at run.yaml:7:10 stands in its place",
          "--log-level: gives level of log.settable, and so does run.yaml:12:34"
        ])
      }
    }))

  it.live("in the section of the same file are refused there, and beside wrong flags and parts", () =>
    Effect.gen(function*() {
      const section = "bootstrap:\n  memory: 1GiB\n  resume: true\n"
      const { told } = yield* refused(section, `${parts}  - use: transport.tpc\n`, [
        "--window",
        "none",
        "--memory=2GiB"
      ])
      assert.match(told[0]!, /^--window: "none"; want/)
      assert.match(told[1]!, /^run\.yaml:16:10: there is no plugin "transport\.tpc"/)
      assert.deepStrictEqual(told.slice(2), [
        "run.yaml:3:3: resume: is about m3db.sink.filesets, and m3db.sink.discard at run.yaml:14:10 stands in its place",
        "--memory: gives bytes of memory.bounded, and so does run.yaml:6:13",
        "run.yaml:2:3: memory: gives bytes of memory.bounded, and so does run.yaml:6:13"
      ])
    }))

  it.effect("that are laid under a part are in it", () =>
    Effect.gen(function*() {
      // Other keys of the same parts, and the plugin that the flag chooses.
      const text = `bootstrap:
  call-timeout: 9s
  memory: 1GiB
  ranking: throughput-weighted
plugins:
${parts.replace("{ bytes: 256MiB }", "{}").replace("m3db.sink.discard", "m3db.sink.filesets")}`
      const words = [...argv.split(" "), "--config", "c.yaml", "--overwrite"]
      const found = readSettings(bootstrap as Command, ["bootstrap", "plugins"], words, {
        ...context,
        read: () => new TextEncoder().encode(text)
      })
      assert.deepStrictEqual(found.problems, [])
      const { nodes } = yield* Host.plan(yield* resolveParts(found as unknown as Parameters<typeof resolveParts>[0]))
      const configOf = (id: string) => nodes.find(({ plugin }) => plugin.id === id)?.config
      assert.deepStrictEqual(configOf("memory.bounded"), { bytes: 2 ** 30 })
      assert.deepInclude(configOf("m3db.peers.tchannel"), { connections: 2, idleTimeout: 1000, callTimeout: 9000 })
      assert.deepInclude(configOf("m3db.sink.filesets"), { overwrite: true })
      assert.isDefined(configOf("selection.throughput-weighted"))
    }))

  it.live("that were not given are fine, be there a section or made-up flags", () =>
    Effect.gen(function*() {
      const file = join(yield* temporaryDirectory, "run.yaml")
      const section =
        "bootstrap: { peer: [a=h:1], namespace: n, num-shards: 8, block-size: 2h, retention: 48h, out: o }\n"
      for (const before of ["", section]) {
        writeFileSync(file, `${before}plugins:\n${parts}`)
        assert.match((yield* runHere("plugins", "validate", file)).out, /run\.yaml: fits, 10 parts\n/)
      }
    }))
})
