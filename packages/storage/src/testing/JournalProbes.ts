/** Small steps of the checks: text in and out of a journal, one opening after the other. */
import { type CheckFailed, expectFailure, expectSame } from "@peerstrap/conformance"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { FileError } from "../contract/FileSystem.ts"
import type { Journal, JournalError, JournalErrorReason } from "../contract/Journal.ts"
import { bytesOf, textOf } from "./FileProbes.ts"
import { JournalPlace } from "./JournalPlace.ts"

type Service = (typeof Journal)["Service"]

/** Opens the place's journal for as long as it is used. */
export const withJournal = <A, E>(use: (journal: Service) => Effect.Effect<A, E, JournalPlace | Scope.Scope>) =>
  Effect.scoped(Effect.flatMap(JournalPlace.use(({ open }) => open), use))

export const appendTexts = (journal: Service, ...texts: ReadonlyArray<string>) => journal.append(texts.map(bytesOf))

/** All records as `number text`. */
export const replayed = (journal: Service, from?: number) =>
  Effect.map(
    Stream.runCollect(journal.replay(from)),
    (pages) => pages.flatMap(({ first, records }) => records.map((record, i) => `${first + i} ${textOf(record)}`))
  )

export const expectJournalReason = <A, R>(
  what: string,
  effect: Effect.Effect<A, JournalError | FileError, R>,
  reason: JournalErrorReason
): Effect.Effect<void, CheckFailed, R> =>
  Effect.flatMap(
    expectFailure(what, effect),
    (error) => expectSame(`reason of "${error.message}"`, error.reason, reason)
  )
