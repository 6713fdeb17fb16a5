// Bodies and the ledger: every byte that a body draws is given back once, whatever becomes of the body; without memory nothing is lost.
import { assert, describe, it } from "@effect/vitest"
import { ByteLedger, Memory } from "@peerstrap/transport"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { BodyMemory } from "../src/adapter/BodyMemory.ts"
import { ChainLimits } from "../src/contract/ChainLimits.ts"
import { StoreError } from "../src/contract/ChainStore.ts"
import { type Answering, encodeFrame, honestAnswers, syntheticProof } from "../src/testing/index.ts"
import { hexOf, toWire } from "../src/testing/SyntheticWire.ts"
import { atHeadOf, chainOf, driven, memoryStore, peersOf, pointsOf, startRun, until } from "./AdapterWorld.ts"

describe("bodies in a run", () => {
  it.effect("repeated ones, wrong ones and unasked ones are given back while the run goes on", () =>
    Effect.gen(function*() {
      const chain = chainOf(120)
      yield* atHeadOf(chain)
      let extra = 0
      const twice: Answering = (request) => {
        const replies = honestAnswers(chain)(request)
        if (request.kind !== "get-units") return replies
        extra += replies.length
        return [...replies, ...replies]
      }
      const wrong: Answering = (request) =>
        honestAnswers(chain)(request).map((reply) =>
          reply.kind === "unit" ? { ...reply, units: reply.units.map((unit) => Uint8Array.of(...unit, 1)) } : reply
        )
      const unasked: Answering = (request, session) => {
        const { header, units } = chain.at(3)
        if (request.kind === "get-headers") {
          session.tell([{ kind: "unit", block: header.id, unit: 0, units }])
        }
        return honestAnswers(chain)(request)
      }
      const peers = yield* peersOf(chain, 7, (number) => [wrong, unasked][number - 1] ?? twice)
      const { ledger, notices, run, store } = yield* startRun({
        chain,
        named: pointsOf(peers),
        sync: { until: undefined, peers: 7 }
      })
      yield* until(() => store.head.level === 120)
      yield* until(() => notices.some((notice) => notice.kind === "status" && notice.status === "synced"))
      const blamed = new Set(notices.flatMap((notice) => notice.kind === "blamed" ? [notice.record.kind] : []))
      assert.isAbove(extra, 0)
      assert.deepStrictEqual([...blamed].toSorted(), ["bad-body-proof", "never-asked"])
      assert.isAbove(ledger.peak, 0)
      // Not because the run is over: it follows the chain.
      assert.strictEqual(ledger.used, 0)
      yield* driven(run.stop)
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("fit one after the other into a small ledger: connections wait, nothing is lost, the capacity holds", () =>
    Effect.gen(function*() {
      const chain = chainOf(40, 2, 4_000)
      yield* atHeadOf(chain)
      const peers = yield* peersOf(chain, 4)
      const { ledger, run } = yield* startRun({ chain, named: pointsOf(peers), ledgerBytes: 4_096 })
      assert.strictEqual((yield* driven(run.done))?.outcome, "level-reached")
      assert.isAtMost(ledger.peak, 4_096)
      assert.isAbove(ledger.peak, 3_000)
      assert.strictEqual(ledger.used, 0)
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("wait for memory that others hold, and are tried again though nobody tells", () =>
    Effect.gen(function*() {
      const chain = chainOf(20, 2, 4_000)
      yield* atHeadOf(chain)
      const peers = yield* peersOf(chain, 4)
      const { ledger, run, store } = yield* startRun({ chain, named: pointsOf(peers), ledgerBytes: 8_192 })
      assert.isTrue(ledger.tryReserve("frames", 8_192))
      yield* until(() => peers.some(({ asked }) => asked.some(({ kind }) => kind === "get-units")))
      yield* driven(Effect.sleep(1_000))
      assert.strictEqual(store.head.level, 0)
      ledger.release("frames", 8_192)
      yield* driven(Effect.sleep(ChainLimits.memoryRetryMillis + 10))
      assert.isTrue(chain.main.some(({ header }) => store.unitsHeld(header.id) > 0))
      assert.strictEqual((yield* driven(run.done))?.outcome, "level-reached")
      assert.strictEqual(ledger.used, 0)
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("go on at once when the limit is raised; until then the run says what it is and how to raise it", () =>
    Effect.gen(function*() {
      const chain = chainOf(20, 2, 4_000)
      yield* atHeadOf(chain)
      const peers = yield* peersOf(chain, 4)
      const { ledger, run, store } = yield* startRun({ chain, named: pointsOf(peers), ledgerBytes: 16_384 })
      assert.isTrue(ledger.tryReserve("frames", 8_192))
      ledger.resize(4_096)
      yield* until(() => run.waits().some(({ subject }) => subject === "bodies"))
      const wait = run.waits().find(({ subject }) => subject === "bodies")
      assert.match(wait!.cause, /^8192 of 4096 bytes are in use.*the limit was lowered/)
      assert.match(wait!.remedy, /peerstrap-chain set memory\.bounded bytes 1MiB .*--memory/)
      assert.isFalse(chain.main.some(({ header }) => store.unitsHeld(header.id) > 0))
      const before = yield* Clock.currentTimeMillis
      ledger.resize(16_384)
      yield* until(() => chain.main.some(({ header }) => store.unitsHeld(header.id) > 0))
      assert.isBelow((yield* Clock.currentTimeMillis) - before, ChainLimits.memoryRetryMillis)
      assert.isFalse(run.waits().some(({ subject }) => subject === "bodies"))
      assert.strictEqual((yield* driven(run.done))?.outcome, "level-reached")
      assert.strictEqual(ledger.used, 8_192)
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("of connections that close while theirs are held or queued come from others", () =>
    Effect.gen(function*() {
      const chain = chainOf(30, 3, 4_000)
      yield* atHeadOf(chain)
      const leavers = new Set<number>()
      const leaver = (number: number): Answering => (request, session) => {
        const replies = honestAnswers(chain)(request)
        if (request.kind !== "get-units" || leavers.has(number)) return replies
        leavers.add(number)
        session.tell(replies, () => session.break("killed"))
        return []
      }
      const peers = yield* peersOf(chain, 5, (number) => number <= 2 ? leaver(number) : undefined)
      const { ledger, run } = yield* startRun({
        chain,
        named: pointsOf(peers),
        ledgerBytes: 4_096,
        sync: { peers: 5 }
      })
      assert.strictEqual((yield* driven(run.done))?.outcome, "level-reached")
      assert.strictEqual(leavers.size, 2)
      assert.strictEqual(ledger.used, 0)
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("that never become durable are given back when the run ends", () =>
    Effect.gen(function*() {
      const chain = chainOf(20)
      yield* atHeadOf(chain)
      const peers = yield* peersOf(chain, 4)
      const store = yield* memoryStore(chain)
      const full = new StoreError({ reason: "no-space", path: "x", message: "the disk is full" })
      let drawn = 0
      const ledger = new ByteLedger(2 ** 20)
      const appendUnits = () =>
        Effect.suspend(() => {
          drawn = ledger.used
          return Effect.fail(full)
        })
      const { run } = yield* startRun({
        chain,
        store: Object.assign(Object.create(store), { appendUnits }),
        named: pointsOf(peers),
        run: { ledger }
      })
      assert.strictEqual(yield* driven(Effect.flip(run.done)), full)
      assert.isAbove(drawn, 0)
      assert.strictEqual(ledger.used, 0)
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("larger than all the memory end the connection with the reason, not the run", () =>
    Effect.gen(function*() {
      const chain = chainOf(10, 4, 64)
      yield* atHeadOf(chain)
      const large = new Uint8Array(5_000)
      const unit = { kind: "unit", block: chain.head.header.id, unit: 0, units: [large, large] } as const
      const greedy: Answering = (request) => request.kind === "get-branch" ? [unit] : honestAnswers(chain)(request)
      const peers = yield* peersOf(chain, 5, (number) => number === 1 ? greedy : undefined)
      const { ledger, notices, run } = yield* startRun({ chain, named: pointsOf(peers), ledgerBytes: 4_096 })
      assert.strictEqual((yield* driven(run.done))?.outcome, "level-reached")
      const reasons = notices.flatMap((notice) => notice.kind === "peer-down" ? [notice.reason] : [])
      assert.match(reasons.join(), /5000 bytes is larger than all the memory/)
      assert.strictEqual(ledger.used, 0)
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))
})

describe("BodyMemory", () => {
  it("gives back once, never more than was drawn, and all when it closes", () => {
    const ledger = new ByteLedger(100)
    const [one, other] = [new BodyMemory(ledger), new BodyMemory(ledger)]
    assert.isTrue(one.tryDraw(40) && other.tryDraw(30))
    assert.isFalse(one.tryDraw(31))
    assert.isFalse(one.fits(101))
    one.giveBack(10)
    assert.throws(() => one.giveBack(31), RangeError)
    assert.deepStrictEqual([one.drawn, ledger.used], [30, 60])
    one.close()
    one.close()
    one.giveBack(30)
    assert.isTrue(one.tryDraw(1_000))
    assert.strictEqual(ledger.used, 30)
    other.close()
    assert.strictEqual(ledger.used, 0)
  })
})

describe("the synthetic wire", () => {
  it("has frames of a length and JSON", () => {
    const chain = chainOf(2)
    const { header, units } = chain.at(1)
    const message = toWire({ kind: "unit", block: header.id, unit: 1, units }, syntheticProof)
    const text = JSON.stringify({
      kind: "unit",
      block: header.id,
      unit: 1,
      body: hexOf(units[1]!),
      proof: hexOf(chain.proof(chain.at(1)))
    })
    assert.strictEqual(
      hexOf(encodeFrame(message)),
      `${text.length.toString(16).padStart(8, "0")}${Buffer.from(text).toString("hex")}`
    )
  })
})
