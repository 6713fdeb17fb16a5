/** Small steps of the checks: text in and out of a store, one opening after the other. */
import { type CheckFailed, expectFailure, expectSame, fail } from "@peerstrap/conformance"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type {
  KeyValue,
  KeyValueChange,
  KeyValueError,
  KeyValueErrorReason,
  KeyValueScan
} from "../contract/KeyValue.ts"
import { compareKeys } from "../engine/KeyOrder.ts"
import { bytesOf, textOf } from "./FileProbes.ts"
import { KeyValuePlace } from "./KeyValuePlace.ts"

type Service = (typeof KeyValue)["Service"]

/** Opens the place's store for as long as it is used. */
export const withStore = <A, E>(use: (store: Service) => Effect.Effect<A, E, KeyValuePlace | Scope.Scope>) =>
  Effect.scoped(Effect.flatMap(KeyValuePlace.use(({ open }) => open), use))

export const put = (key: string, value: string): KeyValueChange => ({ key: bytesOf(key), value: bytesOf(value) })
export const remove = (key: string): KeyValueChange => ({ key: bytesOf(key), value: undefined })

/** Values as text, `undefined` where there is none. */
export const getTexts = (store: Service, ...keys: ReadonlyArray<string>) =>
  Effect.map(store.get(keys.map(bytesOf)), (values) => values.map((value) => value && textOf(value)))

export interface ScannedPage {
  readonly entries: ReadonlyArray<string>
  readonly isLast: boolean
}

/** A page with its entries as `key=value`. */
export const scanTexts = (store: Service, request: KeyValueScan) =>
  Effect.map(store.scan(request), ({ entries, isLast }): ScannedPage => ({
    entries: entries.map(({ key, value }) => `${textOf(key)}=${textOf(value)}`),
    isLast
  }))

/** All entries, page by page. */
export const everything = Effect.fnUntraced(function*(store: Service, limit: number, prefix: Uint8Array) {
  const all: Array<readonly [Uint8Array, Uint8Array]> = []
  for (;;) {
    const after = all.at(-1)?.[0]
    const page = yield* store.scan({ prefix, limit, ...(after === undefined ? {} : { after }) })
    // A store that goes round in circles must not be followed.
    for (const { key, value } of page.entries) {
      const before = all.at(-1)?.[0]
      if (before !== undefined && compareKeys(before, key) >= 0) {
        return yield* fail(`a scan gives the key [${key.join()}] after [${before.join()}]`)
      }
      all.push([key, value])
    }
    if (page.isLast) return all
    if (page.entries.length === 0) return yield* fail("a page without entries that is not the last")
  }
})

export const expectStoreReason = <A, R>(
  what: string,
  effect: Effect.Effect<A, KeyValueError, R>,
  reason: KeyValueErrorReason
): Effect.Effect<void, CheckFailed, R> =>
  Effect.flatMap(
    expectFailure(what, effect),
    (error) => expectSame(`reason of "${error.message}"`, error.reason, reason)
  )
