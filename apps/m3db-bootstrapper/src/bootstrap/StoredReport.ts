/** Reads the report that the last run left in its `--out`. */
import { CommandError, ExitCode } from "@peerstrap/command-line"
import { FileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import type { ReportDocument } from "./ReportDocument.ts"
import { reportFileName } from "./ReportText.ts"

/** A report lists at most 10,000 entries of each kind. */
const maxReportBytes = 64 * 2 ** 20

export interface StoredReport extends ReportDocument {
  readonly exitCode: number
  readonly error?: { readonly message: string; readonly remedy: string }
  /** Of the last run that fetched something, when this one did not. */
  readonly before?: StoredReport
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null

/** What text is made of; a file of another version or of another program lacks something of it. */
const isReport = (value: unknown): value is StoredReport =>
  isObject(value) && value["command"] === "bootstrap" && typeof value["exitCode"] === "number" &&
  typeof value["verdict"] === "string" && isObject(value["settings"]) && isObject(value["report"]) &&
  Array.isArray(value["peerVerdicts"]) && Array.isArray(value["waits"]) && Array.isArray(value["warnings"]) &&
  Array.isArray(value["plugins"])

const local = (message: string, remedy: string): CommandError =>
  new CommandError({ exitCode: ExitCode.local, message, remedy })

/** Undefined when there is none. */
export const readStoredReport = Effect.fnUntraced(function*(directory: string) {
  const fs = yield* FileSystem
  const path = `${directory}/${reportFileName}`
  const bytes = yield* Effect.catch(
    fs.readFile(path, maxReportBytes),
    (error) =>
      error.reason === "not-found" || error.reason === "not-a-directory"
        ? Effect.undefined
        : Effect.fail(local(`${path}: ${error.message}`, "run as a user who may read it"))
  )
  if (bytes === undefined) return undefined
  const remedy = "delete it; the next run writes it anew"
  const value = yield* Effect.try({
    try: (): unknown => JSON.parse(new TextDecoder().decode(bytes)),
    catch: () => local(`${path} is not JSON`, remedy)
  })
  if (!isReport(value)) return yield* local(`${path} is no report of a bootstrap, or of another version`, remedy)
  return value
})
