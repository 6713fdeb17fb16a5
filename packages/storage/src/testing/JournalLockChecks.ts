/** One opening of a `Journal` at a time. */
import { atEachStep, expectFailure, expectSame } from "@peerstrap/conformance"
import * as Effect from "effect/Effect"
import { type JournalCheck, JournalPlace } from "./JournalPlace.ts"
import { appendTexts, replayed, withJournal } from "./JournalProbes.ts"

const reasonOf = (error: unknown): unknown =>
  typeof error === "object" && error !== null && "reason" in error ? error.reason : error

export const journalLockChecks: ReadonlyArray<JournalCheck> = [
  {
    name: "is open once at a time, and says so to who comes second",
    needs: ["one-at-a-time"],
    run: Effect.gen(function*() {
      const { open } = yield* JournalPlace
      yield* withJournal((journal) =>
        Effect.gen(function*() {
          for (const text of ["a", "b", "c"]) {
            yield* appendTexts(journal, text)
            const error = yield* expectFailure("a second opening", Effect.scoped(open))
            yield* expectSame("reason of the second opening", reasonOf(error), "in-use")
          }
        })
      )
      yield* withJournal((journal) =>
        Effect.flatMap(replayed(journal), (all) => expectSame("records", all, ["0 a", "1 b", "2 c"]))
      )
    })
  },
  {
    name: "leaves its place free when its opening is interrupted at any step",
    needs: ["one-at-a-time"],
    run: Effect.gen(function*() {
      yield* withJournal((journal) => appendTexts(journal, "a"))
      const opening = withJournal(() => Effect.void)
      yield* atEachStep(opening, () => opening)
    })
  }
]
