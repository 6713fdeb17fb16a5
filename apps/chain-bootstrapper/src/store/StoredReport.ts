/** The report of the last run, which lies in its store as `peerstrap-report.json`: written at the end of a run, read by `status`. */
import { CommandError, type CommandResult, ExitCode } from "@peerstrap/command-line"
import { jsonLine } from "@peerstrap/progress"
import { type FileError, FileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import { fileFault } from "../LocalFaults.ts"

export const reportFileName = "peerstrap-report.json"

/** Lists in a report are bounded; this is far above the largest. */
const maxReportBytes = 64 * 2 ** 20

/** A disk that cannot take the report spoils an otherwise good end. */
export const storeReport = Effect.fnUntraced(function*(store: string, command: string, result: CommandResult) {
  const fs = yield* FileSystem
  const path = `${store}/${reportFileName}`
  const text = `${jsonLine({ command, exitCode: result.exitCode, ...result.json, error: result.error ?? null })}\n`
  return yield* fs.writeFileAtomic(path, new TextEncoder().encode(text)).pipe(
    Effect.as(result),
    Effect.catch((error: FileError) =>
      Effect.succeed<CommandResult>({
        ...result,
        exitCode: result.exitCode === ExitCode.done ? ExitCode.local : result.exitCode,
        text: `${result.text}  report: not stored: ${error.path}: ${error.message}\n`
      })
    )
  )
})

/** Undefined when no run has ended here yet. */
export const readReport = Effect.fnUntraced(function*(store: string) {
  const fs = yield* FileSystem
  const path = `${store}/${reportFileName}`
  const bytes = yield* fs.readFile(path, maxReportBytes).pipe(
    Effect.catch((error) => error.reason === "not-found" ? Effect.void : Effect.fail(fileFault(error)))
  )
  if (bytes === undefined) return undefined
  return yield* Effect.try({
    try: () => JSON.parse(new TextDecoder().decode(bytes)) as Readonly<Record<string, unknown>>,
    catch: () =>
      new CommandError({
        exitCode: ExitCode.local,
        message: `${path} is not JSON`,
        remedy: "delete it; the next run writes it anew"
      })
  })
})
