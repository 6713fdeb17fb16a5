/** Where a run lives: its directory and its control socket. */
import { CommandError, ExitCode } from "@peerstrap/command-line"
import { formatBytes, serveControl } from "@peerstrap/progress"
import { FileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import { fileFault } from "../LocalFaults.ts"
import { controlCommands, type ControlledRun } from "./ControlCommands.ts"
import type { RunState } from "./RunState.ts"

/** Below this a warning is said before anything is written. */
const littleSpaceBytes = 256 * 2 ** 20

/** Makes the store's directory and warns of little space; the socket lies there before the store does. */
export const prepareDirectory = Effect.fnUntraced(function*(directory: string, state: RunState) {
  const fs = yield* FileSystem
  yield* fs.makeDirectory(directory).pipe(Effect.mapError(fileFault))
  const freeBytes = yield* fs.freeBytes(directory).pipe(Effect.orElseSucceed(() => undefined))
  if (freeBytes !== undefined && freeBytes < littleSpaceBytes) {
    state.warnings.push(`only ${formatBytes(freeBytes)} are free at ${directory}`)
  }
})

export const startControl = (path: string, controlled: ControlledRun) =>
  serveControl(path, controlCommands(controlled)).pipe(Effect.mapError((error) =>
    new CommandError({
      exitCode: error.reason === "path-too-long" ? ExitCode.usage : ExitCode.local,
      message: error.message,
      remedy: error.reason === "in-use"
        ? "another run works there: stop it, or name another --store"
        : "choose another path for the socket with --control"
    })
  ))
