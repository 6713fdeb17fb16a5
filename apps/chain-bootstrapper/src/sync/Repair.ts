/** What damage took from the store of a run is fetched again before the run begins: told as it goes on, and in the report. */
import { ChainStore, lostPlaces, type RepairReport, repairStore } from "@peerstrap/chain-bootstrap"
import { CommandError, ExitCode } from "@peerstrap/command-line"
import { formatBytes, formatCount } from "@peerstrap/progress"
import * as Effect from "effect/Effect"
import { refJson, refText } from "../BlockNames.ts"
import { counted } from "../Counted.ts"
import { storeFault } from "../store/OpenStore.ts"
import { storedPeers } from "../store/StoredPeers.ts"
import type { Running } from "./PrepareSync.ts"
import type { StartPeers } from "./StartPeers.ts"

/** Blocks that are named one by one in a sentence. */
const named = 3

/** Whom to ask: peers of the operator, of earlier runs, of the network. */
const pointsOf = Effect.fnUntraced(function*(directory: string, peers: StartPeers) {
  const absent = new CommandError({ exitCode: ExitCode.no, message: "", remedy: "" })
  const stored = yield* storedPeers(directory, absent).pipe(
    Effect.map(({ rows }) => rows.flatMap(({ point, status }) => point === null || status === "banned" ? [] : [point])),
    Effect.orElseSucceed((): ReadonlyArray<string> => [])
  )
  return [...new Set([...peers.named, ...stored, ...yield* peers.resolveNames])]
})

/** What was fetched again; undefined where it was nothing. */
export const mendedText = ({ blocks, bytes, headers, units }: RepairReport): string | undefined => {
  if (blocks === 0) return undefined
  const lists = `${counted(units, "list")} of operations`
  return `${counted(blocks, "block")} that damage had taken: ${counted(headers, "header")} and ${lists}, ` +
    `${formatBytes(bytes)}, fetched again`
}

/** What could not be, and what to do; undefined where all is there. */
export const leftText = ({ blocksLeft, left }: RepairReport, directory: string): string | undefined => {
  const highest = left.at(-1)
  if (highest === undefined) return undefined
  const names = left.slice(0, named).map(refText).join(", ")
  return `no peer that was asked serves what the store lacks of ${counted(blocksLeft, "block")}: ` +
    `${names}${blocksLeft > named ? ", …" : ""}; run sync with --store ${directory} again and a --peer that keeps ` +
    `these levels (an archive node), or begin in another --store, with a --base above level ${
      formatCount(highest.level)
    }`
}

export const repairJson = (report: RepairReport) => ({ ...report, left: report.left.map(refJson) })

/** Undefined where the store knows of no damage. */
export const repairOfRun = Effect.fnUntraced(function*({ input, reporter, state }: Running, peers: StartPeers) {
  const { plan: { storePath }, settings } = input
  const store = yield* ChainStore
  if ((yield* Effect.mapError(lostPlaces(store), storeFault)).length === 0) return undefined
  const { base } = store.identity
  const report = yield* repairStore({
    points: yield* pointsOf(storePath, peers),
    timeoutMillis: Math.max(settings.headerTimeout, settings.operationsTimeout),
    onAsk: (point, blocks) => state.enter(`mending the store, ${counted(blocks, "block")} asked of ${point}`),
    onProgress: (level, head) => state.stepTo("looking for damage", level - base.level, head - base.level)
  }).pipe(Effect.mapError(storeFault))
  if (report === undefined) return undefined
  const { blocks, blocksLeft, bytes, headers, reasons, units } = report
  const left = leftText(report, storePath)
  const mended = mendedText(report)
  if (left !== undefined) state.warnings.push(left)
  reporter.event(
    "store-mended",
    { blocks, headers, units, bytes, blocksLeft, left: report.left.map(refJson), reasons },
    [...(mended === undefined ? [] : [mended]), ...(left === undefined ? [] : [`warning: ${left}`])].join("\n") ||
      "the damage has taken nothing from the applied chain"
  )
  return report
})
