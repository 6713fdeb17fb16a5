/** The end of the demonstration on a chain: what must hold and does not, one line of JSON, or text for a person. Pure. */
import { ExitCode } from "@peerstrap/command-line"
import { formatBytes, formatCount, formatDuration } from "@peerstrap/progress"
import * as Schema from "effect/Schema"
import type { PeerActivity } from "../chains/PeerActivity.ts"
import type { ProcessEnd } from "../processes/SiblingProcess.ts"
import { type ChainComparison, isSameChain } from "./ChainComparison.ts"
import { type ChainMoves, type Fault, roleOf } from "./ChainDemoPlan.ts"
import type { StoryTold } from "./ChainStory.ts"
import { codeOfProcess, parsed } from "./ProgramResult.ts"

const Place = Schema.Struct({ level: Schema.Finite, hash: Schema.String })

/** What the demonstration reads of the app's document; the whole of it lies in the store. */
const SyncDocument = Schema.Struct({
  verdict: Schema.String,
  head: Place,
  tookMillis: Schema.Finite,
  blocks: Schema.Finite,
  bytes: Schema.Finite,
  chain: Schema.Struct({
    segments: Schema.Finite,
    counters: Schema.Struct({
      headersReceived: Schema.Finite,
      unitsReceived: Schema.Finite,
      requestsSent: Schema.Finite,
      requestsTimedOut: Schema.Finite
    })
  }),
  blamed: Schema.Array(Schema.Struct({
    peer: Schema.String,
    kinds: Schema.Record(Schema.String, Schema.Finite),
    evidence: Schema.Array(Schema.Struct({ kind: Schema.String, subject: Schema.String, detail: Schema.String })),
    disconnected: Schema.Boolean
  })),
  reorganisations: Schema.Array(Schema.Struct({ fork: Place, from: Place, to: Place }))
})
type SyncDocument = typeof SyncDocument.Type

const VerifyDocument = Schema.Struct({
  verified: Schema.Boolean,
  blocks: Schema.Finite,
  lists: Schema.Finite,
  problemCount: Schema.Finite,
  quorum: Schema.Struct({ levels: Schema.Finite, segments: Schema.Finite, problems: Schema.Array(Schema.String) }),
  damage: Schema.Array(Schema.Unknown)
})

export interface ChainDemoEnd {
  readonly store: string
  /** All that it has left behind, as paths to remove. */
  readonly leftovers: ReadonlyArray<string>
  readonly moves: ChainMoves
  readonly faults: ReadonlyArray<Fault>
  /** Peer ids as the network writes them, and the numbers of the demonstration. */
  readonly numbers: ReadonlyMap<string, number>
  readonly told: StoryTold
  readonly tookMillis: number
  readonly sync: ProcessEnd
  readonly activity: ReadonlyArray<PeerActivity>
  /** Undefined when the app did not come to its end. */
  readonly verify: ProcessEnd | undefined
  readonly comparison: ChainComparison | undefined
  /** The last lines that the programs wrote beside their progress. */
  readonly messages: ReadonlyArray<string>
}

export interface BlamedPeer {
  /** Undefined: no peer of this network. */
  readonly number: number | undefined
  readonly peer: string
  readonly role: string
  readonly kinds: Readonly<Record<string, number>>
  readonly evidence: ReadonlyArray<{ readonly kind: string; readonly subject: string; readonly detail: string }>
  readonly disconnected: boolean
}

const blamedOf = ({ blamed }: SyncDocument, { faults, numbers }: ChainDemoEnd): ReadonlyArray<BlamedPeer> =>
  blamed.map((row) => {
    const number = numbers.get(row.peer)
    return { ...row, number, role: number === undefined ? "unknown" : roleOf(number, faults) }
  })

/** Those whose lie can be proven must be blamed for it; of the others nobody may be disconnected, and the honest ones not even blamed. */
const blameProblems = (rows: ReadonlyArray<BlamedPeer>, faults: ReadonlyArray<Fault>): ReadonlyArray<string> => [
  ...faults.filter(({ isProvable, peer }) =>
    isProvable && !rows.some(({ evidence, number }) => number === peer && evidence.length > 0)
  ).map(({ peer, role }) => `peer ${peer}, the ${role}, was not blamed`),
  ...rows.filter(({ disconnected, number, role }) =>
    !faults.some(({ isProvable, peer }) => isProvable && peer === number) && (role === "honest" || disconnected)
  ).map(({ disconnected, number, peer, role }) =>
    `peer ${number ?? peer} (${role}) was ${disconnected ? "disconnected" : "blamed"}`
  )
]

const syncProblems = (sync: SyncDocument | undefined, end: ChainDemoEnd): ReadonlyArray<string> => {
  const { moves, told } = end
  if (sync === undefined) return ["the app ended without a report"]
  const { reorganisations } = sync
  return [
    ...(told.synced ? [] : ["the app never said that it was synced"]),
    ...(reorganisations.some(({ fork }) => fork.level === moves.forkLevel)
      ? []
      : [`the app did not follow the reorganisation after level ${formatCount(moves.forkLevel)}`]),
    ...blameProblems(blamedOf(sync, end), end.faults)
  ]
}

/** What must hold and does not; empty: verified. */
export const problemsOf = (end: ChainDemoEnd): ReadonlyArray<string> => {
  const { comparison, sync, verify } = end
  return [
    ...(sync.exitCode === ExitCode.done ? [] : [`sync ${howEnded(sync)}`]),
    ...syncProblems(parsed(SyncDocument, sync.stdout), end),
    ...(verify === undefined
      ? ["nothing to verify"]
      : verify.exitCode === ExitCode.done
      ? []
      : [`verify ${howEnded(verify)}`]),
    ...(comparison === undefined || isSameChain(comparison) ? [] : ["the applied chain is not that of the seed"])
  ]
}

const howEnded = ({ exitCode, signal }: ProcessEnd): string =>
  signal === undefined ? `ended with exit code ${exitCode}` : `was ended by ${signal}`

/** 0 only if nothing is wrong; the code of a program that failed, else 1. */
export const chainCodeOf = (end: ChainDemoEnd): ExitCode => {
  for (const one of [end.sync, end.verify]) {
    const code = one === undefined ? ExitCode.done : codeOfProcess(one)
    if (code !== ExitCode.done) return code
  }
  return problemsOf(end).length === 0 ? ExitCode.done : ExitCode.no
}

const perSecond = ({ blocks, tookMillis }: SyncDocument): number => blocks * 1_000 / Math.max(1, tookMillis)

/** How often peers were visited and what rules of real nodes were broken towards them. */
const conductOf = (activity: ReadonlyArray<PeerActivity>) => {
  const violations: Record<string, number> = {}
  for (const one of activity) {
    for (const [rule, count] of Object.entries(one.violations)) violations[rule] = (violations[rule] ?? 0) + count
  }
  return { connections: activity.map(({ connections, id }) => ({ id, connections })), violations }
}

export const chainDemoJson = (end: ChainDemoEnd) => {
  const { activity, comparison, faults, moves, store, tookMillis } = end
  const sync = parsed(SyncDocument, end.sync.stdout)
  const verify = end.verify === undefined ? undefined : parsed(VerifyDocument, end.verify.stdout)
  const exitCode = chainCodeOf(end)
  return {
    demo: "chain",
    verified: exitCode === ExitCode.done,
    exitCode,
    problems: problemsOf(end),
    store,
    tookMillis,
    faults: faults.map(({ does, peer, role }) => ({ peer, role, does })),
    sync: {
      exitCode: end.sync.exitCode ?? null,
      verdict: sync?.verdict ?? null,
      synced: end.told.synced,
      firstLevel: moves.first.level,
      finalLevel: moves.finalLevel,
      ...(sync === undefined ? {} : {
        head: sync.head,
        blocks: sync.blocks,
        bytes: sync.bytes,
        tookMillis: sync.tookMillis,
        blocksPerSecond: Math.round(perSecond(sync)),
        segments: sync.chain.segments,
        counters: sync.chain.counters,
        reorganisations: sync.reorganisations,
        blamed: blamedOf(sync, end)
      })
    },
    conduct: conductOf(activity),
    verify: end.verify === undefined ? null : {
      exitCode: end.verify.exitCode ?? null,
      blocks: verify?.blocks ?? null,
      lists: verify?.lists ?? null,
      quorumLevels: verify?.quorum.levels ?? null,
      problems: verify === undefined ? null : verify.problemCount + verify.quorum.problems.length + verify.damage.length
    },
    comparison: comparison ?? null
  }
}

/** Evidence of one peer that is spelled out. */
const shownEvidence = 2

const blameLines = (rows: ReadonlyArray<BlamedPeer>): ReadonlyArray<string> =>
  rows.flatMap(({ disconnected, evidence, kinds, number, peer, role }) => [
    `      ${number ?? peer} (${role}): ${
      Object.entries(kinds).map(([kind, count]) => `${kind.replaceAll("-", " ")} ${formatCount(count)}×`).join(", ")
    }${disconnected ? ", disconnected" : ""}`,
    ...evidence.slice(0, shownEvidence).map(({ detail, subject }) => `        ${subject}: ${detail}`)
  ])

/** Faults that are none to the app, with what their peers saw of it. */
const unblamedLines = (
  rows: ReadonlyArray<BlamedPeer>,
  { activity, faults }: ChainDemoEnd
): ReadonlyArray<string> => {
  const others = faults.filter(({ peer }) => !rows.some(({ number }) => number === peer))
  return others.length === 0 ? [] : [
    "    not blamed, for silence and absence prove nothing:",
    ...others.map(({ does, peer, role }) => {
      const seen = activity.find(({ id }) => id === peer)
      return `      ${peer} (${role}): ${does}${
        seen === undefined ? "" : `; we connected to it ${formatCount(seen.connections)}×`
      }`
    })
  ]
}

const syncLines = (sync: SyncDocument, end: ChainDemoEnd): ReadonlyArray<string> => {
  const { chain: { counters, segments }, reorganisations } = sync
  const rows = blamedOf(sync, end)
  return [
    `  sync: ${sync.verdict}`,
    `    ${formatCount(sync.blocks)} blocks applied in ${formatDuration(sync.tookMillis)}: ${
      formatCount(perSecond(sync))
    } blocks/s; ${formatCount(counters.headersReceived)} headers in ${formatCount(segments)} segments, ${
      formatCount(counters.unitsReceived)
    } lists of operations, ${formatBytes(sync.bytes)}`,
    ...reorganisations.map(({ fork, from, to }) =>
      `    reorganised after level ${formatCount(fork.level)}: from level ${
        formatCount(from.level)
      } ${from.hash} to level ${formatCount(to.level)} ${to.hash}`
    ),
    rows.length === 0 ? "    nobody was blamed" : "    blamed, with evidence:",
    ...blameLines(rows),
    ...unblamedLines(rows, end)
  ]
}

const conductLine = (activity: ReadonlyArray<PeerActivity>): string => {
  const broken = Object.entries(conductOf(activity).violations)
  return `  towards its peers: ${
    broken.length === 0
      ? "no rule of real nodes was broken"
      : broken.map(([rule, count]) => `${rule} ${formatCount(count)}×`).join(", ")
  }`
}

const verifyLine = ({ verify }: ChainDemoEnd): string => {
  const found = verify === undefined ? undefined : parsed(VerifyDocument, verify.stdout)
  if (found === undefined) return `  verify: ${verify === undefined ? "not run" : howEnded(verify)}`
  const { blocks, damage, lists, problemCount, quorum } = found
  const problems = problemCount + quorum.problems.length + damage.length
  return `  verify: ${formatCount(blocks)} blocks, ${formatCount(lists)} lists of operations, quorums of ${
    formatCount(quorum.levels)
  } levels, ${problems === 0 ? "no problem" : `${formatCount(problems)} problems`}`
}

const comparisonLines = (comparison: ChainComparison): ReadonlyArray<string> => {
  const { different, equal, expected, first, missing, operations, unexpected } = comparison
  return [
    `  compared with the seeded chain: ${formatCount(equal)} of ${formatCount(expected)} blocks equal, with ${
      formatCount(operations)
    } operations` + (isSameChain(comparison)
      ? ""
      : `, ${formatCount(different)} different, ${formatCount(missing)} missing, ${
        formatCount(unexpected)
      } unexpected`),
    ...first.map((line) => `    ${line}`)
  ]
}

export const chainDemoText = (end: ChainDemoEnd): string => {
  const sync = parsed(SyncDocument, end.sync.stdout)
  const problems = problemsOf(end)
  const isVerified = chainCodeOf(end) === ExitCode.done
  return [
    `${isVerified ? "verified" : "NOT verified"} after ${formatDuration(end.tookMillis)}`,
    ...problems.map((problem) => `  problem: ${problem}`),
    ...(sync === undefined ? [] : syncLines(sync, end)),
    conductLine(end.activity),
    verifyLine(end),
    ...(end.comparison === undefined ? [] : comparisonLines(end.comparison)),
    ...(isVerified ? [] : end.messages.map((line) => `  ${line}`)),
    `  store: ${end.store} (kept; remove with: rm -r ${end.leftovers.join(" ")})`,
    ""
  ].join("\n")
}
