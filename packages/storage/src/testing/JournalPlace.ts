/** Where the checks of `Journal` open one, again and again, and what they may do to it meanwhile. */
import { type Check, lacking } from "@peerstrap/conformance"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as FileJournal from "../adapter/FileJournal.ts"
import { FileSystem } from "../contract/FileSystem.ts"
import { Journal } from "../contract/Journal.ts"
import { makeSlowFiles } from "./SlowFiles.ts"

type Service = (typeof Journal)["Service"]

/** Where a journal is checked, and what can be done to it. */
export interface JournalPlaceShape {
  /** Opens the one journal of this place, empty at first, until the scope ends. */
  readonly open: Effect.Effect<Service, unknown, Scope.Scope>
  /** Takes what was not synced, but for about so many bytes: a torn end. The journal that is open fails from now on. */
  powerCut(keptBytes: number): Effect.Effect<void>
  readonly syncs: Effect.Effect<number>
  /** Lets no sync end until what it returns is run. */
  readonly holdSyncs: Effect.Effect<Effect.Effect<void>>
  readonly openFiles: Effect.Effect<number>
}

/** Service: the place of a journal under test. */
export class JournalPlace extends Context.Service<JournalPlace, JournalPlaceShape>()(
  "@peerstrap/storage/testing/JournalPlace"
) {}

/** What a place can show to the kit, by name. */
export type JournalCapability = "power-cut" | "syncs" | "open-files" | "one-at-a-time"
/** One check of the kit. */
export type JournalCheck = Check<JournalPlace, JournalCapability>

/** A place with what it is able to do; what is not given dies with that word when it is asked for. */
export const journalPlace = (
  open: JournalPlaceShape["open"],
  able: Partial<Omit<JournalPlaceShape, "open">> = {}
): JournalPlaceShape => ({
  open,
  powerCut: () => lacking("power-cut"),
  syncs: lacking("syncs"),
  holdSyncs: lacking("syncs"),
  openFiles: lacking("open-files"),
  ...able
})

/** How to break the journal of a place. */
export interface JournalChanges {
  readonly files?: (files: (typeof FileSystem)["Service"]) => (typeof FileSystem)["Service"]
  /** Of each opening. */
  readonly journal?: (journal: Service) => Service
}

/** `FileJournal` on a slow disk in memory, which can do everything. The changes break it in some way. */
export const memoryJournalPlace = ({ files: change, journal = (each) => each }: JournalChanges = {}): Layer.Layer<
  JournalPlace
> =>
  Layer.sync(JournalPlace, () => {
    const { files, ...able } = makeSlowFiles(change)
    const open = Effect.provideService(FileJournal.open({ directory: "/kit", segmentBytes: 300 }), FileSystem, files)
    return journalPlace(Effect.map(open, journal), able)
  })
