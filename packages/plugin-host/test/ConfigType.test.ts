import { assert, describe, it } from "@effect/vitest"
import { Type } from "@peerstrap/command-line"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { compose, configDefault, configOptional, configValue, definePlugin, explainText, Host } from "../src/index.ts"
import { Gears, gearsKind } from "./shop.ts"

const oiled = definePlugin({
  id: "gears.oiled",
  version: "1.0.0",
  stability: "stable",
  summary: "gears with oil",
  provides: [gearsKind],
  requires: [],
  config: Schema.Struct({
    can: configValue(Type.bytes(1, 2 ** 30, "1MiB"), "Oil at hand."),
    every: configDefault(Type.millis("15s"), "10s", "Time between two drops."),
    brand: configOptional(Type.oneOf(["a", "b"], "a"), "Which oil.")
  }),
  layer: ({ brand, can, every }) =>
    Layer.succeed(Gears, { teeth: can + every + (brand === "b" ? 1 : 0), turn: Effect.succeed(1) })
})

const teeth = (composition: ReturnType<typeof compose<readonly [ReturnType<typeof oiled>]>>) =>
  Host.run(composition, () => Effect.map(Gears, (gears) => gears.teeth))

describe("config of flag types", () => {
  it.effect("reads the words of the command line, and fills defaults in", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* teeth(compose(oiled({ can: "1KiB" }))), 1024 + 10_000)
      assert.strictEqual(yield* teeth(compose(oiled({ can: 7, every: "1s", brand: "b" }))), 7 + 1000 + 1)
    }))

  it.effect("complains in the words of the command line", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(teeth(compose(oiled({ can: "much", every: true }))))
      assert.strictEqual(error._tag, "CompositionError")
      const complaints = error.message.split("\n").slice(1)
      assert.match(complaints[0]!, /part 1 \(gears.oiled.can\): can of gears.oiled: "much"; want a number of bytes/)
      assert.match(complaints[1]!, /every of gears.oiled: true; want a duration such as/)
    }))

  it("is explained", () => {
    assert.match(explainText(oiled), /every: .*Time between two drops\. Default 10s\. a duration such as/)
    assert.match(explainText(oiled), /can: .*required/)
  })
})
