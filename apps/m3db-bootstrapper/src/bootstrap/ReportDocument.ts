/** What a run leaves behind as `peerstrap-report.json`: plain JSON, from which text is made for people at its end and by `report`. */
import { formatNanosDuration } from "@peerstrap/command-line"
import type { RunReport } from "@peerstrap/m3db-bootstrap"
import type { FilesetProblem } from "@peerstrap/m3db-files"
import { formatShards } from "@peerstrap/m3db-topology"
import { formatMillis, type Wait } from "@peerstrap/progress"
import { formatAddress } from "@peerstrap/transport"
import { filesetOutputOf } from "./FilesetOutput.ts"
import type { Ending } from "./Result.ts"

/**
 * What the evidence says of a peer. `at-fault`: there is proof of at least one fault · `unclear`: something was wrong on a side that is
 * not known · `clear`: nothing was recorded; failed calls and silence are no evidence.
 */
export interface PeerVerdict {
  readonly peer: string
  readonly verdict: "at-fault" | "unclear" | "clear"
  /** Complete, by kind. */
  readonly counts: Readonly<Record<string, number>>
}

export interface ReportDocument {
  readonly verdict: string
  readonly namespace: string
  readonly out: string
  /** ns. */
  readonly from: string
  readonly to: string
  readonly notes: ReadonlyArray<string>
  /** RFC 3339. */
  readonly started: string
  readonly ended: string
  /** The parts of the run, in the order in which they were composed. */
  readonly plugins: ReadonlyArray<{ readonly id: string; readonly version: string }>
  /** Where filesets are; null when the sink writes something else. */
  readonly files: string | null
  readonly settings: {
    readonly blockSize: string
    readonly shards: string
    readonly numShards: number
    readonly replicationFactor: number
    readonly peers: ReadonlyArray<{ readonly id: string; readonly address: string }>
    readonly encoding: string
    readonly mergeRule: string
    readonly errorPolicy: string
    readonly memory: number
    readonly deadlineMillis: number | null
  }
  readonly report: RunReport
  readonly peerVerdicts: ReadonlyArray<PeerVerdict>
  /** Filesets, or whatever the sink makes of a block. */
  readonly written: number
  readonly kept: number
  readonly refetched: number
  /** Null when nothing was read again. */
  readonly verification:
    | { readonly filesets: number; readonly damaged: number; readonly problems: ReadonlyArray<FilesetProblem> }
    | null
  readonly waits: ReadonlyArray<Wait>
  readonly warnings: ReadonlyArray<string>
}

const verdictsOf = (report: RunReport): ReadonlyArray<PeerVerdict> =>
  report.peers.map(({ id }) => {
    const counts = report.evidenceCounts[id] ?? {}
    const proven = report.evidence.some((record) => record.peer === id && record.verdict === "peer")
    const verdict = proven ? "at-fault" : Object.keys(counts).length > 0 ? "unclear" : "clear"
    return { peer: id, verdict, counts }
  })

export const reportDocument = (ending: Ending, verdict: string): ReportDocument => {
  const { existing, graph, plan, report, settings, verified, waits, warnings, written } = ending
  const filesets = filesetOutputOf(graph)
  return {
    verdict,
    namespace: settings.namespace,
    out: plan.outPath,
    from: String(plan.from),
    to: String(plan.to),
    notes: plan.notes,
    started: formatMillis(report.startedMillis),
    ended: formatMillis(report.endedMillis),
    plugins: graph.nodes.map(({ plugin: { id, version } }) => ({ id, version })),
    files: filesets === undefined ? null : `${filesets.out}/data/${filesets.namespace}`,
    settings: {
      blockSize: formatNanosDuration(settings.blockSize),
      shards: formatShards(plan.shards),
      numShards: plan.numShards,
      replicationFactor: plan.replicationFactor,
      peers: plan.peers.map(({ address, id }) => ({ id, address: formatAddress(address) })),
      encoding: settings.encoding,
      mergeRule: settings.mergeRule,
      errorPolicy: settings.errorPolicy,
      memory: report.memory.capacity,
      deadlineMillis: settings.deadline ?? null
    },
    report,
    peerVerdicts: verdictsOf(report),
    written: written.length,
    kept: existing.kept.size,
    refetched: existing.damaged.length,
    verification: verified === undefined ? null : {
      filesets: verified.length,
      damaged: verified.filter(({ ok }) => !ok).length,
      problems: verified.flatMap(({ problems }) => problems)
    },
    waits,
    warnings
  }
}
