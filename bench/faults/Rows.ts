/**
 * The faults that were measured on M3's own client, each on one of three replicas (A, B, C), with what that client did and the bar for
 * ours. Figures of the Go client: real nodes, 8 shards, 12,642 series, healthy 1.8 s.
 */
import { setTimeout as sleep } from "node:timers/promises"
import { type BootstrapOptions, type Ended, runProgram } from "./Bootstrap.ts"
import type { Cluster } from "./Cluster.ts"

export interface FaultRow {
  readonly id: string
  readonly fault: string
  readonly goClient: string
  /** In words. */
  readonly bar: string
  /** Most times the healthy run of the same pair; undefined: time decides nothing. */
  readonly mostRatio?: number
  /** Most seconds beyond the healthy run of the same pair, where the bar names a time. */
  readonly mostExtraSeconds?: number
  /** Brings the fault about; what it gives back is run, `after` puts everything right again. */
  readonly begin: (cluster: Cluster) => Promise<FaultRun>
  /** What is wrong with the outcome, beyond `complete and equal to the truth`; undefined when nothing is. */
  readonly check?: (ended: Ended) => string | undefined
  /** Default 0. Above it the program says that something is missing or not confirmed. */
  readonly exitCode?: number
  /** The run cannot bring all of the data. */
  readonly isPartial?: boolean
  /** It is other work than that of the healthy run: times are not compared. */
  readonly isOtherWork?: boolean
}

export interface FaultRun {
  readonly options: BootstrapOptions
  /** When it is not that of the cluster. */
  readonly truth?: string
  readonly after?: () => Promise<void>
}

/** Silence of a peer that ends a call: the program's default. */
const idleSeconds = 15

/** Of a run that is meant to fail. */
const deadlineSeconds = 5

/** What a run may need to stop in order after its deadline. */
const stoppingSeconds = 1

const behindProxy = (fault: string) => async (cluster: Cluster): Promise<FaultRun> => ({
  options: cluster.options({ c: await cluster.proxy(fault) })
})

const verdictOf = ({ document }: Ended, peer: string) =>
  document.peerVerdicts.find((verdict) => verdict.peer === peer)?.verdict

const blamesOnly = (...peers: ReadonlyArray<string>) => (ended: Ended): string | undefined => {
  const blamed = ended.document.peerVerdicts.filter(({ verdict }) => verdict === "at-fault").map(({ peer }) => peer)
  const unjust = blamed.filter((peer) => !peers.includes(peer))
  return unjust.length === 0 ? undefined : `blames ${unjust.join(", ")}`
}

/** The fault came while there was still work for C. */
const felt = (ended: Ended): string | undefined =>
  (ended.document.report.peers.find(({ id }) => id === "C")?.failures ?? 0) === 0
    ? "the run was over before the fault was felt"
    : blamesOnly()(ended)

const namesDamaged = (ended: Ended): string | undefined => {
  if (verdictOf(ended, "C") !== "at-fault") return "C delivers less than it lists and is not named"
  const proof = ended.document.report.evidence.find(({ peer, verdict }) => peer === "C" && verdict === "peer")
  return proof === undefined ? "no evidence" : blamesOnly("C")(ended)
}

const namesDown = ({ document }: Ended): string | undefined => {
  const said = JSON.stringify(document.waits)
  const missing = ["B", "C", "majority"].filter((word) => !said.includes(`"${word}"`))
  return missing.length === 0 ? undefined : `its waits do not name ${missing.join(", ")}`
}

const namesDivergences = (ended: Ended): string | undefined => {
  const { divergences, seriesBlocks } = ended.document.report
  return divergences.total === seriesBlocks.stored
    ? blamesOnly()(ended)
    : `${divergences.total} divergences reported, ${seriesBlocks.stored} series-blocks differ`
}

const namesBootstrapping = (ended: Ended): string | undefined => {
  const { peers, unlisted } = ended.document.report
  const said = [...unlisted.entries.map(({ reason }) => reason), ...peers.map(({ lastError }) => lastError ?? "")]
  return said.some((text) => text.includes("not yet bootstrapped")) ? blamesOnly()(ended) : "C is not named"
}

/** Into the run: data flow, and most of them are still to come (a healthy run takes two thirds of a second and more). */
const midStreamMillis = 200

const killed: FaultRow["begin"] = async (cluster) => {
  let killing: Promise<void> | undefined
  const kill = async (): Promise<void> => {
    await sleep(midStreamMillis)
    await cluster.killC()
  }
  return {
    options: cluster.options({ onStart: () => void (killing = kill()) }),
    after: async () => {
      await killing
      await cluster.restartC()
    }
  }
}

/** As an operator does it who has read what the run waits for. */
const lower = async (out: string): Promise<void> => {
  await sleep(1000)
  await runProgram("set-level", "one", "--out", out)
}

const lowered: FaultRow["begin"] = async (cluster) => {
  let lowering: Promise<void> | undefined
  return {
    options: cluster.options({ ...cluster.nobody, onStart: (out) => void (lowering = lower(out)) }),
    after: async () => void (await lowering)
  }
}

export const faultRows: ReadonlyArray<FaultRow> = [
  {
    id: "damaged",
    fault: "C's data file damaged, digests intact: every third series is listed, not delivered",
    goClient: "success, 519 of 1,559 series lost",
    bar: "complete, C named with evidence",
    begin: async (cluster) => ({ options: cluster.options({ c: cluster.damaged.hostPort }) }),
    check: namesDamaged
  },
  {
    id: "slow",
    fault: "C at 200 kB/s a connection",
    goClient: "51 s",
    bar: "≤ 1.5 × healthy",
    mostRatio: 1.5,
    begin: behindProxy("rate:200000"),
    check: blamesOnly()
  },
  {
    id: "killed",
    fault: "C killed 0.2 s into the run (M3's: 0.5 of 1.8 s)",
    goClient: "15 s",
    bar: "≤ 2 × healthy",
    mostRatio: 2,
    begin: killed,
    check: felt
  },
  {
    id: "down",
    fault: "C down from the start",
    goClient: "20.3 s to open, then 2.0 s",
    bar: "starts at once: ≤ 1.5 × healthy",
    mostRatio: 1.5,
    begin: async (cluster) => ({ options: cluster.options({ c: cluster.nobody.c }) }),
    check: blamesOnly()
  },
  {
    id: "cut",
    fault: "C's connections cut after 150 kB, for ever",
    goClient: "unfinished after 60 s",
    bar: "complete, nothing lost",
    begin: behindProxy("cut:150000"),
    check: felt
  },
  {
    id: "silent",
    fault: "C's connections silent after 150 kB, default timeouts",
    goClient: "unfinished after 200 s",
    bar: `≤ idle timeout (${idleSeconds} s) + healthy`,
    mostExtraSeconds: idleSeconds,
    begin: behindProxy("silence:150000"),
    check: blamesOnly()
  },
  {
    id: "flipped",
    fault: "one flipped bit in each of C's connections",
    goClient: "41 s (5 s timeout)",
    bar: "complete and right, ≤ 3 × healthy",
    mostRatio: 3,
    begin: behindProxy("flip:150000"),
    check: blamesOnly("C")
  },
  {
    id: "two-down",
    fault: `B and C down, level majority, --deadline ${deadlineSeconds}s`,
    goClient: "retries for ever, silently",
    bar: "exit 3 at its deadline, says which peers and which level",
    exitCode: 3,
    isPartial: true,
    isOtherWork: true,
    begin: async (cluster) => ({
      options: cluster.options({ ...cluster.nobody, flags: ["--deadline", `${deadlineSeconds}s`] })
    }),
    check: (ended) => ended.runSeconds > deadlineSeconds + stoppingSeconds ? "ends too late" : namesDown(ended)
  },
  {
    id: "two-down-level",
    fault: "B and C down, set-level one after 1 s",
    goClient: "retries for ever, silently",
    bar: "ends on a level change; exit 1: one replica cannot confirm what a majority holds",
    exitCode: 1,
    isOtherWork: true,
    begin: lowered,
    check: (ended) =>
      ended.document.report.missing.entries.every(({ reason }) => reason.includes("listed by 1 of 3 peers"))
        ? blamesOnly()(ended)
        : "more is missing than the word of B and C"
  },
  {
    id: "disagree",
    fault: "B lacks every second point, C has other values and lacks every fifth series",
    goClient: "values depend on timing",
    bar: "the same every time, each divergence reported",
    isOtherWork: true,
    begin: async (cluster) => {
      const { options, truth } = await cluster.differing()
      return { options, truth }
    },
    check: namesDivergences
  },
  {
    id: "bootstrapping",
    fault: "C is itself bootstrapping",
    goClient: "error, retried at once",
    bar: "polled slowly, named",
    begin: async (cluster) => {
      await cluster.behave("not-bootstrapped")
      return { options: cluster.options({}), after: () => cluster.behave("") }
    },
    check: namesBootstrapping
  }
]
