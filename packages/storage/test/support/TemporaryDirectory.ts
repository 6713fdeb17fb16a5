/** A directory of the machine that goes with its scope, and what of it is open. */
import * as Effect from "effect/Effect"
import { readdirSync, readlinkSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"

export const temporaryDirectory = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "peerstrap-storage-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true }))
)

export const countsDescriptors = process.platform === "linux"

/** Descriptors of this process that are open on something below `root`. */
export const openBelow = (root: string): Effect.Effect<number> =>
  Effect.sync(() =>
    readdirSync("/proc/self/fd").filter((descriptor) => {
      try {
        return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith(root)
      } catch {
        return false
      }
    }).length
  )
