// The header of a base that is known by its hash alone: one peer after the other, until one has it.
import { assert, describe, it } from "@effect/vitest"
import { Memory } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import { findHeader, type FindHeaderOptions } from "../src/adapter/FindHeader.ts"
import { ChainProtocol } from "../src/contract/ChainProtocol.ts"
import { BaseNotFound } from "../src/contract/SyncRun.ts"
import { type Answering, honestAnswers, syntheticPeer, syntheticProtocol } from "../src/testing/index.ts"
import { chainOf, driven, placeOf, until } from "./AdapterWorld.ts"

const chain = chainOf(10)
const wanted = chain.at(7).header

const find = (options: Omit<FindHeaderOptions, "id">) =>
  driven(
    Effect.provideService(
      findHeader({ id: wanted.id, timeoutMillis: 2_000, ...options }),
      ChainProtocol,
      syntheticProtocol({ id: "us" })
    )
  )

const nobody = "10.0.0.9:1"
const peerOf = (number: number, answering: Answering, chainName = "synthetic") =>
  syntheticPeer({ id: `peer-${number}`, chain: chainName }, placeOf(number), answering)

describe("findHeader", () => {
  it.effect("asks on until a peer has it, and closes every connection", () =>
    Effect.gen(function*() {
      const silent = yield* peerOf(1, () => [])
      const leaving = yield* peerOf(2, (_, session) => {
        session.break("killed")
        return []
      })
      const wrong = yield* peerOf(3, () => [{ kind: "header", header: chain.at(6).header }])
      const foreign = yield* peerOf(4, honestAnswers(chain), "another")
      const good = yield* peerOf(5, honestAnswers(chain))
      const unasked = yield* peerOf(6, honestAnswers(chain))
      const tried: Array<string> = []
      const peers = [silent, leaving, wrong, foreign, good, unasked]
      const found = yield* find({
        points: [nobody, ...peers.map(({ point }) => point)],
        onTry: (point) => tried.push(point)
      })
      assert.deepStrictEqual(found, wanted)
      assert.deepStrictEqual(tried, [nobody, ...peers.slice(0, 5).map(({ point }) => point)])
      assert.deepStrictEqual(good.asked, [{ kind: "get-headers", ids: [wanted.id] }])
      assert.strictEqual(unasked.asked.length, 0)
      yield* until(() => peers.every(({ sessions }) => sessions.size === 0))
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("says of each peer why it was none, and what to do", () =>
    Effect.gen(function*() {
      const silent = yield* peerOf(1, () => [])
      const leaving = yield* peerOf(2, (_, session) => {
        session.break("killed")
        return []
      })
      const error = yield* Effect.flip(find({ points: [nobody, silent.point, leaving.point] }))
      assert.instanceOf(error, BaseNotFound)
      assert.strictEqual(error.asked, 3)
      assert.match(error.message, /nothing listens.*no answer within 2000 ms.*ended the connection.*--peer/s)
      const alone = yield* Effect.flip(find({ points: [] }))
      assert.match(alone.message, /no peers given/)
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))
})
