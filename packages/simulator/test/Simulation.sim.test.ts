// Effect programs in virtual time: the transport's own contract, timeouts, stuck programs, determinism.
import { assert, describe, it } from "@effect/vitest"
import {
  assertSeeds,
  formatReport,
  NotDeterministic,
  runSeeds,
  scenario,
  seedsFor,
  simulate,
  simulatedRun,
  SimulatedTransport,
  simulatedTransport,
  simulateOrThrow,
  SimulationStuck
} from "@peerstrap/simulator"
import { Transport } from "@peerstrap/transport"
import { collect, pattern, transportKit, transportSuite } from "@peerstrap/transport/testing"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as EffectRandom from "effect/Random"

describe("the contract of Transport", () => {
  for (const seed of [1, 2]) {
    transportSuite(`SimulatedTransport, seed ${seed},`, simulatedTransport("a"), {
      capabilities: {},
      test: it,
      run: simulatedRun({ seed, link: { latencyMillis: 2, jitterMillis: 5, bytesPerSecond: 20_000_000 } })
    })
  }

  it("has no network outside of a simulation, and says so", async () => {
    const exit = await Effect.runPromiseExit(Effect.provide(Transport, simulatedTransport("a")))
    assert.match(String(exit), /does not run under simulatedRun/)
  })
})

const contract = scenario({
  name: "simulated-transport-contract",
  run: async (seed) => {
    const check = transportKit.checks[seed % transportKit.checks.length]!
    try {
      return await simulateOrThrow(
        { seed, link: { latencyMillis: 2, jitterMillis: 5 } },
        ({ network }) => Effect.provideService(check.run, Transport, SimulatedTransport.make(network, "a"))
      )
    } catch (error) {
      throw new Error(`${check.name}: ${String(error)}`, { cause: error })
    }
  }
})

/** Five clients send to one server, which echoes, while the network is partitioned and healed by the seed. */
const echo = scenario({
  name: "echo-through-partitions",
  run: (seed) =>
    simulateOrThrow({ seed, maxVirtualMillis: 600_000 }, ({ network, random }) =>
      Effect.gen(function*() {
        const clients = Array.from({ length: 5 }, (_, i) => `client-${i}`)
        const server = SimulatedTransport.make(network, "server")
        const listener = yield* server.listen({ host: "server", port: 0 }, (connection) => {
          const received = collect(connection)
          return received.until(20_000).pipe(
            Effect.andThen(Effect.suspend(() => connection.write([received.bytes()]))),
            Effect.ignore,
            Effect.andThen(Effect.asVoid(connection.closed))
          )
        })
        yield* Effect.forkScoped(Effect.gen(function*() {
          for (;;) {
            yield* Effect.sleep(random.int(1, 200))
            network.partition([random.pick(clients)], ["server"], { oneWay: random.chance(0.5) })
            yield* Effect.sleep(random.int(1, 200))
            network.heal()
          }
        }))
        yield* Effect.forEach(clients, (client, i) =>
          Effect.scoped(Effect.gen(function*() {
            network.setLink(client, "server", { latencyMillis: random.int(1, 50), bytesPerSecond: 50_000 })
            const connection = yield* SimulatedTransport.make(network, client).dial(listener.address)
            const received = collect(connection)
            const sent = pattern(20_000, i)
            yield* Effect.all([connection.write([sent.subarray(0, 7_000)]), connection.write([sent.subarray(7_000)])])
            yield* received.until(sent.length)
            assert.deepStrictEqual(received.bytes(), sent)
          })), { concurrency: "unbounded" })
      }))
})

/** Which of six sleepers wakes first, and a random number. */
const wakeOrder = (seed: number) =>
  simulateOrThrow({ seed }, () =>
    Effect.gen(function*() {
      const order: Array<number> = []
      const turn = (i: number) =>
        Effect.gen(function*() {
          yield* Effect.sleep(10)
          order.push(i)
        })
      yield* Effect.forEach([0, 1, 2, 3, 4, 5], turn, { concurrency: "unbounded", discard: true })
      return [...order, yield* EffectRandom.next].join()
    }))

describe("simulate", () => {
  it("passes the transport's own contract, under delay and jitter", async () => {
    const seeds = transportKit.checks.map((_, i) => i)
    const report = assertSeeds(await runSeeds({ scenario: contract, seeds, repeatEvery: 1 }))
    assert.strictEqual(report.repeated, transportKit.checks.length)
  })

  it("echoes through partitions, and the same seed gives the same events", async () => {
    const report = assertSeeds(await runSeeds({ scenario: echo, seeds: seedsFor(echo.name) }))
    assert.isAtLeast(report.repeated, 1)
    assert.strictEqual(report.distinct, report.seeds)
  })

  it("passes days in no time", async () => {
    const result = await simulateOrThrow({ seed: 1, startMillis: 1_700_000_000_000 }, () =>
      Effect.gen(function*() {
        yield* Effect.sleep("2 days")
        const slow = yield* Effect.forkScoped(Effect.timeoutOption(Effect.never, "1 hour"))
        yield* Fiber.join(slow)
        return yield* Clock.currentTimeMillis
      }))
    assert.strictEqual(result.value, 1_700_000_000_000 + 49 * 3_600_000)
    assert.isBelow(result.events, 100)
  })

  it("leaves no event behind for a timeout that was not needed", async () => {
    const { value } = await simulateOrThrow({ seed: 1 }, ({ scheduler }) =>
      Effect.gen(function*() {
        yield* Effect.timeout(Effect.sleep(1), "1 hour")
        return scheduler.pending
      }))
    assert.strictEqual(value, 0)
  })

  it("gives Effect's random numbers and the order of fibers to the seed", async () => {
    const first = await wakeOrder(1)
    assert.deepStrictEqual(await wakeOrder(1), first)
    const others = await Promise.all([2, 3, 4].map(wakeOrder))
    assert.strictEqual(new Set([first, ...others].map(({ value }) => value)).size, 4)
  })

  it("says when a program is stuck, and runs its finalizers", async () => {
    let released = false
    const result = await simulate({ seed: 3 }, () =>
      Effect.gen(function*() {
        yield* Effect.addFinalizer(() =>
          Effect.sync(() => {
            released = true
          })
        )
        yield* Effect.sleep(5)
        return yield* Effect.never
      }))
    assert.isTrue(Exit.isFailure(result.exit))
    const why = Exit.isFailure(result.exit) ? Cause.squash(result.exit.cause) : undefined
    assert.instanceOf(why, SimulationStuck)
    assert.include(why.message, "seed 3")
    assert.isTrue(released)
  })

  it("interrupts what does not end within its virtual time", async () => {
    const result = await simulate({ seed: 3, maxVirtualMillis: 1_000 }, () => Effect.forever(Effect.sleep(10)))
    assert.isTrue(Exit.isFailure(result.exit))
    assert.isAtMost(result.virtualMillis, 1_010)
  })

  it("waits for work outside of the simulation", async () => {
    const outside = new Promise<string>((resolve) => setImmediate(() => setImmediate(() => resolve("done"))))
    const { value } = await simulateOrThrow({ seed: 1 }, () => Effect.promise(() => outside))
    assert.strictEqual(value, "done")
  })

  it("times a dial out in virtual time", async () => {
    const result = await simulateOrThrow({ seed: 1 }, ({ network }) =>
      Effect.gen(function*() {
        network.addNode("b")
        network.partition(["a"], ["b"])
        const dial = SimulatedTransport.make(network, "a").dial({ host: "b", port: 1 }, { timeoutMillis: 3_000 })
        return (yield* Effect.flip(dial)).reason
      }))
    assert.deepStrictEqual([result.value, result.virtualMillis], ["timeout", 3_000])
  })
})

describe("runSeeds", () => {
  it("reports failing seeds with the line that replays them, and stops after a few", async () => {
    const odd = scenario({
      name: "odd-fails",
      run: (seed) => {
        if (seed % 2 === 1) throw new Error(`odd ${seed}`)
        return { hash: String(seed) }
      }
    })
    const report = await runSeeds({ scenario: odd, seeds: 100, from: 10, maxFailures: 2 })
    assert.deepStrictEqual(report.failures.map(({ seed }) => seed), [11, 13])
    assert.include(formatReport(report), "npm run sim -- --scenario odd-fails --seed 11")
    assert.throws(() => assertSeeds(report), /--seed 13/)
  })

  it("finds a scenario that is not the seed's", async () => {
    let runs = 0
    const drifting = scenario({ name: "drifting", run: () => ({ hash: String(runs++) }) })
    const report = await runSeeds({ scenario: drifting, seeds: 1 })
    assert.instanceOf(report.failures[0]?.error, NotDeterministic)
  })

  it("refuses a name that a command line could not carry", () => {
    assert.throws(() => scenario({ name: "Two Words", run: () => ({ hash: "" }) }), RangeError)
  })
})

describe("seedsFor", () => {
  it("is few by default, more or one by the environment, and differs by name", () => {
    assert.strictEqual(seedsFor("x", 5, {}).length, 5)
    assert.strictEqual(seedsFor("x", 5, { PEERSTRAP_SEEDS: "50" }).length, 50)
    assert.deepStrictEqual(seedsFor("x", 5, { PEERSTRAP_SEED: "17" }), [17])
    assert.notDeepEqual(seedsFor("x", 5, {}), seedsFor("y", 5, {}))
    assert.deepStrictEqual(seedsFor("x", 5, {}), seedsFor("x", 5, {}))
    assert.throws(() => seedsFor("x", 5, { PEERSTRAP_SEEDS: "many" }), RangeError)
  })
})
