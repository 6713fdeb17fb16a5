/** What is the same and what is not. */
import { assert, describe, it } from "@effect/vitest"
import { expectSame, plainText } from "@peerstrap/conformance"
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"

class Refused extends Data.TaggedError("Refused")<{ readonly why: string }> {}

const once = () => 1
const bytes = Uint8Array.of(1, 255)
const loop = (value: number) => {
  const made: Record<string, unknown> = { value }
  made["again"] = { made }
  return made
}
const deferred = Deferred.makeUnsafe<void>()

/** Each of its own kind: no two are the same. */
const different: ReadonlyArray<unknown> = [
  null,
  undefined,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  0,
  -0,
  1,
  1n,
  "1",
  "1n",
  true,
  "null",
  "0x01ff",
  "01ff",
  bytes,
  bytes.buffer,
  Uint16Array.of(65_281),
  Float64Array.of(0),
  Float64Array.of(-0),
  [1, 255],
  new Set([1, 255]),
  new Map([[1, 255]]),
  [[1, 255]],
  [],
  [undefined],
  [null],
  {},
  { a: undefined },
  { a: null },
  { message: "a" },
  new Error("a"),
  new Error("b"),
  new Error("a", { cause: 1 }),
  new TypeError("a"),
  Object.assign(new Error("a"), { code: "ENOENT" }),
  new Refused({ why: "a" }),
  new Refused({ why: "b" }),
  { _tag: "Refused", why: "a" },
  new Date(1),
  new Date(2),
  "1970-01-01T00:00:00.001Z",
  /a/,
  /a/g,
  /b/,
  new URL("http://a/"),
  new URL("http://b/"),
  once,
  () => 1,
  Symbol("a"),
  Symbol("a"),
  Promise.resolve(1),
  deferred,
  Exit.void,
  Exit.fail(new Refused({ why: "a" })),
  Exit.fail(new Refused({ why: "b" })),
  Exit.die(new Error("a")),
  Exit.die(new Error("b")),
  Exit.failCause(Cause.interrupt(1)),
  Option.none(),
  Option.some(1),
  loop(1),
  loop(2)
]

const isSame = (seen: unknown, expected: unknown): boolean =>
  Exit.isSuccess(Effect.runSyncExit(expectSame("it", seen, expected)))

/** New ones each time, alike but for what shows nothing of itself, which is the same. */
const alike = () => [
  { a: 1n, b: { c: [new Map([["k", new Set([1])]]), -0, Number.NaN, undefined] } },
  new Error("a", { cause: new TypeError("b") }),
  new Refused({ why: "a" }),
  new Date(7),
  /a/g,
  new URL("http://a/"),
  Exit.die(new Error("a")),
  Option.some(Option.none()),
  once,
  [once, deferred, once],
  loop(1),
  Float64Array.of(1.5)
]

describe("same", () => {
  it("is nothing as another thing, and each as itself", () => {
    for (const [index, seen] of different.entries()) {
      for (const [other, expected] of different.entries()) {
        assert.strictEqual(isSame(seen, expected), index === other, `${plainText(seen)} and ${plainText(expected)}`)
        assert.strictEqual(isSame({ a: [seen] }, { a: [expected] }), index === other)
      }
    }
  })

  it("is what was made alike", () => {
    assert.strictEqual(plainText(alike()), plainText(alike()))
    assert.isTrue(isSame(alike(), alike()))
    assert.isTrue(isSame({ b: 1, a: 2 }, { a: 2, b: 1 }))
    assert.isTrue(isSame(Buffer.from([1, 255]), bytes))
    assert.isTrue(isSame(Object.assign(Object.create(null), { a: 1 }), { a: 1 }))
  })

  it("reads like JSON, with marks where that has no word", () => {
    assert.strictEqual(
      plainText({ b: bytes, a: [2n, undefined, -0], c: new Refused({ why: "full" }) }),
      "{\"a\":[2n,undefined,-0],\"b\":0x01ff,\"c\":Refused{\"_tag\":\"Refused\",\"message\":\"\",\"why\":\"full\"}}"
    )
    assert.strictEqual(plainText([once, new Map([[1, 2]])]), "[[function once 1],Map[[1,2]]]")
  })
})
