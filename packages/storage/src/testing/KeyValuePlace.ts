/** Where the checks of `KeyValue` open a store, again and again, and what they may do to it meanwhile. */
import { type Check, lacking } from "@peerstrap/conformance"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as FileJournal from "../adapter/FileJournal.ts"
import * as JournalKeyValue from "../adapter/JournalKeyValue.ts"
import { FileSystem } from "../contract/FileSystem.ts"
import { Journal } from "../contract/Journal.ts"
import { KeyValue } from "../contract/KeyValue.ts"
import { makeSlowFiles } from "./SlowFiles.ts"

type Service = (typeof KeyValue)["Service"]

/** Where a store is checked, and what can be done to it. */
export interface KeyValuePlaceShape {
  /** Opens the one store of this place, empty at first, until the scope ends. */
  readonly open: Effect.Effect<Service, unknown, Scope.Scope>
  /** Takes what was not synced, but for about so many bytes. The store that is open fails from now on. */
  powerCut(keptBytes: number): Effect.Effect<void>
  readonly openFiles: Effect.Effect<number>
}

/** Service: the place of a store under test. */
export class KeyValuePlace extends Context.Service<KeyValuePlace, KeyValuePlaceShape>()(
  "@peerstrap/storage/testing/KeyValuePlace"
) {}

/** What a place can show to the kit, by name. */
export type KeyValueCapability = "durable" | "power-cut" | "open-files"
/** One check of the kit. */
export type KeyValueCheck = Check<KeyValuePlace, KeyValueCapability>

/** A place with what it is able to do; what is not given dies with that word when it is asked for. */
export const keyValuePlace = (
  open: KeyValuePlaceShape["open"],
  able: Partial<Omit<KeyValuePlaceShape, "open">> = {}
): KeyValuePlaceShape => ({
  open,
  powerCut: () => lacking("power-cut"),
  openFiles: lacking("open-files"),
  ...able
})

/** `JournalKeyValue` on a slow disk in memory, which can do everything and compacts often. `change` breaks it in some way at each opening. */
export const journalKeyValuePlace = (
  change: (store: Service) => Service = (store) => store,
  changeFiles?: (files: (typeof FileSystem)["Service"]) => (typeof FileSystem)["Service"]
): Layer.Layer<KeyValuePlace> =>
  Layer.sync(KeyValuePlace, () => {
    const { files, openFiles, powerCut } = makeSlowFiles(changeFiles)
    const journal = Effect.provideService(FileJournal.open({ directory: "/kit", segmentBytes: 300 }), FileSystem, files)
    const open = Effect.flatMap(journal, (each) =>
      Effect.provideService(JournalKeyValue.open({ compactionBytes: 600 }), Journal, each))
    return keyValuePlace(Effect.map(open, change), { openFiles, powerCut })
  })
