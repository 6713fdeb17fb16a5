/** Where an export goes: standard output, or a file that appears under its name when it is whole. */
import { CommandError, ExitCode, type Terminal } from "@peerstrap/command-line"
import { type FileError, FileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import { dirname } from "node:path"

export interface ExportOutput {
  readonly write: (text: string) => Effect.Effect<void, CommandError>
  /** Makes what was written durable and visible. */
  readonly publish: Effect.Effect<void, CommandError>
}

export const standardOutput = (terminal: Terminal): ExportOutput => ({ write: terminal.out, publish: Effect.void })

const localError = ({ message, path }: FileError): CommandError =>
  new CommandError({
    exitCode: ExitCode.local,
    message: `${path}: ${message}`,
    remedy: "free space or change permissions, or write elsewhere with --out"
  })

/** Until it is published it is `PATH.partial`, which goes with the scope. */
export const fileOutput = Effect.fnUntraced(function*(path: string, overwrite: boolean) {
  const fs = yield* FileSystem
  const there = yield* fs.stat(path).pipe(Effect.as(true), Effect.orElseSucceed(() => false))
  if (there && !overwrite) {
    return yield* new CommandError({
      exitCode: ExitCode.local,
      message: `${path} exists`,
      remedy: "replace it with --overwrite, or write elsewhere with --out"
    })
  }
  const partial = `${path}.partial`
  let published = false
  const file = yield* Effect.acquireRelease(
    Effect.mapError(fs.create(partial), localError),
    (open) => Effect.andThen(Effect.ignore(open.close), published ? Effect.void : Effect.ignore(fs.remove(partial)))
  )
  const encoder = new TextEncoder()
  const output: ExportOutput = {
    write: (text) => text === "" ? Effect.void : Effect.mapError(file.append([encoder.encode(text)]), localError),
    publish: Effect.gen(function*() {
      yield* file.sync
      yield* fs.rename(partial, path)
      published = true
      yield* fs.syncDirectory(dirname(path))
    }).pipe(Effect.mapError(localError))
  }
  return output
})
