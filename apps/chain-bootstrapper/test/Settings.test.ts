/** The command line and the config file of `sync`: what is wrong is told all at once, and what is right becomes settings. */
import { assert, describe, it } from "@effect/vitest"
import { type CheckContext, flagName, readSettings } from "@peerstrap/command-line"
import { commands } from "../src/commands/Commands.ts"
import { sync } from "../src/commands/Sync.ts"
import { syncFlags, type SyncSettings } from "../src/sync/SyncFlags.ts"
import type { SyncPlan } from "../src/sync/SyncPlan.ts"

const names = commands.map(({ name }) => name)

const contextOf = (files: Readonly<Record<string, string>>): CheckContext => ({
  nowNanos: 1_795_255_200_000_000_000n,
  read: (path) => {
    const text = files[path]
    return text === undefined ? { problem: `${path} cannot be read: no such file` } : new TextEncoder().encode(text)
  }
})

const read = (argv: ReadonlyArray<string>, files: Readonly<Record<string, string>> = {}) => {
  const found = readSettings(sync, names, argv, contextOf(files))
  return {
    problems: found.problems.map(({ message, where }) => `${where}: ${message}`),
    settings: found.settings as Partial<SyncSettings>,
    plan: found.plan as SyncPlan | undefined
  }
}

const good = ["--network", "sandbox", "--store", "/data/store", "--peer", "127.0.0.1:9732"]
const base = "BLockGenesisGenesisGenesisGenesisGenesisf79b5d1CoW2"

describe("the command line of sync", () => {
  it("becomes a plan with paths in the store", () => {
    const { plan, problems, settings } = read([...good, "--peer=[::1]:9733", "--until", "level:298", "--base", base])
    assert.deepStrictEqual(problems, [])
    assert.deepStrictEqual(plan, {
      storePath: "/data/store",
      controlPath: "/data/store/control.sock",
      identityPath: "/data/store/identity.json",
      network: "sandbox"
    })
    assert.deepStrictEqual(settings.peer, ["127.0.0.1:9732", "[::1]:9733"])
    assert.deepStrictEqual(settings.until, { level: 298 })
    assert.strictEqual(settings.base?.id, "8fcf233671b6a04fcf679d2a381c2544ea6c1ea29ba6157776ed8424c7ccd00b")
  })

  it("needs no network where the store knows its own", () => {
    assert.match(read(["--store", "/data/store"]).problems.join("\n"), /^--network: is missing: the store is new/)
    const { plan, problems } = read(["--store", "/data/store"], { "/data/store/network.json": "{}" })
    assert.deepStrictEqual([problems, plan?.network], [[], "/data/store/network.json"])
  })

  it("tells every wrong value at once", () => {
    const wrong = {
      "--peer": "127.0.0.1",
      "--base": "BLockGenesisGenesisGenesisGenesisGenesisf79b5d1CoW3",
      "--until": "level:0",
      "--mode": "fast",
      "--header-policy": "none",
      "--strategy": "lazy",
      "--applier": "execute",
      "--octez-rpc": "ftp://node",
      "--min-peers": "0",
      "--listen": "9732",
      "--memory": "1KiB",
      "--deadline": "soon"
    }
    const { problems } = read(["--store", "/data/store", "--network", "sandbox", ...Object.entries(wrong).flat()])
    for (const flag of Object.keys(wrong)) assert.isTrue(problems.some((one) => one.startsWith(`${flag}: `)), flag)
    assert.strictEqual(problems.length, Object.keys(wrong).length)
  })

  it("knows what does not go together", () => {
    for (
      const [argv, expected] of [
        [["--applier", "command"], /^--applier-command: is missing/],
        [["--applier", "octez-rpc"], /^--octez-rpc: is missing/],
        [["--applier-command", "x"], /^--applier-command: is for --applier command, not archive/],
        [["--octez-rpc", "http://127.0.0.1:8732"], /^--octez-rpc: is for --applier octez-rpc, not archive/],
        [["--min-peers", "9", "--max-peers", "8"], /^--min-peers: 9 is more than --max-peers 8/],
        [["--min-quorum-peers", "9", "--max-peers", "8"], /no quorum could be reached/]
      ] as const
    ) {
      const { problems } = read([...good, ...argv])
      assert.strictEqual(problems.length, 1, problems.join("\n"))
      assert.match(problems[0]!, expected)
    }
  })
})

describe("the config file of sync", () => {
  const goodFile = `sync:
  network: sandbox
  store: /data/store
  peer: [127.0.0.1:9732, "[::1]:9733"]
  until: level:298
  min-quorum-peers: 1
  memory: 256MiB
`

  it("holds the same flags, and the command line wins", () => {
    const { problems, settings } = read(["--config", "c.yaml", "--min-quorum-peers", "2"], { "c.yaml": goodFile })
    assert.deepStrictEqual(problems, [])
    assert.deepStrictEqual(settings.peer, ["127.0.0.1:9732", "[::1]:9733"])
    assert.deepStrictEqual(settings.until, { level: 298 })
    assert.deepStrictEqual([settings.minQuorumPeers, settings.memory], [2, 256 * 2 ** 20])
  })

  it("tells wrong keys, and wrong values with line and column", () => {
    const file = `${goodFile}  minimum-peers: 3\n  mode: fast\n  max-peers: many\n`
    const { problems } = read(["--config", "c.yaml"], { "c.yaml": file })
    assert.strictEqual(problems.length, 3, problems.join("\n"))
    assert.match(problems[0]!, /^c\.yaml:8:3: minimum-peers/)
    assert.match(problems.join("\n"), /c\.yaml:9:\d+: mode: .*one of auto, segmented, anchored/)
    assert.match(problems.join("\n"), /c\.yaml:10:\d+: max-peers: .*whole number/)
  })

  it("takes every flag of the table", () => {
    for (const key of Object.keys(syncFlags)) {
      const { problems } = read(["--config", "c.yaml"], { "c.yaml": `sync:\n  ${flagName(key)}: {}\n` })
      assert.isTrue(problems.some((one) => one.startsWith(`c.yaml:2:3: ${flagName(key)}: `)), key)
    }
  })
})
