/** What every `KeyValue` does while it is open. */
import { atEachStep, exitWithin, expectSame, expectTrue } from "@peerstrap/conformance"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { KeyValue } from "../contract/KeyValue.ts"
import { Limits } from "../contract/Limits.ts"
import { bytesOf, textOf } from "./FileProbes.ts"
import type { KeyValueCheck } from "./KeyValuePlace.ts"
import { everything, expectStoreReason, getTexts, put, remove, scanTexts, withStore } from "./KeyValueProbes.ts"

type Service = (typeof KeyValue)["Service"]

const check = (
  name: string,
  use: Parameters<typeof withStore<void, unknown>>[0]
): KeyValueCheck => ({ name, run: withStore(use) })

/** Entries with empty values, as `scanTexts` shows them. */
const names = (...all: ReadonlyArray<string>): ReadonlyArray<string> => all.map((name) => `${name}=`)

const nothing = new Uint8Array(0)

export const keyValueChecks: ReadonlyArray<KeyValueCheck> = [
  check(
    "gives back what was written, in the order of the keys asked for",
    Effect.fnUntraced(function*(store: Service) {
      yield* expectSame("of an empty store", yield* getTexts(store, "a"), [undefined])
      yield* store.write([put("a", "1"), put("b", ""), put("c", "3")])
      yield* store.write([])
      yield* expectSame("values", yield* getTexts(store, "c", "x", "b", "a", "c"), ["3", undefined, "", "1", "3"])
      yield* expectSame("of no keys", yield* store.get([]), [])
    })
  ),
  check(
    "makes the changes of a batch in order: the last of one key counts",
    Effect.fnUntraced(function*(store: Service) {
      yield* store.write([put("a", "old"), put("b", "old")])
      yield* store.write([
        put("a", "1"),
        remove("a"),
        remove("b"),
        put("b", "2"),
        remove("none"),
        put("c", "1"),
        remove("c")
      ])
      yield* expectSame("values", yield* getTexts(store, "a", "b", "c", "none"), [undefined, "2", undefined, undefined])
      yield* expectSame("entries", yield* scanTexts(store, { limit: 10 }), { entries: ["b=2"], isLast: true })
    })
  ),
  check(
    "scans in the order of the keys' bytes, by prefix, from a key on, as many as asked",
    Effect.fnUntraced(function*(store: Service) {
      const keys = ["b", "a", "ab", "abc", "abd", "b0", "B", "a\u0000", "ac"]
      yield* store.write([...keys.map((key) => put(key, "")), {
        key: Uint8Array.of(255, 255, 1),
        value: bytesOf("end")
      }])
      const scan = (request: Parameters<typeof scanTexts>[1]) => scanTexts(store, request)
      const ordered = names("B", "a", "a\u0000", "ab", "abc", "abd", "ac", "b", "b0")
      yield* expectSame("all", (yield* scan({ limit: 100 })).entries.slice(0, 9), ordered)
      yield* expectSame("by prefix ab", yield* scan({ prefix: bytesOf("ab"), limit: 3 }), {
        entries: names("ab", "abc", "abd"),
        isLast: true
      })
      yield* expectSame("by prefix ab, two", yield* scan({ prefix: bytesOf("ab"), limit: 2 }), {
        entries: names("ab", "abc"),
        isLast: false
      })
      yield* expectSame(
        "by prefix a, after abc",
        yield* scan({ prefix: bytesOf("a"), after: bytesOf("abc"), limit: 9 }),
        {
          entries: names("abd", "ac"),
          isLast: true
        }
      )
      yield* expectSame(
        "after a key that is not there",
        (yield* scan({ after: bytesOf("abca"), limit: 1 })).entries,
        names("abd")
      )
      yield* expectSame(
        "by prefix b, after a",
        (yield* scan({ prefix: bytesOf("b"), after: bytesOf("a"), limit: 9 })).entries,
        names("b", "b0")
      )
      yield* expectSame("by prefix a, after b", yield* scan({ prefix: bytesOf("a"), after: bytesOf("b"), limit: 9 }), {
        entries: [],
        isLast: true
      })
      const high = yield* scan({ prefix: Uint8Array.of(255, 255), limit: 9 })
      yield* expectSame("by a prefix of 255s", high.entries.map((entry) => entry.slice(-3)), ["end"])
    })
  ),
  check(
    "neither keeps nor gives away bytes that others may change",
    Effect.fnUntraced(function*(store: Service) {
      const key = bytesOf("key")
      const value = bytesOf("value")
      yield* store.write([{ key, value }])
      key.fill(0)
      value.fill(0)
      ;(yield* store.get([bytesOf("key")]))[0]?.fill(0)
      for (const entry of (yield* store.scan({ limit: 9 })).entries) {
        entry.key.fill(0)
        entry.value.fill(0)
      }
      yield* expectSame("value", yield* getTexts(store, "key"), ["value"])
      yield* expectSame("entries", (yield* scanTexts(store, { limit: 9 })).entries, ["key=value"])
    })
  ),
  check(
    "makes concurrent batches in the order of the calls",
    Effect.fnUntraced(function*(store: Service) {
      yield* Effect.forEach(
        Array.from({ length: 30 }, (_, i) => i),
        (i) => store.write([put("last", `${i}`), put(`${i % 7}`, `${i}`)]),
        {
          concurrency: "unbounded"
        }
      )
      yield* expectSame("values", yield* getTexts(store, "last", "0", "1", "2"), ["29", "28", "29", "23"])
    })
  ),
  check(
    "takes keys and values of the maximum, and nothing of a batch with a larger one",
    Effect.fnUntraced(function*(store: Service) {
      const key = new Uint8Array(Limits.keyBytes).fill(1)
      const value = new Uint8Array(Limits.valueBytes).fill(2)
      yield* store.write([{ key, value }])
      yield* expectSame("bytes of the largest value", (yield* store.get([key]))[0]?.length, value.length)
      const small = put("small", "1")
      const refused = [
        ["a key without bytes", { key: nothing, value: nothing }],
        ["a key above the maximum", { key: new Uint8Array(Limits.keyBytes + 1), value: nothing }],
        ["a value above the maximum", { key: bytesOf("k"), value: new Uint8Array(Limits.valueBytes + 1) }]
      ] as const
      for (const [what, change] of refused) yield* expectStoreReason(what, store.write([small, change]), "too-large")
      const large = Array.from({ length: 5 }, (_, i) => ({ key: bytesOf(`${i}`), value }))
      yield* expectStoreReason("a batch above the maximum", store.write([small, ...large]), "too-large")
      const many = Array.from({ length: Limits.batchChanges + 1 }, () => small)
      yield* expectStoreReason("a batch of too many changes", store.write(many), "too-large")
      yield* expectSame("what a refused batch left", yield* getTexts(store, "small", "0"), [undefined, undefined])
      yield* expectStoreReason("a get of an empty key", store.get([nothing]), "too-large")
      for (const limit of [0, -1, 1.5, Limits.scanEntries + 1]) {
        yield* expectStoreReason(`a scan of ${limit} entries`, store.scan({ limit }), "too-large")
      }
    })
  ),
  check(
    "bounds the bytes of a page, and goes on behind it",
    Effect.fnUntraced(function*(store: Service) {
      const value = new Uint8Array(Limits.valueBytes)
      const keys = ["a", "b", "c", "d", "e", "f"]
      for (const key of keys) yield* store.write([{ key: bytesOf(key), value }])
      const page = yield* store.scan({ limit: 100 })
      const bytes = page.entries.reduce((total, entry) => total + entry.key.length + entry.value.length, 0)
      yield* expectTrue(`a page has at most ${Limits.scanBytes} bytes, saw ${bytes}`, bytes <= Limits.scanBytes)
      yield* expectSame("it is the last", page.isLast, false)
      const all = yield* everything(store, 100, nothing)
      yield* expectSame("keys of all pages", all.map(([key]) => textOf(key)), keys)
    })
  ),
  check(
    "a write that is interrupted, at each step, is whole or not there",
    Effect.fnUntraced(function*(store: Service) {
      let round = 0
      const write = Effect.suspend(() => {
        round++
        return store.write([put("a", `${round}`), put("b", `${round}`), put("c", `${round}`)])
      })
      yield* atEachStep(
        write,
        (step) =>
          Effect.flatMap(
            getTexts(store, "a", "b", "c"),
            (values) => expectSame(`different values at step ${step}`, new Set(values).size, 1)
          )
      )
      yield* expectSame("values in the end", yield* getTexts(store, "a", "c"), [`${round}`, `${round}`])
    })
  ),
  {
    name: "refuses what comes after its end, and ends with what came before done",
    run: Effect.gen(function*() {
      let kept: Service | undefined
      const last = yield* withStore((store) => {
        kept = store
        return Effect.forkDetach(store.write([put("last", "1")]), { startImmediately: true })
      })
      yield* Fiber.join(last)
      const late = yield* exitWithin(Effect.gen(function*() {
        yield* expectStoreReason("a write after the end", kept!.write([put("late", "1")]), "closed")
        yield* expectStoreReason("a get after the end", kept!.get([bytesOf("last")]), "closed")
        yield* expectStoreReason("a scan after the end", kept!.scan({ limit: 1 }), "closed")
      }))
      yield* expectTrue("what comes after the end is answered", late !== undefined)
      yield* late!
    })
  }
]
