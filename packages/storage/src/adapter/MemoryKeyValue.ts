/** Keys and values in this process's memory: for tests, simulations, and what need not outlive the process. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { KeyValue, type KeyValueChange, KeyValueError } from "../contract/KeyValue.ts"
import { Limits } from "../contract/Limits.ts"
import { refuseChanges, refuseKeys, refuseScan } from "../engine/KeyValueRules.ts"
import { SortedTable } from "../engine/SortedTable.ts"

/** How much the store holds. */
export interface MemoryKeyValueOptions {
  /** Keys and values, with 64 bytes each entry; default `Limits.memoryStoreBytes`. A batch beyond it fails with `no-space`. */
  readonly capacityBytes?: number
}

/** A batch that makes the store smaller is always taken. */
const refuseGrowth = (
  table: SortedTable,
  changes: ReadonlyArray<KeyValueChange>,
  capacityBytes: number
): KeyValueError | undefined => {
  const bytes = table.bytesAfter(changes)
  return bytes > capacityBytes && bytes > table.bytes
    ? new KeyValueError({ reason: "no-space", message: `${bytes} bytes wanted, ${capacityBytes} are the most` })
    : undefined
}

/** An empty store of its own, which ends with its scope. */
export const open = Effect.fnUntraced(
  function*({ capacityBytes = Limits.memoryStoreBytes }: MemoryKeyValueOptions = {}) {
    const table = new SortedTable()
    let isClosed = false
    yield* Effect.addFinalizer(() => Effect.sync(() => (isClosed = true)))
    const unless = <A>(refusal: KeyValueError | undefined, answer: () => A): Effect.Effect<A, KeyValueError> => {
      if (refusal !== undefined) return Effect.fail(refusal)
      return isClosed
        ? Effect.fail(new KeyValueError({ reason: "closed", message: "the store is closed" }))
        : Effect.sync(answer)
    }
    return KeyValue.of({
      get: (keys) => Effect.suspend(() => unless(refuseKeys(keys), () => keys.map((key) => table.get(key)))),
      write: (changes) =>
        Effect.suspend(() =>
          unless(refuseChanges(changes) ?? refuseGrowth(table, changes, capacityBytes), () => table.apply(changes))
        ),
      scan: (request) => Effect.suspend(() => unless(refuseScan(request), () => table.scan(request)))
    })
  }
)

/** Provides an empty store; a fresh one each time that the layer is built. */
export const layer = (options: MemoryKeyValueOptions = {}): Layer.Layer<KeyValue> =>
  Layer.effect(KeyValue, open(options))
