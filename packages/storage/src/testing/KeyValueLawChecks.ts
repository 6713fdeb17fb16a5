/** What holds of every `KeyValue` after any history, over openings and power cuts. */
import { atEachStep, expectSame, SeededRandom, turns } from "@peerstrap/conformance"
import * as Effect from "effect/Effect"
import type { KeyValue, KeyValueChange } from "../contract/KeyValue.ts"
import { compareKeys } from "../engine/KeyOrder.ts"
import { type KeyValueCheck, KeyValuePlace } from "./KeyValuePlace.ts"
import { everything, getTexts, put, withStore } from "./KeyValueProbes.ts"

type Service = (typeof KeyValue)["Service"]

/** Few and short, so that keys meet again and are prefixes of each other; bytes at both ends. */
const someKey = (random: SeededRandom): Uint8Array =>
  Uint8Array.from({ length: 1 + random.below(3) }, () => [0, 1, 97, 254, 255][random.below(5)]!)

const someChanges = (random: SeededRandom): ReadonlyArray<KeyValueChange> =>
  Array.from({ length: random.below(6) }, () => ({
    key: someKey(random),
    value: random.below(3) === 0 ? undefined : random.bytes(random.below(20))
  }))

type Model = ReadonlyMap<string, Uint8Array>

const nameOf = (key: Uint8Array): string => key.join(" ")
const keyOf = (name: string): Uint8Array => Uint8Array.from(name.split(" "), Number)

const changed = (model: Model, changes: ReadonlyArray<KeyValueChange>): Model => {
  const next = new Map(model)
  for (const { key, value } of changes) {
    if (value === undefined) next.delete(nameOf(key))
    else next.set(nameOf(key), value)
  }
  return next
}

const entriesOf = (model: Model, prefix: Uint8Array) =>
  [...model].map(([name, value]) => [keyOf(name), value] as const)
    .filter(([key]) => compareKeys(key.subarray(0, prefix.length), prefix) === 0)
    .toSorted(([a], [b]) => compareKeys(a, b))

const agrees = Effect.fnUntraced(function*(where: string, store: Service, model: Model, random: SeededRandom) {
  const prefix = random.below(2) === 0 ? new Uint8Array(0) : someKey(random)
  const limit = 1 + random.below(9)
  const all = yield* everything(store, limit, prefix)
  yield* expectSame(`${where}: entries by prefix [${prefix.join()}], ${limit} a page`, all, entriesOf(model, prefix))
  const keys = Array.from({ length: 5 }, () => someKey(random))
  const values = yield* store.get(keys)
  yield* expectSame(`${where}: values`, values, keys.map((key) => model.get(nameOf(key))))
})

/** What a store may hold after a power cut: `model` and the first few of the batches that had not returned, each whole. */
const heldAfterCut = (
  where: string,
  store: Service,
  model: Model,
  open: ReadonlyArray<ReadonlyArray<KeyValueChange>>
) =>
  Effect.gen(function*() {
    const all = yield* everything(store, 100, new Uint8Array(0))
    const texts = new Set<string>()
    let candidate = model
    for (const batch of [[], ...open]) {
      candidate = changed(candidate, batch)
      const entries = entriesOf(candidate, new Uint8Array(0))
      if (JSON.stringify(entries.map(String)) === JSON.stringify(all.map(String))) return candidate
      texts.add(entries.join("; "))
    }
    yield* expectSame(`${where}: entries after a power cut`, all.join("; "), `one of ${[...texts].join(" | ")}`)
    return candidate
  })

export const keyValueLawChecks: ReadonlyArray<KeyValueCheck> = [
  {
    name: "any history leaves what it says",
    run: withStore((store) =>
      Effect.gen(function*() {
        let model: Model = new Map()
        for (let seed = 1; seed <= 60; seed++) {
          const random = new SeededRandom(seed)
          const changes = someChanges(random)
          yield* store.write(changes)
          model = changed(model, changes)
          yield* agrees(`seed ${seed}`, store, model, random)
        }
      })
    )
  },
  {
    name: "keeps everything from one opening to the next",
    needs: ["durable"],
    run: Effect.gen(function*() {
      let model: Model = new Map()
      for (let seed = 1; seed <= 8; seed++) {
        const random = new SeededRandom(seed)
        yield* withStore((store) =>
          Effect.gen(function*() {
            yield* agrees(`seed ${seed}, at its opening`, store, model, random)
            for (let i = 0; i < 6; i++) {
              const changes = someChanges(random)
              yield* store.write(changes)
              model = changed(model, changes)
            }
          })
        )
      }
    })
  },
  {
    name: "any history of writes and power cuts keeps what was durable, in whole batches",
    needs: ["durable", "power-cut"],
    run: Effect.gen(function*() {
      const { powerCut } = yield* KeyValuePlace
      let model: Model = new Map()
      let open: Array<ReadonlyArray<KeyValueChange>> = []
      for (let seed = 1; seed <= 30; seed++) {
        const random = new SeededRandom(seed)
        yield* withStore((store) =>
          Effect.gen(function*() {
            model = yield* heldAfterCut(`seed ${seed}`, store, model, open)
            open = []
            for (let i = random.below(6); i >= 0; i--) {
              const changes = someChanges(random)
              open.push(changes)
              yield* Effect.forkScoped(
                Effect.map(store.write(changes), () => {
                  // Those before it are durable as well: batches are made in the order of the calls.
                  const done = open.splice(0, open.indexOf(changes) + 1)
                  model = done.reduce(changed, model)
                }),
                { startImmediately: true }
              )
              yield* turns(random.below(8))
            }
            yield* powerCut(random.below(60))
          })
        )
      }
    })
  },
  {
    name: "leaves no file open at its end, nor when its opening is interrupted at any step",
    needs: ["open-files"],
    run: Effect.gen(function*() {
      const { openFiles } = yield* KeyValuePlace
      yield* withStore((store) =>
        Effect.gen(function*() {
          for (let i = 0; i < 20; i++) yield* store.write([put(`${i % 3}`, "x".repeat(40))])
          yield* getTexts(store, "1")
        })
      )
      yield* expectSame("open files at the end", yield* openFiles, 0)
      yield* atEachStep(
        withStore((store) => getTexts(store, "1")),
        (step) => Effect.flatMap(openFiles, (count) => expectSame(`open files after opening step ${step}`, count, 0))
      )
    })
  }
]
