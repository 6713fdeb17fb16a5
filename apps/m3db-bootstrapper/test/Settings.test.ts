/** Every key of the config file and every flag, wrong in every way: one report lists all. */
import { assert, describe, it } from "@effect/vitest"
import { type CheckContext, flagName, readSettings } from "@peerstrap/command-line"
import { bootstrapFlags } from "../src/bootstrap/BootstrapFlags.ts"
import type { BootstrapPlan } from "../src/bootstrap/BootstrapPlan.ts"
import { bootstrap } from "../src/commands/Bootstrap.ts"
import { commands } from "../src/commands/Commands.ts"

const names = commands.map(({ name }) => name)
const now = 1_795_255_200_000_000_000n // 2026-11-21T10:00:00Z

const contextOf = (files: Readonly<Record<string, string>>): CheckContext => ({
  nowNanos: now,
  read: (path) => {
    const text = files[path]
    return text === undefined ? { problem: `${path} cannot be read: no such file` } : new TextEncoder().encode(text)
  }
})

const read = (argv: ReadonlyArray<string>, files: Readonly<Record<string, string>> = {}) => {
  const found = readSettings(bootstrap, names, argv, contextOf(files))
  const problems = found.problems.map(({ message, where }) => `${where}: ${message}`)
  return { ...found, problems, plan: found.plan as BootstrapPlan | undefined }
}

const good = ("--peer a=10.0.0.1:9000 --peer=b=10.0.0.2:9000 --namespace metrics --num-shards 8 --block-size 2h " +
  "--retention 48h --out /data/out").split(" ")

const goodFile = `bootstrap:
  peer: [a=10.0.0.1:9000, "b=10.0.0.2:9000"]
  namespace: metrics
  num-shards: 8
  block-size: 2h
  retention: 48h
  out: /data/out
`

/** The config key of each flag that a file may hold. */
const keys = Object.keys(bootstrapFlags).map(flagName)

const instance = (id: string, port: number, shards: ReadonlyArray<object>) => ({
  id,
  endpoint: `10.0.0.1:${port}`,
  shards
})

describe("the command line and the config file", () => {
  it("plan the immutable range in retention, over all shards and peers", () => {
    const { plan, problems } = read(good)
    assert.deepStrictEqual(problems, [])
    assert.deepStrictEqual(plan!.peers.map(({ address, id }) => [id, address.host, address.port]), [
      ["a", "10.0.0.1", 9000],
      ["b", "10.0.0.2", 9000]
    ])
    // trunc(10:00 − 2 h − 10 min) + 2 h
    assert.strictEqual(plan!.to, now - 7_200_000_000_000n)
    assert.strictEqual(plan!.from, now - 48n * 3_600_000_000_000n)
    assert.strictEqual(plan!.starts.length, 23)
    assert.deepStrictEqual(plan!.shards, [0, 1, 2, 3, 4, 5, 6, 7])
    assert.strictEqual(plan!.replicationFactor, 2)
    assert.strictEqual(plan!.controlPath, "/data/out/control.sock")
  })

  it("say the same whether given as flags or as a file; flags win", () => {
    const fromFile = read(["--config", "c.yaml"], { "c.yaml": goodFile })
    assert.deepStrictEqual(fromFile.problems, [])
    const { config: _config, ...settings } = fromFile.settings
    const { config: _none, ...fromFlags } = read(good).settings
    assert.deepStrictEqual(settings, fromFlags)
    const mixed = read(["--config", "c.yaml", "--namespace", "other", "--peer", "c=h:1"], { "c.yaml": goodFile })
    assert.strictEqual(mixed.settings["namespace"], "other")
    assert.deepStrictEqual(mixed.settings["peer"], ["c=h:1"])
  })

  it("tell every missing flag at once", () => {
    const { problems } = read([])
    for (const flag of ["--namespace", "--block-size", "--out", "--peer", "--num-shards"]) {
      assert.isTrue(problems.some((problem) => problem.startsWith(`${flag}: is missing`)), flag)
    }
    assert.strictEqual(problems.length, 5)
  })

  it("tell every key of the file with a wrong type at once, each with its line", () => {
    const text = `bootstrap:\n${keys.map((key) => `  ${key}: {a: 1}`).join("\n")}\n`
    const { problems } = read(["--config", "c.yaml"], { "c.yaml": text })
    keys.forEach((key, at) => {
      const place = `c.yaml:${at + 2}:3: ${key}: is a map; want `
      assert.isTrue(problems.some((problem) => problem.startsWith(place)), `${place} in\n${problems.join("\n")}`)
    })
    assert.strictEqual(problems.length, keys.length)
  })

  it("tell every scalar of a wrong type at once", () => {
    // No flag takes a fraction, and only switches take null's text.
    const text = `bootstrap:\n${keys.map((key) => `  ${key}: 1.5`).join("\n")}\n`
    const { problems } = read(["--config", "c.yaml"], { "c.yaml": text })
    assert.strictEqual(problems.length, keys.length)
    for (const key of keys) {
      assert.isTrue(problems.some((problem) => problem.includes(` ${key}: "1.5" is a number; want `)), key)
    }
  })

  it("tell every unknown key, unknown flag, value without meaning, repeated flag and operand at once", () => {
    const { problems } = read(
      [...good, "--colour", "red", "--num-shard=8", "--level", "most", "--namespace", "again", "extra", "--memory"],
      {}
    )
    assert.deepStrictEqual(problems.map((problem) => problem.split(":")[0]).toSorted(), [
      "--colour",
      "--level",
      "--memory",
      "--namespace",
      "--num-shard",
      "argument 1"
    ])
    assert.isTrue(problems.some((problem) => problem.includes("did you mean --num-shards?")))
    const file = `${goodFile}  block-sise: 2h\n  config: other.yaml\nbootstarp: {}\n`
    const inFile = read(["--config", "c.yaml"], { "c.yaml": file }).problems
    assert.deepStrictEqual(inFile.map((problem) => problem.split(": ")[0]), [
      "c.yaml:10:1",
      "c.yaml:8:3",
      "c.yaml:9:3"
    ])
    assert.isTrue(inFile[0]!.includes("did you mean bootstrap?"))
    assert.isTrue(inFile[1]!.includes("did you mean block-size?"))
  })

  it("tell flaws of YAML with line and column, and files that cannot be read", () => {
    assert.match(read(["--config", "c.yaml"], { "c.yaml": "bootstrap:\n  a: [1\n" }).problems[0]!, /^c\.yaml:\d+:\d+: /)
    assert.match(
      read(["--config", "c.yaml"], { "c.yaml": "bootstrap:\n  out: a\n  out: b\n" }).problems[0]!,
      /^c\.yaml:3:3: .*unique/
    )
    assert.match(read(["--config", "c.yaml"], { "c.yaml": "- bootstrap\n" }).problems[0]!, /^c\.yaml:1:1: want a map/)
    assert.match(read(["--config", "gone.yaml"]).problems[0]!, /^--config: gone\.yaml cannot be read/)
  })

  it("reject what two flags say together", () => {
    const cases: ReadonlyArray<readonly [ReadonlyArray<string>, RegExp]> = [
      [["--resume", "--overwrite"], /^--resume: and --overwrite exclude each other/],
      [["--to", "2026-11-21T10:00:00Z"], /^--to: .*behind the end of the immutable range, 2026-11-21T08:00:00Z/],
      [["--from", "2026-11-21T06:00:00Z", "--to", "2026-11-21T04:00:00Z"], /^--from: .*is not before the end/],
      [
        ["--to", "2026-11-01T00:00:00Z", "--from", "2026-10-01T00:00:00Z"],
        /^--to: the whole range is out of retention/
      ],
      [["--buffer-past", "3h"], /^--buffer-past: 3h is not shorter than the block size 2h/],
      [["--shards", "0-3,9"], /^--shards: .*8 shards, 0 to 7/],
      [["--placement", "p.json"], /^--placement: and --peer exclude each other/]
    ]
    for (const [extra, expected] of cases) {
      const { problems } = read([...good, ...extra])
      assert.match(problems[0] ?? "none", expected)
    }
    assert.match(read([...good.slice(0, -4), "--out", "o"]).problems[0]!, /^--from: is missing/)
    const small = good.map((word) => word === "2h" ? "500ms" : word)
    assert.match(
      read([...small, "--buffer-past", "0s"]).problems[0]!,
      /^--from: \d+ filesets .* at most 1000000 in one run/
    )
  })

  it("widen the range to whole blocks, counted from year 1, and say so", () => {
    const { plan } = read([...good, "--from", "2026-11-21T03:15:00Z", "--to", "2026-11-21T05:00:00Z"])
    assert.deepStrictEqual(plan!.starts.map(String), ["1795226400000000000", "1795233600000000000"])
    assert.match(plan!.notes.join(), /widened to whole blocks/)
  })

  it("allow mutable blocks only when asked to, and say what that means", () => {
    const { plan, problems } = read([...good, "--to", "2026-11-21T10:00:00Z", "--include-mutable"])
    assert.deepStrictEqual(problems, [])
    assert.match(plan!.notes.join(), /do not replace a node's own bootstrap/)
    assert.strictEqual(plan!.immutableEnd, now - 7_200_000_000_000n)
  })

  it("an origin that is none of the peers is refused, with the one that was meant", () => {
    const base = ["--peer", "node-a=h:1", "--peer", "node-b=h:2", "--namespace", "m", "--num-shards", "2"]
    const rest = ["--block-size", "2h", "--retention", "8h", "--out", "o"]
    const { plan, problems } = read([...base, ...rest, "--origin", "node-b"], {})
    assert.deepStrictEqual([problems, plan!.peers.map(({ id }) => id)], [[], ["node-a"]])
    const [only, ...others] = read([...base, ...rest, "--origin", "node-bb"], {}).problems
    assert.match(only!, /^--origin: no --peer has the id "node-bb".*; did you mean node-b\?/)
    assert.deepStrictEqual(others, [])
  })

  it("ask each shard from the instances that hold it, in any state, but never the origin", () => {
    const placement = {
      placement: {
        instances: {
          a: instance("a", 1, [{ id: 0, state: "AVAILABLE" }, { id: 1, state: "LEAVING" }]),
          b: instance("b", 2, [{ id: 0, state: "AVAILABLE" }, { id: 1, state: "AVAILABLE" }]),
          n: instance("n", 3, [{ id: 1, state: "INITIALIZING", sourceId: "a" }])
        },
        replicaFactor: 2,
        numShards: 2,
        isSharded: true
      },
      version: 1
    }
    const files = { "p.json": JSON.stringify(placement) }
    const base = ["--placement", "p.json", "--namespace", "m", "--block-size", "2h", "--retention", "8h", "--out", "o"]
    const { plan, problems } = read([...base, "--origin", "n"], files)
    assert.deepStrictEqual(problems, [])
    assert.deepStrictEqual(plan!.shards, [1])
    assert.deepStrictEqual(plan!.peersOfShard.get(1)!.map((peer) => plan!.peers[peer]!.id), ["a", "b"])
    assert.strictEqual(plan!.replicationFactor, 2)
    const all = read(base, files).plan!
    assert.deepStrictEqual(all.shards, [0, 1])
    assert.deepStrictEqual(all.peersOfShard.get(1)!.map((peer) => all.peers[peer]!.id), ["a", "b", "n"])
    assert.match(
      read([...base, "--origin", "node"], files).problems[0]!,
      /^--origin: "node" is no instance of the placement.*leave --origin out/
    )
    assert.match(read([...base, "--num-shards", "3"], files).problems[0]!, /^--num-shards: 3, but the placement has 2/)
    assert.match(read(base, { "p.json": "{" }).problems[0]!, /^--placement: /)
  })
})
