/** File systems whose locks are wrong in one way each. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { inUse } from "../adapter/FileErrors.ts"
import type { FileSystem } from "../contract/FileSystem.ts"
import type { BrokenFiles } from "./FileSystemMutants.ts"

type Service = (typeof FileSystem)["Service"]

const oneAtATime = "one holds a name at a time, until its scope ends; other names are other locks"

/** Locks in a set that knows names as they are spelled, and nothing of crashes. */
const inASet = (files: Service, spelled: (path: string) => string): Service => {
  const held = new Set<string>()
  return {
    ...files,
    lock: (path) =>
      Effect.andThen(
        files.makeDirectory(path.slice(0, path.lastIndexOf("/"))),
        Effect.asVoid(Effect.acquireRelease(
          Effect.suspend(() =>
            held.has(spelled(path))
              ? Effect.fail(inUse(path, "this process"))
              : Effect.sync(() => held.add(spelled(path)))
          ),
          () => Effect.sync(() => held.delete(spelled(path)))
        ))
      )
  }
}

/** A lock that nobody gives back. */
export const lockForEver = (files: Service): Service => ({
  ...files,
  lock: (path) => Scope.provide(files.lock(path), Scope.makeUnsafe())
})

/** A lock that is given back with its scope, but not when its taking is interrupted. */
export const lockLeaking = (files: Service): Service => ({
  ...files,
  lock: Effect.fnUntraced(function*(path) {
    const scope = yield* Scope.make()
    yield* Scope.provide(files.lock(path), scope)
    yield* Effect.yieldNow
    yield* Effect.addFinalizer(() => Scope.close(scope, Exit.void))
  })
})

/** No lock at all. */
export const lockNothing = (files: Service): Service => ({ ...files, lock: () => Effect.void })

export const fileLockMutants: ReadonlyArray<BrokenFiles> = [
  {
    name: "makes no directory for a lock",
    rejectedBy: oneAtATime,
    because: /there is no such file/,
    mutate: lockNothing
  },
  {
    name: "lets everybody hold a name",
    rejectedBy: oneAtATime,
    because: /must fail with "in-use": succeeded/,
    mutate: (files) => ({ ...files, lock: (path) => files.makeDirectory(path.slice(0, path.lastIndexOf("/"))) })
  },
  {
    name: "holds a name for ever",
    rejectedBy: oneAtATime,
    because: /a: this process holds it/,
    mutate: lockForEver
  },
  {
    name: "has one lock for all names of a directory",
    rejectedBy: oneAtATime,
    because: /a: this process holds it/,
    mutate: (files) => ({ ...files, lock: (path) => files.lock(`${path.slice(0, path.lastIndexOf("/"))}/a`) })
  },
  {
    name: "knows a name as it is spelled only",
    rejectedBy: oneAtATime,
    because: /must fail with "in-use": succeeded/,
    mutate: (files) => inASet(files, (path) => path)
  },
  {
    name: "lets go of a name when somebody else is refused",
    rejectedBy: oneAtATime,
    because: /must fail with "in-use": succeeded/,
    mutate: (files) => {
      let refused = new Set<string>()
      return {
        ...files,
        lock: (path) =>
          refused.has(path)
            ? Effect.void
            : Effect.tapError(files.lock(path), () => Effect.sync(() => refused = new Set([path])))
      }
    }
  },
  {
    name: "keeps a name whose taking is interrupted",
    rejectedBy: "a lock whose taking is interrupted, at each step, is free",
    because: /this process holds it/,
    mutate: lockLeaking
  },
  {
    name: "keeps the name of a holder that was killed",
    rejectedBy: "a holder that is killed holds nothing, whatever it left behind",
    because: /this process holds it/,
    mutate: (files) => inASet(files, (path) => path.split("/").filter((part) => part !== "" && part !== ".").join("/"))
  }
]
