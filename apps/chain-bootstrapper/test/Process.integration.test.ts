/** The program as a process: signals, a kill, the control socket, and serving what was synced. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { existsSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { runChild, startChild } from "./support/ChildProgram.ts"
import { runHere } from "./support/InProcess.ts"
import { chainOf, linesOf, startNetwork } from "./support/Network.ts"

const timeout = 60_000
const alone = ["--min-quorum-peers", "1"]

/** A few blocks have been applied. */
const someApplied = /"name":"applied"[\s\S]*"name":"applied"/

describe("the process", () => {
  it.live(
    "is killed in mid-run: the store stays valid, and the same command goes on to the same chain",
    () =>
      Effect.gen(function*() {
        const chain = yield* chainOf("killed", 80)
        const { argv, peers, store } = yield* startNetwork(chain, ["slow:20"])
        const until = ["--until", "level:78"]
        const child = yield* startChild("sync", ...argv, ...alone, ...until, "--json")
        yield* child.says(someApplied)
        yield* child.signal("SIGKILL")
        assert.strictEqual((yield* child.end).code, null)
        assert.isTrue(existsSync(join(store, "control.sock")))
        const verified = yield* runHere("verify", store, "--json")
        const { blocks, verified: isWhole } = JSON.parse(verified.out)
        assert.deepStrictEqual([verified.code, isWhole], [0, true], verified.err)
        assert.isAtLeast(blocks, 2)
        assert.isBelow(blocks, 78)
        peers[0]!.setBehaviours("")
        const further = yield* runHere("sync", ...argv, ...alone, ...until, "--json")
        assert.strictEqual(further.code, 0, further.err)
        assert.strictEqual(JSON.parse(further.out).startLevel, blocks)
        assert.strictEqual((yield* runHere("export", "--store", store)).out, linesOf(chain, 1, 78))
        assert.isFalse(existsSync(join(store, "control.sock")))
      }),
    timeout
  )

  it.live("stops in order at SIGINT with exit code 130 and a report", () =>
    Effect.gen(function*() {
      const { argv, store } = yield* startNetwork(yield* chainOf("stopped", 80), ["slow:20"])
      const child = yield* startChild("sync", ...argv, ...alone, "--json")
      yield* child.says(someApplied)
      const second = yield* runHere("sync", ...argv, ...alone)
      assert.strictEqual(second.code, 4)
      assert.match(second.err, /process \d+ already listens[\s\S]*what to do: another run works there/)
      yield* child.signal("SIGINT")
      const { code, err, out } = yield* child.end
      assert.strictEqual(code, 130, err)
      const report = JSON.parse(out)
      assert.strictEqual(report.outcome, "stopped")
      assert.match(report.verdict, /^stopped by SIGINT at level \d+ B.*the same command goes on from there/)
      const status = yield* runHere("status", "--store", store, "--json")
      assert.strictEqual(JSON.parse(status.out).last.exitCode, 130)
      assert.strictEqual((yield* runHere("verify", store)).code, 0)
    }), timeout)

  it.live(
    "says why it waits without being asked, and answers status, why and peers; ban and unban work",
    () =>
      Effect.gen(function*() {
        const { argv, peers, store } = yield* startNetwork(yield* chainOf("waiting", 30), ["", "silent", "silent"])
        const child = yield* startChild("sync", ...argv)
        const [honest] = peers
        yield* child.says(/no progress for 10\.\d s/)
        assert.strictEqual(statSync(join(store, "control.sock")).mode & 0o777, 0o600)
        const why = yield* runHere("why", "--store", store)
        assert.strictEqual(why.code, 0, why.err)
        assert.match(why.out, /levels above 0 waits for [\s\S]*because: [\s\S]*what to do: /)
        const status = JSON.parse((yield* runHere("status", "--store", store, "--json")).out)
        assert.deepStrictEqual(
          [status.running, status.status.command, status.status.chain.head.level, status.status.chain.peers.connected],
          [true, "sync", 0, 3]
        )
        assert.match(
          (yield* runHere("status", "--store", store)).out,
          /process \d+: sync of .*\n.*\n[\s\S]*peers: 3 connected/
        )
        const listed = yield* runHere("peers", "list", "--store", store)
        assert.include(listed.out, honest!.peerIdText)

        const banned = yield* runHere("peers", "ban", honest!.point, "--reason", "a test", "--store", store)
        assert.deepStrictEqual([banned.code, banned.out], [0, `${honest!.point}: banned\n`], banned.err)
        yield* child.says(/level 0, 2 peers/)
        const rows = JSON.parse((yield* runHere("peers", "--store", store, "--json")).out).peers
        const row = rows.find(({ point }: { readonly point: string }) => point === honest!.point)
        assert.deepStrictEqual([row.status, row.reason], ["banned", "a test"])
        assert.strictEqual((yield* runHere("peers", "ban", "127.0.0.9:1", "--store", store)).code, 1)
        assert.strictEqual((yield* runHere("peers", "unban", honest!.point, "--store", store)).code, 0)
        assert.strictEqual((yield* runHere("peers", "evict", "x", "--store", store)).code, 2)
        yield* child.signal("SIGTERM")
        assert.strictEqual((yield* child.end).code, 143)
        const gone = yield* runHere("why", "--store", store)
        assert.strictEqual(gone.code, 1)
        assert.match(gone.err, /not running/)
        assert.strictEqual((yield* runHere("peers", "ban", honest!.point, "--store", store)).code, 1)
      }),
    timeout
  )

  it.live("status and why name a plugin that is not well, and who uses it", () =>
    Effect.gen(function*() {
      const { argv, directory, store } = yield* startNetwork(yield* chainOf("unwell", 12), [""])
      const script = join(directory, "applier.mjs")
      writeFileSync(
        script,
        `import { createInterface } from "node:readline"
console.log(JSON.stringify({ protocol: "peerstrap-applier/1" }))
createInterface({ input: process.stdin }).on("line", (line) => {
  const { apply } = JSON.parse(line)
  console.log(JSON.stringify(apply.level < 5 ? { ok: apply.hash } : { retry: apply.hash, reason: "the table is locked" }))
})
`
      )
      const applier = ["--applier", "command", "--applier-command", `'${process.execPath}' '${script}'`]
      const child = yield* startChild("sync", ...argv, ...alone, ...applier, "--json")
      yield* child.says(/"name":"apply-retry"/)
      const expected =
        /plugin chain\.applier\.command is recoverable since .*: the table is locked \(program → chain\.applier\.command\)/
      const [status, why] = [yield* runHere("status", "--store", store), yield* runHere("why", "--store", store)]
      assert.match(status.out, expected, status.err)
      assert.match(why.out, expected, why.err)
      const [plugin] = JSON.parse((yield* runHere("why", "--store", store, "--json")).out).plugins
      assert.deepStrictEqual([plugin.plugin, plugin.status, plugin.chain], [
        "chain.applier.command",
        "recoverable",
        ["program", "chain.applier.command"]
      ])
      const set = (...words: ReadonlyArray<string>) => runHere("set", ...words, "--store", store)
      assert.match(
        (yield* set()).out,
        /^memory\.bounded bytes 536870912 {2}bytes of .*\nlog\.settable level info {2}from which level on/
      )
      assert.strictEqual((yield* set("log.settable", "level", "debug")).out, "log.settable level debug (was info)\n")
      yield* child.says(/"name":"setting-changed"[^\n]*"to":"debug","origin":"control socket"/)
      const wrong = yield* set("log.settable", "level", "loud")
      assert.deepStrictEqual([wrong.code, /want one of trace, debug, info/.test(wrong.err)], [2, true], wrong.err)
      const changes = JSON.parse((yield* runHere("set", "--store", store, "--json")).out).changes
      assert.deepStrictEqual([changes.length, changes[0].to, changes[0].origin], [1, "debug", "control socket"])
      yield* child.signal("SIGTERM")
      assert.strictEqual((yield* child.end).code, 143)
    }), timeout)

  it.live("follows a better branch that a quorum changes to, and reports it", () =>
    Effect.gen(function*() {
      const chain = yield* chainOf("reorganised", 30, [{ name: "better", at: 28, length: 12 }])
      const { argv, peers, store } = yield* startNetwork(chain, ["", "", "", ""])
      const child = yield* startChild("sync", ...argv, "--until", "level:38", "--json")
      yield* child.says(/"name":"applied"[^\n]*"level":30\b/)
      for (const peer of peers) {
        peer.setHead("better")
        peer.announce("branch")
      }
      const { code, err, out } = yield* child.end
      assert.strictEqual(code, 0, err + out)
      const { reorganisations } = JSON.parse(out)
      assert.strictEqual(reorganisations.length, 1)
      assert.deepStrictEqual([reorganisations[0].fork.level, reorganisations[0].from.level], [28, 30])
      assert.strictEqual((yield* runHere("export", "--store", store)).out, linesOf(chain, 1, 38, "better"))
      assert.strictEqual((yield* runHere("verify", store)).code, 0)
    }), timeout)

  it.live("halts with exit code 1 when a quorum contradicts what is final", () =>
    Effect.gen(function*() {
      const chain = yield* chainOf("contradicted", 30, [{ name: "other", at: 10, length: 40 }])
      const { argv, peers, store } = yield* startNetwork(chain, ["", "", "", ""])
      const child = yield* startChild("sync", ...argv, "--json")
      yield* child.says(/"name":"applied"[^\n]*"level":30\b/)
      for (const peer of peers) {
        peer.setHead("other")
        peer.announce("branch")
      }
      const { code, err, out } = yield* child.end
      assert.strictEqual(code, 1, err + out)
      assert.match(
        JSON.parse(out).verdict,
        /^halted: .* peers have another block than ours.*the chain stays at level 30 /
      )
      assert.strictEqual((yield* runHere("export", "--store", store)).out, linesOf(chain, 1, 30))
    }), timeout)

  it.live("serves what it holds: another store comes to the same chain from it", () =>
    Effect.gen(function*() {
      const chain = yield* chainOf("served", 40)
      const { argv, directory, peers, store } = yield* startNetwork(chain, [""])
      assert.strictEqual((yield* runHere("sync", ...argv, ...alone, "--until", "level:38")).code, 0)
      const server = yield* startChild("serve", "--store", store, "--listen", "127.0.0.1:0", "--json")
      const found = yield* server.finds(/"name":"listening".*?"address":"([^"]+)"/)
      assert.strictEqual((yield* runHere("verify", store)).code, 4, "the store is in use")
      const other = join(directory, "other")
      const [network, file] = argv
      const synced = yield* runHere(
        "sync",
        network!,
        file!,
        "--store",
        other,
        "--peer",
        found[1]!,
        ...alone,
        "--until",
        "level:36"
      )
      assert.strictEqual(synced.code, 0, synced.err + synced.out)
      assert.strictEqual((yield* runHere("export", "--store", other)).out, linesOf(chain, 1, 36))
      const status = yield* runHere("status", "--store", store)
      assert.match(
        status.out,
        /process \d+: serve of TEZOS_SERVED .*listens on 127\.0\.0\.1:\d+\nserves levels 0 to 38 /
      )
      assert.strictEqual((yield* runHere("peers", "--store", store)).code, 1)
      yield* server.signal("SIGTERM")
      const { code, out } = yield* server.end
      assert.strictEqual(code, 143)
      assert.isAtLeast(JSON.parse(out).connections, 1)
      assert.deepStrictEqual(peers[0]!.stats().violations, [])
    }), timeout)

  it.live("survives a reader that has gone", () =>
    Effect.gen(function*() {
      const { argv, store } = yield* startNetwork(yield* chainOf("gone", 10), [""])
      assert.strictEqual((yield* runHere("sync", ...argv, ...alone, "--until", "level:8")).code, 0)
      const child = yield* startChild("export", "--store", store)
      yield* child.closeOut
      assert.strictEqual((yield* child.end).code, 0)
      assert.strictEqual((yield* runChild("--version")).code, 0)
    }), timeout)
})
