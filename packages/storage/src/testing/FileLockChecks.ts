/** One holder of a name at a time. */
import { atEachStep, expectSame } from "@peerstrap/conformance"
import * as Effect from "effect/Effect"
import { FileSystem } from "../contract/FileSystem.ts"
import { expectReason } from "./FileProbes.ts"
import { type FileSystemCheck, FileSystemPlace } from "./FileSystemPlace.ts"

/** Takes a lock and gives it back. */
const passing = (path: string) => Effect.scoped(FileSystem.use((files) => files.lock(path)))

const expectHeld = (path: string) =>
  Effect.flatMap(FileSystem, (files) => expectReason(Effect.scoped(files.lock(path)), "in-use"))

export const fileLockChecks: ReadonlyArray<FileSystemCheck> = [
  {
    name: "one holds a name at a time, until its scope ends; other names are other locks",
    run: Effect.gen(function*() {
      const files = yield* FileSystem
      const { root } = yield* FileSystemPlace
      const directory = `${root}/locks/made`
      for (const round of ["first", "second"]) {
        yield* Effect.scoped(Effect.gen(function*() {
          yield* files.lock(`${directory}/a`)
          yield* expectSame(`directory of the ${round} lock`, (yield* files.stat(directory)).kind, "directory")
          // A refusal takes nothing away from the holder.
          yield* expectHeld(`${directory}/a`)
          yield* expectHeld(`${directory}/a`)
          yield* expectHeld(`${root}/locks/../locks//made/./a`)
          yield* passing(`${directory}/b`)
          yield* passing(`${root}/locks/a`)
        }))
      }
    })
  },
  {
    name: "a lock whose taking is interrupted, at each step, is free",
    run: Effect.gen(function*() {
      const { root } = yield* FileSystemPlace
      const path = `${root}/interrupted-lock/a`
      yield* atEachStep(passing(path), () => passing(path))
    })
  },
  {
    name: "a holder that is killed holds nothing, whatever it left behind",
    needs: ["other-process"],
    run: Effect.gen(function*() {
      const { holdElsewhere, root } = yield* FileSystemPlace
      const path = `${root}/killed/a`
      for (let kills = 0; kills < 2; kills++) {
        const kill = yield* holdElsewhere(path)
        yield* expectHeld(path)
        yield* kill
        yield* passing(path)
      }
    })
  }
]
