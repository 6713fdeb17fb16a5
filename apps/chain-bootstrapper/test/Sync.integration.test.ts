/** `sync` over real sockets against scripted peers: results, exit codes, files, what the store allows afterwards. */
import { assert, describe, it } from "@effect/vitest"
import { encodeHash } from "@peerstrap/tezos-wire"
import * as Effect from "effect/Effect"
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { runHere } from "./support/InProcess.ts"
import { anyAge, chainOf, linesOf, networkFile, startNetwork } from "./support/Network.ts"

const timeout = 60_000
const alone = ["--min-quorum-peers", "1"]
const base = (text: string) => ["--base", text]

describe("sync", () => {
  it.live(
    "fetches, verifies and reports a chain; export is the chain; verify holds; a second run goes on",
    () =>
      Effect.gen(function*() {
        const chain = yield* chainOf("whole")
        const { argv, peers, store } = yield* startNetwork(chain, ["", "", "", ""])
        const first = yield* runHere("sync", ...argv, "--until", "level:40")
        assert.strictEqual(first.code, 0, first.err + first.out)
        assert.match(first.out, /^done: reached and verified, level 40 B/)
        assert.match(first.err, /no identity at .*making one/)
        assert.strictEqual(statSync(join(store, "identity.json")).mode & 0o777, 0o600)
        assert.isFalse(existsSync(join(store, "control.sock")))
        const identity = readFileSync(join(store, "identity.json"), "utf8")

        const verified = yield* runHere("verify", store, "--json")
        const found = JSON.parse(verified.out)
        assert.deepStrictEqual([verified.code, found.verified, found.blocks, found.quorum.levelsWithout], [
          0,
          true,
          40,
          0
        ])
        const exported = yield* runHere("export", "--store", store, "--json")
        assert.deepStrictEqual([exported.code, exported.out === linesOf(chain, 1, 40)], [0, true])
        const part = yield* runHere("export", "--store", store, "--from-level", "7", "--to-level", "9")
        assert.strictEqual(part.out, linesOf(chain, 7, 9))

        // Without --network: the store knows its own.
        const named = peers.flatMap(({ point }) => ["--peer", point])
        const second = yield* runHere("sync", "--store", store, ...named, "--until", "synced", ...anyAge, "--json")
        assert.strictEqual(second.code, 0, second.err)
        const report = JSON.parse(second.out)
        assert.deepStrictEqual(
          [report.outcome, report.startLevel, report.head.level, report.blocks, report.verification.blocks],
          ["synced", 40, 60, 20, 20]
        )
        assert.strictEqual(report.head.hash, encodeHash("block", chain.head().hash))
        assert.strictEqual(readFileSync(join(store, "identity.json"), "utf8"), identity)
        assert.deepStrictEqual(peers.flatMap((peer) => peer.stats().violations), [])
        const stored = JSON.parse(readFileSync(join(store, "peerstrap-report.json"), "utf8"))
        assert.deepStrictEqual([stored.exitCode, stored.head], [0, report.head])

        const status = yield* runHere("status", "--store", store)
        assert.deepStrictEqual([status.code, status.err], [0, ""])
        assert.match(
          status.out,
          /not running; the last sync ended with exit code 0: done: synced and verified, level \d\d/
        )
        const known = JSON.parse((yield* runHere("peers", "--store", store, "--json")).out)
        assert.deepStrictEqual([known.running, known.peers.length], [false, 4])
        assert.deepStrictEqual(
          known.peers.map(({ id }: { readonly id: string }) => id).toSorted(),
          peers.map(({ peerIdText }) => peerIdText).toSorted()
        )
      }),
    timeout
  )

  it.live(
    "follows the quorum of seven peers of which two lie, and says who and with what proof",
    () =>
      Effect.gen(function*() {
        const chain = yield* chainOf("liars")
        const { argv, peers, store } = yield* startNetwork(chain, ["", "", "", "", "", "bad-ops", "forger:20:40"])
        const { code, err, out } = yield* runHere("sync", ...argv, "--until", "level:58", "--json")
        assert.strictEqual(code, 0, err + out)
        const report = JSON.parse(out)
        const blamed = new Map<string, any>(report.blamed.map((row: { readonly peer: string }) => [row.peer, row]))
        assert.deepStrictEqual(
          [...blamed.keys()].filter((id) => !peers.slice(5).some(({ peerIdText }) => peerIdText === id)),
          [],
          "an honest peer was blamed"
        )
        const forger = blamed.get(peers[6]!.peerIdText)
        assert.isAbove(Object.keys(forger.kinds).length, 0)
        assert.match(forger.evidence[0].detail, /B[1-9A-Za-z]{50}/)
        assert.isFalse(/[0-9a-f]{64}/.test(JSON.stringify(report.blamed)), "hashes are shown as people write them")
        assert.strictEqual((yield* runHere("export", "--store", store)).out, linesOf(chain, 1, 58))
      }),
    timeout
  )

  it.live("begins at a base that is known by its hash alone, and keeps it", () =>
    Effect.gen(function*() {
      const chain = yield* chainOf("based")
      const { argv, store } = yield* startNetwork(chain, ["rolling:45", "", ""])
      const hash = encodeHash("block", chain.at(30).hash)
      const first = yield* runHere("sync", ...argv, ...base(hash), "--until", "level:50", "--json")
      assert.strictEqual(first.code, 0, first.err)
      const report = JSON.parse(first.out)
      assert.deepStrictEqual([report.base, report.head.level, report.blocks], [{ level: 30, hash }, 50, 20])
      assert.strictEqual((yield* runHere("export", "--store", store)).out, linesOf(chain, 31, 50))
      assert.strictEqual((yield* runHere("verify", store)).code, 0)

      const other = yield* runHere(
        "sync",
        ...argv,
        ...base(encodeHash("block", chain.at(31).hash)),
        "--until",
        "level:55"
      )
      assert.deepStrictEqual([other.code, other.out], [2, ""])
      assert.match(other.err, /begins at another base, level 30 .*what to do: name another --store/s)
      const further = yield* runHere("sync", ...argv, "--until", "level:55")
      assert.strictEqual(further.code, 0, further.err)
    }), timeout)

  it.live("says when no peer knows the base, exit code 3", () =>
    Effect.gen(function*() {
      const { argv, store } = yield* startNetwork(yield* chainOf("no-base"), ["", ""])
      const foreign = encodeHash("block", (yield* chainOf("another")).at(5).hash)
      // A peer that lacks a block says nothing: closing the connection shows that it was asked.
      const { code, err, out } = yield* runHere("sync", ...argv, ...base(foreign), "--base-timeout", "300ms")
      assert.deepStrictEqual([code, out], [3, ""], err)
      assert.include(err, `--base ${foreign}: no peer serves the header of ${foreign}`)
      assert.match(err, /what to do: compare the hash/)
      assert.isFalse(existsSync(join(store, "STORE")))
    }), timeout)

  it.live("refuses the store of another chain and leaves it as it is", () =>
    Effect.gen(function*() {
      const { argv, directory, store } = yield* startNetwork(yield* chainOf("mine", 10), [""])
      assert.strictEqual((yield* runHere("sync", ...argv, ...alone, "--until", "level:8")).code, 0)
      const other = join(directory, "other.json")
      writeFileSync(other, networkFile(yield* chainOf("theirs", 10)))
      const { code, err, out } = yield* runHere("sync", ...argv, "--network", other)
      assert.strictEqual(code, 2)
      assert.match(err, /--network: is given twice/)
      const refused = yield* runHere("sync", ...argv.slice(2), "--network", other)
      assert.deepStrictEqual([refused.code, refused.out, out], [2, "", ""])
      assert.match(refused.err, /is the store of another chain: tezos TEZOS_MINE .*nothing was changed/)
      assert.strictEqual((yield* runHere("verify", store)).code, 0)
      assert.strictEqual((yield* runHere("verify", store, "--network", other)).code, 2)
    }), timeout)

  it.live(
    "tells a network file whose chain id does not follow from its genesis, and every other problem of it",
    () =>
      Effect.gen(function*() {
        const chain = yield* chainOf("wrong-id", 3)
        const { argv, directory, store } = yield* startNetwork(chain, [""])
        const path = join(directory, "wrong.json")
        writeFileSync(path, networkFile(chain, { chainId: "NetXdQprcVkpaWU", colour: "red" }))
        const { code, err, out } = yield* runHere("sync", ...argv.slice(2), "--network", path)
        assert.deepStrictEqual([code, out], [2, ""])
        assert.match(err, /chainId: is NetXdQprcVkpaWU .*one of the two is of another network/)
        assert.match(err, /colour: unknown key/)
        assert.isFalse(existsSync(join(store, "STORE")))
        const none = yield* runHere("sync", ...argv.slice(2), "--network", "mainnets")
        assert.strictEqual(none.code, 2)
        assert.match(none.err, /is no preset \(mainnet, shadownet, sandbox\)/)
      }),
    timeout
  )

  it.live("ends at the deadline with exit code 3 and the quorum that it waited for", () =>
    Effect.gen(function*() {
      const { argv, store } = yield* startNetwork(yield* chainOf("late"), [""])
      const { code, err, out } = yield* runHere("sync", ...argv, "--until", "synced", "--deadline", "2s")
      assert.strictEqual(code, 3, err)
      assert.match(err, /warning: 1 peer address is known, a quorum needs 3/)
      assert.match(out, /^deadline of 2\.0 s reached at level 0/)
      const last = err.split("\n").findLast((line) => line.includes(" · ")) ?? ""
      assert.match(last, /^deadline, level 0/)
      assert.notMatch(last, /ETA|done/)
      assert.match(out, /waited for at the end:[\s\S]*--min-quorum-peers/)
      assert.strictEqual((yield* runHere("verify", store)).code, 0)
    }), timeout)

  it.live("does not repeat in its result a warning of what did not come", () =>
    Effect.gen(function*() {
      const { argv, store } = yield* startNetwork(yield* chainOf("feared", 12), [""])
      const none = yield* runHere("verify", store)
      assert.strictEqual(none.code, 2)
      assert.strictEqual((yield* runHere("sync", ...argv, "--until", "level:8", "--deadline", "1s")).code, 3)
      const empty = yield* runHere("verify", store)
      assert.strictEqual(empty.code, 0)
      assert.match(empty.out, /^verified: no levels, for no block is applied there$/m)
      assert.strictEqual((yield* runHere("sync", ...argv, ...alone, "--until", "level:8")).code, 0)
      rmSync(join(store, "documents", "known-peers"))
      const { code, err, out } = yield* runHere("sync", ...argv, "--until", "level:8", "--json")
      assert.strictEqual(code, 0, err)
      assert.include(err, "1 peer address is known, a quorum needs 3")
      assert.deepStrictEqual(JSON.parse(out).warnings, [])
    }), timeout)

  it.live("halts with exit code 1 when all peers end at the same old block", () =>
    Effect.gen(function*() {
      const { argv } = yield* startNetwork(yield* chainOf("halted", 12), ["", "", ""])
      const { code, err, out } = yield* runHere("sync", ...argv, "--until", "synced", "--deadline", "40s")
      assert.strictEqual(code, 1, err + out)
      assert.match(out, /^halted: the chains of 3 of 3 peers end at our head of level 12/)
    }), timeout)

  it.live("hands blocks to a command, and says how it ended when it ends", () =>
    Effect.gen(function*() {
      const chain = yield* chainOf("command", 20)
      const { argv, directory, store } = yield* startNetwork(chain, [""])
      const seen = join(directory, "seen.txt")
      const script = join(directory, "applier.mjs")
      writeFileSync(
        script,
        `import { appendFileSync } from "node:fs"
import { createInterface } from "node:readline"
console.log(JSON.stringify({ protocol: "peerstrap-applier/1" }))
createInterface({ input: process.stdin }).on("line", (line) => {
  const { apply } = JSON.parse(line)
  if (apply.level === Number(process.argv[2])) {
    console.error("out of cheese")
    process.exit(7)
  }
  appendFileSync(${JSON.stringify(seen)}, apply.level + " " + apply.operations.length + "\\n")
  console.log(JSON.stringify({ ok: apply.hash }))
})
`
      )
      const applier = (last: number) => [
        ...alone,
        "--applier",
        "command",
        "--applier-command",
        `'${process.execPath}' '${script}' ${last}`
      ]
      const ended = yield* runHere("sync", ...argv, ...applier(11), "--until", "level:18")
      assert.strictEqual(ended.code, 4, ended.err + ended.out)
      assert.match(ended.err, /ended with exit code 7[\s\S]*out of cheese[\s\S]*what to do: .*run the same command/)
      assert.match(ended.out, /what is stored stays valid/)
      const further = yield* runHere("sync", ...argv, ...applier(0), "--until", "level:18")
      assert.strictEqual(further.code, 0, further.err + further.out)
      const levels = readFileSync(seen, "utf8").trim().split("\n").map((line) => Number(line.split(" ")[0]))
      assert.deepStrictEqual(
        levels.filter((level, at) => levels.indexOf(level) === at),
        Array.from({ length: 18 }, (_, n) => n + 1)
      )
      assert.strictEqual((yield* runHere("export", "--store", store)).out, linesOf(chain, 1, 18))
    }), timeout)

  it.live("takes everything from a config file, and serves while it listens", () =>
    Effect.gen(function*() {
      const { argv, directory } = yield* startNetwork(yield* chainOf("config", 10), [""])
      const path = join(directory, "c.yaml")
      const [, network, , store, , point] = argv
      writeFileSync(
        path,
        `sync:
  network: ${network}
  store: ${store}
  peer: [${point}]
  min-quorum-peers: 1
  until: level:8
  listen: 127.0.0.1:0
`
      )
      const { code, err } = yield* runHere("sync", "--config", path)
      assert.strictEqual(code, 0, err)
      writeFileSync(path, `${readFileSync(path, "utf8")}  min-quorum: 3\n  deadline: soon\n`)
      const wrong = yield* runHere("sync", "--config", path)
      assert.strictEqual(wrong.code, 2)
      assert.match(
        wrong.err,
        /2 problems, nothing was started[\s\S]*c\.yaml:8:3: min-quorum: [\s\S]*c\.yaml:9:\d+: deadline: /
      )
    }), timeout)

  it.live("tells local faults with exit code 4 and a damaged store with exit code 1", () =>
    Effect.gen(function*() {
      const { argv, directory, store } = yield* startNetwork(yield* chainOf("local", 10), [""])
      writeFileSync(join(directory, "file"), "")
      const below = yield* runHere("sync", ...argv.slice(0, 3), join(directory, "file", "store"), ...argv.slice(4))
      assert.deepStrictEqual([below.code, below.out], [4, ""])
      assert.match(below.err, /a part of the path is a file/)
      const taken = yield* Effect.acquireRelease(
        Effect.callback<ReturnType<typeof createServer>>((resume) => {
          const server = createServer()
          server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.sync(() => void server.close())
      )
      const { port } = taken.address() as AddressInfo
      const busy = yield* runHere("sync", ...argv, "--listen", `127.0.0.1:${port}`)
      assert.strictEqual(busy.code, 4, busy.err)
      assert.match(busy.err, /--listen: .*what to do: give another address/s)
      assert.strictEqual((yield* runHere("sync", ...argv, ...alone, "--until", "level:8")).code, 0)
      const log = join(store, "blocks-000001.log")
      truncateSync(log, Math.floor(statSync(log).size / 2))
      const damaged = yield* runHere("verify", store)
      assert.include([1, 4], damaged.code, damaged.err + damaged.out)
      assert.notStrictEqual(damaged.code, 0)
      mkdirSync(join(directory, "empty"))
      const empty = yield* runHere("verify", join(directory, "empty"))
      assert.strictEqual(empty.code, 2)
      assert.match(empty.err, /is no store of this program/)
    }), timeout)
})
