/** A store whose disk has changed some bytes: what verify, export, serve and sync say, and that sync makes it whole again. */
import { assert, describe, it } from "@effect/vitest"
import { encodeHash } from "@peerstrap/tezos-wire"
import type { TestChain } from "@peerstrap/tezos-wire/testing"
import * as Effect from "effect/Effect"
import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { runHere } from "./support/InProcess.ts"
import { chainOf, linesOf, startNetwork } from "./support/Network.ts"

const timeout = 60_000

/** Turns over bits of a block's stored header. */
const spoilHeader = (store: string, chain: TestChain, level: number): void => {
  const path = join(store, "blocks-000001.log")
  const log = readFileSync(path)
  const at = log.indexOf(chain.at(level).header.raw)
  assert.isAtLeast(at, 0)
  log[at + 2]! ^= 0xff
  log[at + 3]! ^= 0xff
  writeFileSync(path, log)
}

const hashAt = (chain: TestChain, level: number): string => encodeHash("block", chain.at(level).hash)

/** A store of 30 levels with the header of level 11 changed on disk. */
const damagedStore = Effect.fnUntraced(function*(seed: string, behaviours: ReadonlyArray<string>) {
  const chain = yield* chainOf(seed, 40)
  const network = yield* startNetwork(chain, behaviours)
  const first = yield* runHere("sync", ...network.argv, "--until", "level:30")
  assert.strictEqual(first.code, 0, first.err + first.out)
  spoilHeader(network.store, chain, 11)
  const found = yield* runHere("verify", network.store)
  assert.strictEqual(found.code, 1, found.out)
  assert.include(found.out, `what to do: run peerstrap-chain sync --store ${network.store}: `)
  return network
})

describe("a damaged store", () => {
  it.live(
    "is made whole by sync, which says so; until then export and serve name what to run",
    () =>
      Effect.gen(function*() {
        const { argv, chain, store } = yield* damagedStore("mended", ["", "", ""])
        const exported = yield* runHere("export", "--store", store)
        assert.strictEqual(exported.code, 4)
        assert.include(exported.err, `level 11 ${hashAt(chain, 11)}: its header is not held`)
        assert.include(exported.err, `what to do: run peerstrap-chain sync --store ${store}: `)
        const served = yield* runHere("serve", "--store", store, "--listen", "127.0.0.1:0")
        assert.strictEqual(served.code, 4, served.out)
        assert.include(served.err, `1 block of its chain not whole, the lowest at level 11 ${hashAt(chain, 11)}`)
        assert.include(served.err, `run peerstrap-chain sync --store ${store} --until level:30`)

        const synced = yield* runHere("sync", ...argv, "--until", "level:30", "--json")
        const report = JSON.parse(synced.out)
        assert.deepStrictEqual([synced.code, report.repair.blocks, report.repair.blocksLeft], [0, 1, 0], synced.err)
        assert.match(report.verdict, /^done: was there already, level 30 .*; damaged blocks were fetched again$/)
        assert.include(synced.err, "\"name\":\"store-mended\"")
        assert.deepStrictEqual(report.warnings, [])
        const verified = yield* runHere("verify", store)
        assert.strictEqual(verified.code, 0, verified.out)
        assert.match(verified.out, /^verified: .*mended: 1 damaged place of the log/s)
        assert.strictEqual((yield* runHere("export", "--store", store)).out, linesOf(chain, 1, 30))

        // The same in one run that goes on: peers that were asked for what was lost are asked for more.
        spoilHeader(store, chain, 20)
        assert.strictEqual((yield* runHere("verify", store)).code, 1)
        const again = yield* runHere("sync", ...argv, "--until", "level:35")
        assert.strictEqual(again.code, 0, again.err)
        assert.match(again.out, /^done: reached and verified, level 35 .*mended: 1 block/s)
        const last = yield* runHere("sync", ...argv, "--until", "level:36")
        assert.strictEqual(last.code, 0, last.err)
        assert.notInclude(last.err, "damaged")
      }),
    timeout
  )

  it.live(
    "that no peer can mend ends sync with exit code 1 and the levels, though the head is reached",
    () =>
      Effect.gen(function*() {
        const { argv, chain, store } = yield* damagedStore("unmended", ["", "", ""])
        // Peers of the run before are remembered, and would be asked as well.
        rmSync(join(store, "documents", "known-peers"))
        const rolling = yield* startNetwork(chain, ["rolling:20"])
        const few = ["--header-timeout", "500ms", "--operations-timeout", "500ms", "--until", "level:30"]
        const { code, err, out } = yield* runHere("sync", ...argv.slice(0, 4), ...rolling.argv.slice(4), ...few)
        assert.strictEqual(code, 1, err + out)
        assert.match(out, /^NOT whole: 1 damaged block could not be fetched again; at level 30/)
        assert.include(out, `lacks of 1 block: level 11 ${hashAt(chain, 11)}; run sync with --store ${store} again`)
        assert.strictEqual((yield* runHere("verify", store)).code, 1)
      }),
    timeout
  )
})
