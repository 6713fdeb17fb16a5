/** What the output directory holds already of the blocks that are wanted: refuse, keep or replace. */
import { CommandError, ExitCode } from "@peerstrap/command-line"
import { type FilesetVerification, scanDirectory, verifyFileset } from "@peerstrap/m3db-files"
import { formatNanos } from "@peerstrap/progress"
import * as Effect from "effect/Effect"
import type { BootstrapSettings } from "./BootstrapFlags.ts"
import type { BootstrapPlan } from "./BootstrapPlan.ts"

export interface Existing {
  /** `shard/blockStart` of blocks that stay as they are. */
  readonly kept: ReadonlySet<string>
  /** Blocks that are there and not whole: fetched again. */
  readonly damaged: ReadonlyArray<FilesetVerification>
  /** Complete filesets that will be replaced. */
  readonly replaced: number
}

/** Of a directory that is empty, and of a sink into which nobody can look. */
export const nothingExists: Existing = { kept: new Set(), damaged: [], replaced: 0 }

/** Blocks that are wanted, and where. */
type Wanted = Pick<BootstrapPlan, "outPath" | "shards" | "starts" | "numShards">

export const blockName = (shard: number, blockStart: bigint): string => `${shard}/${blockStart}`

/** How many paths an error names. */
const named = 5

const refuse = (message: string, paths: ReadonlyArray<string>, remedy: string) =>
  new CommandError({
    exitCode: ExitCode.local,
    message: [
      message,
      ...paths.slice(0, named).map((path) => `  ${path}`),
      ...(paths.length > named ? [`  and ${paths.length - named} more`] : [])
    ].join("\n"),
    remedy
  })

interface Found {
  readonly shard: number
  readonly blockStart: bigint
  readonly volume: number
  readonly legacy: boolean
}

/** Complete filesets of wanted blocks, those a node would read. */
const findWanted = Effect.fnUntraced(function*(plan: Wanted, namespace: string) {
  const shards = new Set(plan.shards)
  const starts = new Set(plan.starts)
  const scanned = yield* scanDirectory(plan.outPath, namespace).pipe(
    Effect.mapError((error) =>
      new CommandError({
        exitCode: ExitCode.local,
        message: `${error.path}: ${error.message}`,
        remedy: error.remedy
      })
    )
  )
  const found: Array<Found> = []
  for (const { shards: scannedShards } of scanned) {
    for (const { filesets, shard } of scannedShards) {
      if (!shards.has(shard)) continue
      for (const { blockStart, complete, latest, legacy, volume } of filesets) {
        if (complete && latest && starts.has(blockStart)) found.push({ shard, blockStart, volume, legacy })
      }
    }
  }
  return found
})

/**
 * Looks before anything is written. A volume above 0 is always refused: a node would read it and not ours. Complete filesets are
 * refused unless `--overwrite` or `--resume`; what a killed run left without its checkpoint is no fileset and goes away.
 */
export const checkExisting = Effect.fnUntraced(function*(
  plan: Wanted,
  settings: Pick<BootstrapSettings, "namespace" | "resume" | "overwrite" | "hashSeed">,
  onChecked: (done: number, total: number) => void
) {
  const { namespace } = settings
  const found = yield* findWanted(plan, namespace)
  const path = (one: Found): string =>
    `${plan.outPath}/data/${namespace}/${one.shard}/fileset-${one.blockStart}-${one.volume} (${
      formatNanos(one.blockStart)
    })`
  const higher = found.filter(({ volume }) => volume > 0)
  if (higher.length > 0) {
    return yield* refuse(
      "filesets of a volume above 0 exist: a node reads the highest volume and would ignore what is written here",
      higher.map(path),
      "write into an empty directory with --out, or delete those volumes if what they hold may be lost"
    )
  }
  if (found.length > 0 && !settings.resume && !settings.overwrite) {
    return yield* refuse(
      `${found.length} of the filesets to be written exist already`,
      found.map(path),
      "keep them and fetch the rest with --resume, replace them with --overwrite, or write elsewhere with --out"
    )
  }
  if (!settings.resume) return { ...nothingExists, replaced: found.length }
  let done = 0
  onChecked(0, found.length)
  const sharding = { numShards: plan.numShards, seed: settings.hashSeed }
  const verified = yield* Effect.forEach(
    found,
    ({ blockStart, legacy, shard, volume }) =>
      verifyFileset({ prefix: plan.outPath, namespace, shard, blockStart, volume, legacy }, { sharding }).pipe(
        Effect.tap(() => Effect.sync(() => onChecked(++done, found.length)))
      ),
    { concurrency: 2 }
  )
  const existing: Existing = {
    kept: new Set(verified.filter(({ ok }) => ok).map(({ key }) => blockName(key.shard, key.blockStart))),
    damaged: verified.filter(({ ok }) => !ok),
    replaced: 0
  }
  return existing
})
