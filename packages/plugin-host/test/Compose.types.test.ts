/** What the compiler says about compositions. A line under an expectation that compiles fails the type check of this file. */
import { assert, describe, it } from "@effect/vitest"
import { compose, type Composition } from "../src/index.ts"
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
})
