// A directory of its own for each test.
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** Goes with the scope. */
export const temporaryDirectory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "peerstrap-chain-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)
