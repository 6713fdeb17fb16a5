import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { headProblem } from "../src/chains/ChainSpec.ts"
import { isIn, peerSetText, processPlans } from "../src/chains/PeerPlan.ts"
import { chainDemoFaults, chainMoves, demoNetwork, roleOf } from "../src/demo/ChainDemoPlan.ts"
import {
  chainCodeOf,
  type ChainDemoEnd,
  chainDemoJson,
  chainDemoText,
  problemsOf
} from "../src/demo/ChainDemoResult.ts"
import { AppEvents } from "../src/demo/ChainStory.ts"

const levels = 2_048
const moves = chainMoves(levels)
const faults = chainDemoFaults(levels)
const settings = { seed: 1, levels, operations: 3, host: "127.0.0.1", basePort: 0 }
const ref = (level: number) => ({ level, hash: `B${level}` })

const blame = (peer: string, disconnected = true) => ({
  peer,
  kinds: { "bad-body-proof": 2 },
  evidence: [{ kind: "bad-body-proof", subject: "block B7 unit 0", detail: "does not lead to the root" }],
  disconnected
})

const syncDocument = {
  verdict: "done",
  head: ref(moves.finalLevel),
  tookMillis: 2_000,
  blocks: 2_053,
  bytes: 1,
  chain: {
    segments: 3,
    counters: { headersReceived: 1, unitsReceived: 1, requestsSent: 1, requestsTimedOut: 0 }
  },
  blamed: [blame("idForger")],
  reorganisations: [{ fork: ref(moves.forkLevel), from: ref(levels), to: ref(levels + 1) }]
}

const verifyDocument = {
  verified: true,
  blocks: 1,
  lists: 4,
  problemCount: 0,
  quorum: { levels: 1, segments: 1, problems: [] },
  damage: []
}

const exited = (exitCode: number, document: object) => ({
  exitCode,
  signal: undefined,
  stdout: JSON.stringify(document)
})

const good: ChainDemoEnd = {
  store: "/out/chain",
  leftovers: ["/out/chain", "/out/network.json"],
  moves,
  faults,
  numbers: new Map([["idForger", 11], ["idStaller", 12], ["idMinority", 10], ["idHonest", 1]]),
  told: { synced: true, reorganised: true },
  tookMillis: 9_000,
  sync: exited(0, syncDocument),
  activity: [],
  verify: exited(0, verifyDocument),
  comparison: { expected: 1, equal: 1, operations: 3, different: 0, missing: 0, unexpected: 0, first: [] },
  messages: ["something odd"]
}

const withSync = (change: object): ChainDemoEnd => ({ ...good, sync: exited(0, { ...syncDocument, ...change }) })

describe("plan of the demonstration on a chain", () => {
  it("has thirteen peers in four processes, three of them bad and more than two thirds on the first head", () => {
    const plans = processPlans(demoNetwork(settings, true, 1_700_000_000))
    assert.lengthOf(plans, 4)
    const peers = plans.flatMap((plan) => plan.peers)
    assert.deepEqual(peers.map(({ id }) => id), Array.from({ length: 13 }, (_, i) => i + 1))
    const bad = peers.filter(({ behaviours }) => behaviours !== "")
    assert.deepEqual(bad.map(({ id }) => roleOf(id, faults)), ["forger", "staller", "flapper"])
    const first = peers.filter(({ behaviours, head }) => behaviours === "" && head.branch === "main")
    assert.isAbove(first.length, peers.length * 2 / 3)
    assert.lengthOf(demoNetwork(settings, false, 1_700_000_000).behaviours, 0)
  })

  it("names heads that exist on its chain, at most those of the seed", () => {
    const { heads, spec } = demoNetwork(settings, true, 1_700_000_000)
    for (const head of [moves.first, ...moves.later, ...heads.map(({ value }) => value)]) {
      assert.isUndefined(headProblem(spec, head))
    }
    assert.isString(headProblem(spec, { ...moves.later.at(-1)!, level: moves.finalLevel + 1 }))
    assert.equal(moves.first.level - moves.forkLevel, 2)
    assert.isAbove(moves.later[0]!.level, moves.first.level)
  })

  it("writes sets of peers as it reads them", () => {
    assert.equal(peerSetText([3, 1, 2, 7, 9, 10]), "1-3,7,9-10")
    assert.isTrue(isIn([[1, 3], [7, 7]], 7))
    assert.isFalse(isIn([[1, 3], [7, 7]], 4))
  })
})

describe("result of the demonstration on a chain", () => {
  it("is verified when everything holds, and says who was blamed for what", () => {
    assert.deepEqual(problemsOf(good), [])
    assert.equal(chainCodeOf(good), 0)
    const text = chainDemoText(good)
    assert.match(text, /^verified after 9/)
    assert.include(text, "11 (forger): bad body proof 2×, disconnected")
    assert.include(text, "block B7 unit 0: does not lead to the root")
    assert.include(text, "12 (staller): falls silent")
    assert.notInclude(text, "something odd")
    assert.include(text, "remove with: rm -r /out/chain /out/network.json)")
    assert.deepEqual([chainDemoJson(good).verified, chainDemoJson(good).sync.blamed?.[0]?.number], [true, 11])
  })

  it("is not when any part does not hold, with the reason", () => {
    const cases: ReadonlyArray<readonly [ChainDemoEnd, number, RegExp]> = [
      [{ ...good, sync: exited(3, syncDocument) }, 3, /sync ended with exit code 3/],
      [{ ...good, sync: { exitCode: undefined, signal: "SIGKILL", stdout: "" } }, 5, /sync was ended by SIGKILL/],
      [{ ...good, verify: exited(1, verifyDocument) }, 1, /verify ended with exit code 1/],
      [{ ...good, verify: undefined }, 1, /nothing to verify/],
      [{ ...good, told: { synced: false, reorganised: false } }, 1, /never said that it was synced/],
      [{ ...good, comparison: { ...good.comparison!, equal: 0, different: 1 } }, 1, /not that of the seed/],
      [withSync({ reorganisations: [] }), 1, /did not follow the reorganisation after level 2,046/],
      [withSync({ blamed: [] }), 1, /peer 11, the forger, was not blamed/],
      [withSync({ blamed: [blame("idForger"), blame("idHonest", false)] }), 1, /peer 1 \(honest\) was blamed/],
      [withSync({ blamed: [blame("idForger"), blame("idStaller")] }), 1, /peer 12 \(staller\) was disconnected/],
      [withSync({ blamed: [blame("idForger"), blame("idMinority")] }), 1, /peer 10 \(on the losing fork\) was disc/],
      [withSync({ blamed: [blame("idForger"), blame("idNobody")] }), 1, /peer idNobody \(unknown\) was disconnected/]
    ]
    for (const [end, code, says] of cases) {
      assert.equal(chainCodeOf(end), code, String(says))
      assert.match(problemsOf(end).join("\n"), says)
      assert.match(chainDemoText(end), /^NOT verified[^]*something odd/)
      assert.isFalse(chainDemoJson(end).verified)
    }
  })

  it("takes blame of those on the losing fork that only cost points", () => {
    assert.equal(chainCodeOf(withSync({ blamed: [blame("idForger"), blame("idMinority", false)] })), 0)
  })
})

const line = (name: string, fields: object) => JSON.stringify({ type: "event", name, at: 1, fields })

describe("what the app says of itself", () => {
  it.effect("counts as synced only with the level applied, and until something else is said", () =>
    Effect.gen(function*() {
      const events = new AppEvents()
      const synced = yield* Effect.forkChild(events.syncedAt(10), { startImmediately: true })
      events.take("no JSON at all")
      events.take("{\"type\":\"snapshot\",\"event\":1}")
      events.take(line("status", { status: "synced" }))
      events.take(line("status", { status: "syncing" }))
      events.take(line("applied", { level: 10 }))
      assert.isUndefined(synced.pollUnsafe())
      events.take(line("status", { status: "synced" }))
      assert.isTrue(Exit.isSuccess(yield* Fiber.await(synced)))
      const reorganised = yield* Effect.forkChild(events.reorganised, { startImmediately: true })
      assert.isUndefined(reorganised.pollUnsafe())
      events.take(line("reorganised", {}))
      yield* Fiber.join(reorganised)
      yield* events.applied(10)
    }))
})
