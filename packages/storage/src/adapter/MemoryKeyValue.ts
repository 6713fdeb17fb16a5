/** Keys and values in this process's memory: for tests, simulations, and what need not outlive the process. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { KeyValue, KeyValueError } from "../contract/KeyValue.ts"
import { Limits } from "../contract/Limits.ts"
import { refuseChanges, refuseKeys, refuseScan } from "../engine/KeyValueRules.ts"
import { SortedTable } from "../engine/SortedTable.ts"

/** How much the store holds. */
export interface MemoryKeyValueOptions {
  /** Keys and values, with 64 bytes each entry; default `Limits.memoryStoreBytes`. A batch beyond it fails with `no-space`. */
  readonly capacityBytes?: number
}

const unless = <A>(refusal: KeyValueError | undefined, answer: () => A): Effect.Effect<A, KeyValueError> =>
  refusal === undefined ? Effect.sync(answer) : Effect.fail(refusal)

/** An empty store of its own. */
export const make = ({ capacityBytes = Limits.memoryStoreBytes }: MemoryKeyValueOptions = {}): KeyValue["Service"] => {
  const table = new SortedTable()
  return KeyValue.of({
    get: (keys) => Effect.suspend(() => unless(refuseKeys(keys), () => keys.map((key) => table.get(key)))),
    write: (changes) =>
      Effect.suspend(() => {
        const refusal = refuseChanges(changes)
        if (refusal !== undefined) return Effect.fail(refusal)
        const bytes = table.bytesAfter(changes)
        if (bytes > capacityBytes && bytes > table.bytes) {
          const message = `${bytes} bytes wanted, ${capacityBytes} are the most`
          return Effect.fail(new KeyValueError({ reason: "no-space", message }))
        }
        return Effect.sync(() => table.apply(changes))
      }),
    scan: (request) => Effect.suspend(() => unless(refuseScan(request), () => table.scan(request)))
  })
}

/** Provides an empty store; a fresh one each time that the layer is built. */
export const layer = (options: MemoryKeyValueOptions = {}): Layer.Layer<KeyValue> =>
  Layer.sync(KeyValue, () => make(options))
