/** What a user of a service sees through the meter: the same values, each call counted once, by whose failure it was. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { meteredService } from "../src/adapter/MeteredService.ts"
import { EdgeMeter } from "../src/engine/EdgeMeter.ts"

class Jam extends Data.TaggedError("Jam")<{ readonly cause?: unknown }> {}
class Tag extends Context.Service<Tag, { readonly size: number }>()("test/Tag") {}

class Wheel {
  #turns = 0
  teeth = 3
  broken: Jam | undefined
  get turns(): number {
    return this.#turns
  }
  get later(): Effect.Effect<number> {
    const now = this.#turns
    return Effect.succeed(now)
  }
  get twice(): (value: number) => Effect.Effect<number> {
    const turns = this.#turns
    return (value) => Effect.sync(() => value * 2 + turns)
  }
  turn(): Effect.Effect<number> {
    return Effect.sync(() => ++this.#turns)
  }
  *[Symbol.iterator](): Generator<number> {
    yield this.teeth
  }
}

/** Each part with those that it uses, directly or through others. */
const uses: Readonly<Record<string, ReadonlyArray<string>>> = { counter: ["gears", "spring"], gears: ["spring"] }

const make = () => {
  const meter = new EdgeMeter((part) => new Set(uses[part]))
  const over = <S>(from: string, to: string, service: S): S =>
    meteredService(service, meter, meter.edge(from, to, to)) as S
  const counts = (from: string, to: string) => {
    const { failure, interrupted, refused, success } = meter.edge(from, to, to)
    return { success, failure, refused, interrupted }
  }
  return { over, counts }
}

const none = { success: 0, failure: 0, refused: 0, interrupted: 0 }

const caught = (use: () => unknown): unknown => {
  try {
    return use()
  } catch (error) {
    return error
  }
}

describe("a metered service", () => {
  it.effect("has the same values: errors, exits, classes, functions with members, symbols, what it is an instance of", () =>
    Effect.gen(function*() {
      const { counts, over } = make()
      const jam = new Jam({})
      const exit = Exit.succeed(7)
      const plain = over("program", "gears", {
        errorOf: () => jam,
        last: jam,
        answer: () => exit,
        tag: Tag,
        make: Wheel,
        lookup: Object.assign((key: string) => key.length, { version: 3 }),
        none: undefined,
        list: [1]
      })
      assert.strictEqual(plain.errorOf(), jam)
      assert.strictEqual(plain.last, jam)
      assert.strictEqual(plain.answer(), exit)
      assert.strictEqual(plain.tag, Tag)
      assert.strictEqual(new plain.make().teeth, 3)
      assert.deepStrictEqual([plain.lookup("four"), plain.lookup.version], [4, 3])
      assert.deepStrictEqual(Object.keys(plain).length, 8)
      assert.deepStrictEqual(counts("program", "gears"), { ...none, success: 1 })
      const wheel = over("program", "spring", new Wheel())
      assert.instanceOf(wheel, Wheel)
      assert.deepStrictEqual([...wheel], [3])
      assert.strictEqual(yield* wheel.turn(), 1)
      assert.deepStrictEqual(over("program", "gears", [1, 2]), [1, 2])
    }))

  it.effect("changes as the service does, and the service through it", () =>
    Effect.gen(function*() {
      const { counts, over } = make()
      const wheel = new Wheel()
      const seen = over("program", "gears", wheel)
      yield* seen.turn()
      yield* seen.turn()
      assert.deepStrictEqual([seen.turns, yield* seen.later, yield* seen.twice(10)], [2, 2, 22])
      seen.teeth = 5
      assert.deepStrictEqual([wheel.teeth, seen.teeth], [5, 5])
      wheel.turn = () => Effect.succeed(99)
      assert.strictEqual(yield* seen.turn(), 99)
      assert.deepStrictEqual(counts("program", "gears"), { ...none, success: 5 })
      const fixed = over("program", "gears", Object.freeze({ teeth: 3 })) as { teeth: number }
      assert.instanceOf(caught(() => void (fixed.teeth = 4)), TypeError)
    }))

  it("wraps a member once: a method is the same each time that it is read", () => {
    const seen = make().over("program", "gears", new Wheel())
    assert.strictEqual(seen.turn, seen.turn)
  })

  it.effect("a service that is an Effect is counted itself", () =>
    Effect.gen(function*() {
      const { counts, over } = make()
      assert.strictEqual(yield* over("program", "gears", Effect.suspend(() => Effect.succeed(3))), 3)
      assert.deepStrictEqual(counts("program", "gears"), { ...none, success: 1 })
    }))
})

describe("the end of a call", () => {
  it.effect("is a failure of the part each time that it fails, with the same error or with one that a neighbour has, too", () =>
    Effect.gen(function*() {
      const { counts, over } = make()
      const jam = new Jam({})
      const gears = over("counter", "gears", {
        turn: Effect.fail(jam),
        get: () => Effect.suspend(() => Effect.fail(jam))
      })
      const printer = over("counter", "printer", { print: Effect.fail(jam) })
      for (let turn = 0; turn < 3; turn++) yield* Effect.exit(gears.turn)
      yield* Effect.exit(Effect.retry(gears.get(), { times: 4 }))
      yield* Effect.exit(printer.print)
      yield* Effect.exit(gears.turn)
      assert.deepStrictEqual(counts("counter", "gears"), { ...none, failure: 9 })
      assert.deepStrictEqual(counts("counter", "printer"), { ...none, failure: 1 })
    }))

  it.effect("is refused when the error, or its cause, came from further down, each time", () =>
    Effect.gen(function*() {
      const { counts, over } = make()
      const jam = new Jam({})
      const spring = over("gears", "spring", { push: Effect.fail(jam) })
      const gears = over("counter", "gears", { turn: spring.push })
      const counter = over("program", "counter", {
        count: Effect.mapError(gears.turn, (cause) => new Jam({ cause })),
        own: Effect.fail(new Jam({}))
      })
      for (let turn = 0; turn < 2; turn++) yield* Effect.exit(counter.count)
      yield* Effect.exit(counter.own)
      assert.deepStrictEqual(counts("gears", "spring"), { ...none, failure: 2 })
      assert.deepStrictEqual(counts("counter", "gears"), { ...none, refused: 2 })
      assert.deepStrictEqual(counts("program", "counter"), { ...none, refused: 2, failure: 1 })
    }))

  it("is a failure when the method throws", () => {
    const { counts, over } = make()
    const jam = new Error("sync")
    const gears = over("program", "gears", {
      boom: (): number => {
        throw jam
      }
    })
    assert.strictEqual(caught(() => gears.boom()), jam)
    assert.deepStrictEqual(counts("program", "gears"), { ...none, failure: 1 })
  })
})
