/** Against a second implementation of a peer that shares no code with ours, which audits what it is asked. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { sharedPath } from "../../../tools/shared.ts"
import { runChild, startChild } from "./support/ChildProgram.ts"
import { temporaryDirectory } from "./support/Directories.ts"
import { runHere } from "./support/InProcess.ts"
import { exportedLines, networkOf } from "./support/RecordedChain.ts"
import { chainFile, python, startTezPeers, tezPeerMissing, type TezPeers } from "./support/TezPeer.ts"

if (tezPeerMissing !== undefined) console.error(`NOT RUN against the independent peer: ${tezPeerMissing}`)

const timeout = 60_000
const alone = ["--min-quorum-peers", "1"]
const linear = chainFile("linear-300")

const faults = ({ lines }: TezPeers) =>
  lines.filter(({ ev }) => ev === "violation" || ev === "undecodable" || ev === "handshake-failed")

const prepare = Effect.fnUntraced(function*(chain: string, points: ReadonlyArray<string>, validationPasses = 4) {
  const directory = yield* temporaryDirectory
  const network = join(directory, "network.json")
  writeFileSync(network, networkOf(chain, { validationPasses }))
  const store = join(directory, "store")
  const named = points.flatMap((point) => ["--peer", point])
  return { store, argv: ["sync", "--network", network, "--store", store, ...named] }
})

describe.runIf(tezPeerMissing === undefined)("against an independent peer", () => {
  it.live(
    "one honest peer: the recorded chain, byte for byte, and no rule of the wire broken",
    () =>
      Effect.gen(function*() {
        const peers = yield* startTezPeers("serve", "--chain", linear, "--listen", "127.0.0.1:0", "--log", "brief")
        const { argv, store } = yield* prepare(linear, peers.points)
        const { code, err, out } = yield* runChild(...argv, ...alone, "--until", "level:298")
        assert.strictEqual(code, 0, err + out)
        assert.match(out, /^done: reached and verified, level 298 BL/)
        assert.strictEqual((yield* runHere("verify", store)).code, 0)
        const exported = yield* runChild("export", "--store", store, "--json")
        assert.isTrue(exported.out === exportedLines(linear, 1, 298), "export differs from the chain file")
        assert.deepStrictEqual(faults(peers), [])

        const server = yield* startChild("serve", "--store", store, "--listen", "127.0.0.1:0", "--json")
        const found = yield* server.finds(/"name":"listening".*?"address":"([^"]+)"/)
        // Ends with 0 only if every check of the dialler holds.
        execFileSync(
          python,
          [sharedPath("peers/tezpeer.py"), "dial", found[1]!, "--chain", linear, "--walk", "100", "--log", "none"],
          { stdio: ["ignore", "ignore", "inherit"] }
        )
      }),
    timeout
  )

  it.live("a swarm of seven with liars and a silent one", () =>
    Effect.gen(function*() {
      const spec = "honest:4,slow:20:1,bad-ops:1,fork:100:150:1"
      const peers = yield* startTezPeers("swarm", "--chain", linear, "--peers", "7", "--spec", spec, "--log", "brief")
      const { argv, store } = yield* prepare(linear, peers.points)
      const { code, err, out } = yield* runChild(...argv, "--until", "level:298", "--json")
      assert.strictEqual(code, 0, err + out)
      const { blamed } = JSON.parse(out) as { readonly blamed: ReadonlyArray<{ readonly peer: string }> }
      const liars = peers.ids.slice(5)
      assert.deepStrictEqual(blamed.map(({ peer }) => peer).filter((peer) => !liars.includes(peer)), [])
      assert.include(blamed.map(({ peer }) => peer), liars[1])
      assert.strictEqual((yield* runHere("verify", store)).code, 0)
      assert.isTrue((yield* runHere("export", "--store", store)).out === exportedLines(linear, 1, 298))
    }), timeout)

  it.live("killed at any time, the same command comes to the same chain", () =>
    Effect.gen(function*() {
      const peers = yield* startTezPeers("serve", "--chain", linear, "--behaviour", "slow:15", "--log", "none")
      const { argv, store } = yield* prepare(linear, peers.points)
      const until = [...alone, "--until", "level:120", "--json"]
      for (let kill = 0; kill < 3; kill++) {
        const child = yield* startChild(...argv, ...until)
        yield* child.says(/"name":"applied"/)
        yield* child.signal("SIGKILL")
        yield* child.end
        assert.strictEqual((yield* runHere("verify", store)).code, 0)
      }
      const last = yield* runHere(...argv, ...until)
      assert.strictEqual(last.code, 0, last.err)
      assert.isAbove(JSON.parse(last.out).startLevel, 0)
      assert.isTrue((yield* runHere("export", "--store", store)).out === exportedLines(linear, 1, 120))
    }), timeout)

  it.live("other numbers of passes, and headers of many chunks", () =>
    Effect.gen(function*() {
      for (
        const [name, top, passes] of [["passes-3-20", 18, 3], ["passes-8-20", 18, 8], ["multi-chunk-3", 3, 4]] as const
      ) {
        const chain = chainFile(name)
        const peers = yield* startTezPeers("serve", "--chain", chain, "--log", "brief")
        const { argv, store } = yield* prepare(chain, peers.points, passes)
        const { code, err } = yield* runHere(...argv, ...alone, "--until", `level:${top}`)
        assert.strictEqual(code, 0, `${name}: ${err}`)
        assert.isTrue((yield* runHere("export", "--store", store)).out === exportedLines(chain, 1, top), name)
        assert.deepStrictEqual(faults(peers), [])
      }
    }), timeout)

  it.live("says that the peers are of another network or chain", () =>
    Effect.gen(function*() {
      const named = yield* startTezPeers("serve", "--chain", linear, "--chain-name", "TEZOS_OTHER", "--log", "none")
      const other = yield* startTezPeers("serve", "--chain", linear, "--behaviour", "wrong-chain", "--log", "none")
      const { argv } = yield* prepare(linear, [...named.points, ...other.points])
      const { code, out } = yield* runHere(...argv, ...alone, "--min-peers", "1", "--deadline", "2s")
      assert.strictEqual(code, 3)
      assert.match(out, /it is on "TEZOS_OTHER", we are on "TEZOS"[\s\S]*what to do: .*compare chainName/)
      assert.match(out, /its messages are of another chain id[\s\S]*what to do: .*correct --network/)
    }), timeout)
})
