/** What a command finds in DIR: the filesets asked for, or why there are none, with the exit code that belongs to it. */
import { CommandError, ExitCode, type Problem } from "@peerstrap/command-line"
import { type FilesetError, scanDirectory, type ScannedFileset, type ScannedNamespace } from "@peerstrap/m3db-files"
import { formatShards, isTopologyError, Limits as TopologyLimits, parseShards } from "@peerstrap/m3db-topology"
import { FileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"

export interface DataFilter {
  readonly namespace: string | undefined
  /** Ascending; undefined: all. */
  readonly shards: ReadonlyArray<number> | undefined
}

/** Something wrong with a file: where, what, what to do. */
export interface FileProblem {
  readonly path: string
  /** Byte in the file, -1 when no byte is meant. */
  readonly offset: number
  readonly what: string
  readonly remedy: string
}

export const problemOf = ({ message, offset, path, remedy }: FilesetError): FileProblem => ({
  path,
  offset,
  what: message,
  remedy
})

export const problemText = ({ offset, path, remedy, what }: FileProblem): string =>
  `${path}${offset < 0 ? "" : `: byte ${offset}`}: ${what}\n  what to do: ${remedy}`

/** Not damage of the data: this machine did not let us read. */
const localReasons: ReadonlySet<FilesetError["reason"]> = new Set(["permission", "too-many-open", "io"])

export const isLocal = ({ reason }: Pick<FilesetError, "reason">): boolean => localReasons.has(reason)

/** Reads the `--shards` of a command that knows no number of shards. */
export const readShardFilter = (
  given: string | undefined,
  problem: (problem: Problem) => void
): ReadonlyArray<number> | undefined => {
  if (given === undefined) return undefined
  const shards = parseShards(given, TopologyLimits.shards)
  if (!isTopologyError(shards)) return shards
  for (const message of shards.problems) problem({ where: "--shards", message })
  return undefined
}

const usage = (message: string, remedy: string): CommandError =>
  new CommandError({ exitCode: ExitCode.usage, message, remedy })

const prefixRemedy = "give the directory that holds data/ (filePathPrefix of the node), e.g. /var/lib/m3db"

const checkDirectory = Effect.fnUntraced(function*(directory: string) {
  const fs = yield* FileSystem
  const info = yield* Effect.catch(fs.stat(directory), ({ message, reason }) => {
    if (reason === "not-found") return usage(`${directory} does not exist`, prefixRemedy)
    if (reason === "not-a-directory") return usage(`${directory} is not a directory`, prefixRemedy)
    const remedy = "run as a user who may read it, or change its permissions"
    return new CommandError({ exitCode: ExitCode.local, message: `${directory}: ${message}`, remedy })
  })
  if (info.kind !== "directory") return yield* usage(`${directory} is not a directory`, prefixRemedy)
})

const shown = (found: ReadonlyArray<string>): string =>
  `${found.slice(0, 10).join(", ")}${found.length > 10 ? ", …" : ""}`

/** Nothing was found: says what was looked for, and what is there instead. */
const nothingFound = Effect.fnUntraced(function*(directory: string, { namespace, shards }: DataFilter) {
  const fs = yield* FileSystem
  const names = (path: string) => Effect.orElseSucceed(fs.list(path), (): ReadonlyArray<string> => [])
  const wanted = shards === undefined ? "SHARD" : shards.length === 1 ? String(shards[0]) : `{${formatShards(shards)}}`
  const looked = `looked for ${directory}/data/${namespace ?? "NAMESPACE"}/${wanted}/fileset-BLOCKSTART-VOLUME-*.db`
  const namespaces = yield* names(`${directory}/data`)
  const there = namespace !== undefined && namespaces.includes(namespace)
    ? `shards there: ${shown(yield* names(`${directory}/data/${namespace}`))}`
    : namespaces.length > 0
    ? `namespaces there: ${shown(namespaces)}`
    : `${directory} holds: ${shown(yield* names(directory)) || "nothing"}`
  return usage(`no fileset in ${directory}: ${looked}; ${there}`, prefixRemedy)
})

/** The namespaces with the shards asked for; at least one fileset, or the command ends with what was looked for. */
export const scanData = Effect.fnUntraced(function*(directory: string, filter: DataFilter) {
  yield* checkDirectory(directory)
  const scanned = yield* Effect.mapError(
    scanDirectory(directory, filter.namespace),
    (error) =>
      new CommandError({ exitCode: ExitCode.local, message: problemText(problemOf(error)), remedy: error.remedy })
  )
  const wanted = filter.shards === undefined ? undefined : new Set(filter.shards)
  const namespaces = scanned
    .map(({ namespace, shards }): ScannedNamespace => ({
      namespace,
      shards: shards.filter(({ filesets, shard }) => filesets.length > 0 && (wanted?.has(shard) ?? true))
    }))
    .filter(({ shards }) => shards.length > 0)
  if (namespaces.length === 0) return yield* yield* nothingFound(directory, filter)
  return namespaces.toSorted((a, b) => (a.namespace < b.namespace ? -1 : 1))
})

/** Every fileset in order, with the place it stands in. */
export function* filesetsOf(namespaces: ReadonlyArray<ScannedNamespace>): Generator<{
  readonly namespace: string
  readonly shard: number
  readonly fileset: ScannedFileset
}> {
  for (const { namespace, shards } of namespaces) {
    for (const { filesets, shard } of shards) for (const fileset of filesets) yield { namespace, shard, fileset }
  }
}
