/** What the compiler says about compositions. A line under an expectation that compiles fails the type check of this file. */
import { assert, describe, it } from "@effect/vitest"
import { type AnyPart, compose, type Composition } from "../src/index.ts"
import { type Counter, type Gears, makeShop, type Printers } from "./shop.ts"

describe("types of compose", () => {
  const { clockwork, paper, steel, wood } = makeShop([])

  it("what is provided is inferred", () => {
    const all: Composition<Gears | Printers | Counter> = compose(
      steel({ teeth: 12 }),
      paper({ name: "a" }),
      clockwork({})
    )
    assert.strictEqual(all.parts.length, 3)
  })

  it("order does not matter", () => {
    assert.strictEqual(compose(clockwork({}), paper({ name: "a" }), steel({ teeth: 12 })).parts.length, 3)
  })

  it("several of a kind `many` are fine", () => {
    assert.strictEqual(compose(paper({ name: "a" }), paper({ name: "b" })).parts.length, 2)
  })

  it("a missing requirement does not compile", () => {
    // @ts-expect-error nothing provides Printers
    assert.strictEqual(compose(steel({ teeth: 12 }), clockwork({})).parts.length, 2)
  })

  it("two of a kind `one` do not compile", () => {
    // @ts-expect-error Gears are provided by two parts
    assert.strictEqual(compose(steel({ teeth: 12 }), wood({})).parts.length, 2)
  })

  it("a config of the wrong type does not compile", () => {
    // @ts-expect-error teeth are a number
    assert.strictEqual(compose(steel({ teeth: "12" })).parts.length, 1)
  })

  it("a composition that lacks what is asked for is not assignable", () => {
    // @ts-expect-error no Counter in it
    const lacking: Composition<Counter> = compose(steel({ teeth: 12 }))
    assert.strictEqual(lacking.parts.length, 1)
  })

  it("parts that are not known provide nothing for sure, and do not stand in for what is missing", () => {
    const some: ReadonlyArray<AnyPart> = [steel({ teeth: 12 })]
    const unknown: Composition<never> = compose(...some)
    assert.strictEqual(unknown.parts.length, 1)
    // @ts-expect-error nobody knows whether there are Gears
    const spread: Composition<Gears> = compose(...some)
    // @ts-expect-error nor in a single part of whatever types
    const single: Composition<Gears> = compose(some[0]!)
    assert.deepStrictEqual([spread.parts.length, single.parts.length], [1, 1])
    const perhapsNone = [steel({ teeth: 12 })]
    // @ts-expect-error they may be none
    const lacking = compose(clockwork({}), paper({ name: "a" }), ...perhapsNone)
    assert.strictEqual(lacking.parts.length, 3)
    const beside: Composition<Gears> = compose(...some, wood({}))
    assert.strictEqual(beside.parts.length, 2)
  })

  it("one part or another provides what both do", () => {
    const coin: boolean = makeShop([]).all.length > 0
    const either: Composition<Gears> = compose(coin ? steel({ teeth: 12 }) : wood({}))
    assert.strictEqual(either.parts.length, 1)
    // @ts-expect-error perhaps Gears, perhaps Printers
    const perhaps: Composition<Gears> = compose(coin ? wood({}) : paper({ name: "a" }))
    assert.strictEqual(perhaps.parts.length, 1)
    const perhapsPaper = coin ? paper({ name: "a" }) : wood({})
    // @ts-expect-error perhaps nothing provides Printers
    const lacking = compose(steel({ teeth: 12 }), clockwork({}), perhapsPaper)
    assert.strictEqual(lacking.parts.length, 3)
  })

  it("a plugin without keys takes none", () => {
    // @ts-expect-error it has no key nope
    assert.strictEqual(compose(wood({ nope: 1 })).parts.length, 1)
    const none = {}
    assert.strictEqual(compose(wood(none)).parts.length, 1)
  })
})
