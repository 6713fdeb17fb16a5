/** How far a long command is, said now and then. */
import { assert, describe, it } from "@effect/vitest"
import { makeStatusLine, type Terminal } from "@peerstrap/command-line"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"

const said = Effect.fnUntraced(function*(isLive: boolean, json: boolean) {
  const errors: Array<string> = []
  const terminal: Terminal = {
    out: () => Effect.void,
    error: (text) => void errors.push(text),
    isLive,
    color: false,
    size: () => ({ columns: 8, rows: 24 })
  }
  yield* Effect.scoped(Effect.gen(function*() {
    const status = yield* makeStatusLine(terminal, json)
    for (let second = 0; second < 11; second++) {
      status.update(() => `second ${second}`)
      yield* TestClock.adjust("1 second")
    }
    status.say("note", { type: "note" })
    status.update(() => "last")
  }))
  return errors
})

describe("the status line", () => {
  it.effect("is repainted on a terminal, cut to its width, and cleared for what stays and at the end", () =>
    Effect.gen(function*() {
      const errors = yield* said(true, false)
      assert.strictEqual(errors[0], "\r\x1b[Ksecond ")
      assert.deepStrictEqual(errors.slice(-4), ["\r\x1b[K", "note\n", "\r\x1b[Klast", "\r\x1b[K"])
      assert.strictEqual(errors.length, 14)
    }))

  it.effect("is a line every 10 s elsewhere, JSON with --json", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* said(false, false), ["second 10\n", "note\n"])
      assert.deepStrictEqual((yield* said(true, true)).map((line) => JSON.parse(line)), [
        { type: "status", text: "second 10" },
        { type: "note" }
      ])
    }))
})
