/** Flags beside `plugins:` of the config file: each that would do nothing is refused, and the tables that say so are those of the parts. */
import { assert, describe, it } from "@effect/vitest"
import { readSettings } from "@peerstrap/command-line"
import { Host } from "@peerstrap/plugin-host"
import { flagTargetProblems } from "@peerstrap/plugin-host/testing"
import * as Effect from "effect/Effect"
import { existsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { sync } from "../src/commands/Sync.ts"
import { partsOf as servedBy } from "../src/serve/Parts.ts"
import { serveFlags, type ServeSettings } from "../src/serve/ServeFlags.ts"
import { flagTargets, partsOf, resolveParts, sharedTargets } from "../src/sync/Parts.ts"
import { syncFlags, type SyncSettings } from "../src/sync/SyncFlags.ts"
import { planSync } from "../src/sync/SyncPlan.ts"
import { defaults } from "./support/Defaults.ts"
import { temporaryDirectory } from "./support/Directories.ts"
import { runHere } from "./support/InProcess.ts"

const context = { nowNanos: 1_795_255_200_000_000_000n, read: (path: string) => ({ problem: path }) }
const settings: SyncSettings = { ...defaults, network: "mainnet" }
const words = (text: string): ReadonlyArray<string> => text.split(" ")

describe("the tables of flags and parts", () => {
  it("of sync has every flag that parts alone hear, as the parts have it", () => {
    const problems = flagTargetProblems<SyncSettings>({
      flags: syncFlags,
      targets: flagTargets,
      // Dialled, listened on, looked into, and asked for its name by the run itself.
      alsoElsewhere: words("network store peer listen"),
      noPart: words(
        "until deadline minPeers maxPeers minQuorumPeers maxPerNetwork maxKnownPeers reconnects reconnectWindow greylist mode " +
          "headerPolicy segmentHeaders applyWindow applyBatch maxReorgDepth retentionCycles syncedWithin syncedPeers stuckAfter " +
          "branchTimeout headerTimeout operationsTimeout silence control"
      ),
      settings: [
        settings,
        { ...settings, applier: "command", applierCommand: "./apply" },
        { ...settings, applier: "octez-rpc", octezRpc: "http://127.0.0.1:1" }
      ],
      partsOf: (changed) => partsOf(planSync(changed, [], context, () => undefined)!, changed)
    })
    assert.deepStrictEqual(problems, [])
  })

  it("of serve has those that it shares with sync", () => {
    const { identity, logLevel, maxPeers, memory } = serveFlags
    const problems = flagTargetProblems<ServeSettings>({
      flags: serveFlags,
      targets: sharedTargets,
      alsoElsewhere: words("store network listen"),
      noPart: words("maxPeers control"),
      settings: [{
        store: "/store",
        network: "mainnet",
        control: undefined,
        identity: identity.fallback as undefined,
        listen: { host: "127.0.0.1", port: 1 },
        logLevel: logLevel.fallback as ServeSettings["logLevel"],
        maxPeers: maxPeers.fallback as number,
        memory: memory.fallback as number
      }],
      partsOf: (changed) =>
        servedBy({
          store: { directory: changed.store, network: changed.network! },
          identityPath: changed.identity ?? "/store/identity.json",
          controlPath: "/store/control.sock"
        }, changed)
    })
    assert.deepStrictEqual(problems, [])
  })
})

const parts = `  - use: chain.applier.command
    with: { command: ./index-blocks }
  - { use: memory.bounded, with: { bytes: 256MiB } }
  - use: chain.base.tezos
    with: { timeout: 1s }
  - use: chain.strategy.applied-branches
  - { use: chain.protocol.tezos, with: { identity: i.json } }
  - { use: log.settable, with: { level: warn } }
`
const hash = "BLockGenesisGenesisGenesisGenesisGenesisf79b5d1CoW2"

/** The lines of the report, without the directory. */
const refused = Effect.fnUntraced(function*(section: string, flags: ReadonlyArray<string>, command = "sync") {
  const directory = yield* temporaryDirectory
  const file = join(directory, "run.yaml")
  writeFileSync(file, `${section}plugins:\n${parts}`)
  const store = join(directory, "store")
  const { code, err } = yield* runHere(command, "--network", "mainnet", "--store", store, "--config", file, ...flags)
  assert.strictEqual(code, 2, err)
  assert.isFalse(existsSync(store))
  return err.replaceAll(`${directory}/`, "").split("\n").filter((line) => line.startsWith("  "))
    .map((line) => line.trim().replace("; leave one of the two out", ""))
})

describe("flags beside parts of the config file", () => {
  it.live("that would do nothing are refused, all in one report, before anything is touched", () =>
    Effect.gen(function*() {
      const flags =
        "--applier archive --memory 1GiB --base-timeout 9s --strategy cached-tail --identity /i --log-level info"
      assert.deepStrictEqual(yield* refused("", words(flags)), [
        "--identity: gives identity of chain.protocol.tezos, and so does run.yaml:8:42",
        "--applier: chooses chain.applier.archive, and chain.applier.command at run.yaml:2:10 stands in its place",
        "--strategy: chooses chain.strategy.cached-tail, and chain.strategy.applied-branches at run.yaml:7:10 stands in its place",
        "--base-timeout: gives timeout of chain.base.tezos, and so does run.yaml:6:13",
        "--memory: gives bytes of memory.bounded, and so does run.yaml:4:36",
        "--log-level: gives level of log.settable, and so does run.yaml:9:34"
      ])
      assert.deepStrictEqual(yield* refused("", words("--applier octez-rpc --octez-rpc http://127.0.0.1:1")), [
        "--applier: chooses chain.applier.octez-rpc, and chain.applier.command at run.yaml:2:10 stands in its place",
        "--octez-rpc: is about chain.applier.octez-rpc, and chain.applier.command at run.yaml:2:10 stands in its place"
      ])
      assert.deepStrictEqual(yield* refused("", words("--applier command --applier-command ./a")), [
        "--applier-command: gives command of chain.applier.command, and so does run.yaml:3:13"
      ])
    }).pipe(Effect.scoped))

  it.live("in the section of the same file are refused there, and beside wrong flags", () =>
    Effect.gen(function*() {
      const told = yield* refused("sync:\n  memory: 1GiB\n  applier: simulator\n", words("--mode fast --memory 2GiB"))
      assert.match(told[0]!, /^--mode: "fast"; want/)
      assert.deepStrictEqual(told.slice(1), [
        "run.yaml:3:3: applier: chooses chain.applier.simulator, and chain.applier.command at run.yaml:5:10 stands in its place",
        "--memory: gives bytes of memory.bounded, and so does run.yaml:7:36",
        "run.yaml:2:3: memory: gives bytes of memory.bounded, and so does run.yaml:7:36"
      ])
    }).pipe(Effect.scoped))

  it.effect("that are laid under a part are in it", () =>
    Effect.gen(function*() {
      const text = `sync:\n  applier: command\n  memory: 1GiB\n  base: ${hash}\nplugins:\n${
        parts.replace("{ bytes: 256MiB }", "{}").replace("{ command: ./index-blocks }", "{}")
      }`
      const argv = "--network mainnet --store /store --applier-command ./own --listen 127.0.0.1:1 --config c.yaml"
      const found = readSettings(sync, ["sync", "plugins"], words(argv), {
        ...context,
        read: () => new TextEncoder().encode(text)
      })
      assert.deepStrictEqual(found.problems, [])
      const { nodes } = yield* Host.plan(yield* resolveParts(found as unknown as Parameters<typeof resolveParts>[0]))
      const configOf = (id: string) => nodes.find(({ plugin }) => plugin.id === id)?.config
      assert.deepInclude(configOf("memory.bounded"), { bytes: 2 ** 30 })
      assert.deepInclude(configOf("chain.applier.command"), { command: "./own" })
      assert.deepNestedInclude(configOf("chain.base.tezos"), { "hash.text": hash, timeout: 1000 })
      assert.deepInclude(configOf("chain.protocol.tezos"), { identity: "i.json", port: 1 })
    }))

  it.live("that were not given are fine, be there a section or made-up flags", () =>
    Effect.gen(function*() {
      const file = join(yield* temporaryDirectory, "run.yaml")
      for (const section of ["", "sync: { network: mainnet, store: /store }\n"]) {
        writeFileSync(file, `${section}plugins:\n${parts}`)
        const { err, out } = yield* runHere("plugins", "validate", file)
        assert.match(out, /run\.yaml: fits, 10 parts\n/, err)
      }
    }).pipe(Effect.scoped))

  it.live("of serve are refused where serving uses the part, and only there", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* refused("", words("--memory 1GiB --log-level info"), "serve"), [
        "--memory: gives bytes of memory.bounded, and so does run.yaml:4:36",
        "--log-level: gives level of log.settable, and so does run.yaml:9:34"
      ])
    }).pipe(Effect.scoped))
})
