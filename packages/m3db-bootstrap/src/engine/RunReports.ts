/** The report at the end of a run, from its counters. */
import type { RunReport } from "../contract/RunReport.ts"
import type { StreamRun } from "./StreamRun.ts"

/** What our own settings did is no evidence against anybody. */
const evidenceOf = ({ book, scope: { ownFault } }: StreamRun): Pick<RunReport, "evidence" | "evidenceCounts"> => ({
  evidence: book.records().filter(({ kind }) => kind !== ownFault),
  evidenceCounts: Object.fromEntries(
    Object.entries(book.summary())
      .map(([peer, kinds]) =>
        [peer, Object.fromEntries(Object.entries(kinds).filter(([kind]) => kind !== ownFault))] as const
      )
      .filter(([, kinds]) => Object.keys(kinds).length > 0)
  )
})

export const runReport = (run: StreamRun): RunReport => {
  const { ledger, level, options, queues, tally } = run.scope
  let blocks = 0
  for (const job of run.jobs) blocks += job.blockStarts.length
  return {
    outcome: run.outcome?._tag ?? "running",
    level,
    levelChanges: run.levelChanges,
    startedMillis: run.startedMillis,
    endedMillis: run.isFinished ? run.endedMillis : run.scope.wall,
    jobs: { total: run.jobs.length, done: run.jobsDone },
    blocks: { total: blocks, committed: tally.blocksCommitted, empty: tally.blocksEmpty },
    seriesBlocks: {
      listed: tally.listed,
      stored: tally.stored,
      merged: tally.merged,
      missing: tally.missing.total,
      dropped: tally.dropped
    },
    bytes: tally.bytes,
    retries: tally.retries,
    hedged: { items: tally.hedgedItems, bytes: tally.hedgedBytes },
    missing: tally.missing.value(),
    unlisted: tally.unlisted.value(),
    divergences: { ...tally.divergences.value(), counts: tally.divergenceCounts },
    ...evidenceOf(run),
    peers: options.peers.map((id, peer) => ({
      id,
      seriesBlocks: tally.peerSeriesBlocks[peer]!,
      bytes: tally.peerBytes[peer]!,
      pages: tally.peerPages[peer]!,
      failures: tally.peerFailures[peer]!,
      lastError: queues.state(peer).lastFailureMessage,
      failedCalls: tally.failedCallsOf(peer),
      damaged: tally.damaged[peer]!.value()
    })),
    memory: { capacity: ledger.capacity, peak: ledger.peak }
  }
}
