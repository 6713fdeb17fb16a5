/** What happened in a run, as events for programs and, where it matters to a person, as a sentence. Ids become the texts that people know. */
import type { SyncNotice } from "@peerstrap/chain-bootstrap"
import { formatCount, formatDuration } from "@peerstrap/progress"
import { blockText, refJson, refText } from "../BlockNames.ts"

export interface Told {
  /** Stable, kebab case. */
  readonly name: string
  readonly fields: Readonly<Record<string, unknown>>
  /** Undefined: for programs alone. */
  readonly text: string | undefined
}

const place = (level: number, id: string): string => `level ${formatCount(level)} ${blockText(id)}`

const consequences = {
  points: "its score fell to",
  greylisted: "greylisted, score"
} as const

type NoticeOf<Kind extends SyncNotice["kind"]> = Extract<SyncNotice, { readonly kind: Kind }>

const texts: { readonly [Kind in SyncNotice["kind"]]?: (notice: NoticeOf<Kind>) => string } = {
  blamed: ({ consequence, record, score }) =>
    `peer ${record.peer}: ${record.kind.replaceAll("-", " ")}: ${record.subject}: ${record.detail} (${
      consequences[consequence]
    } ${score})`,
  mode: ({ mode, reason }) => `mode ${mode}: ${reason}`,
  unavailable: ({ id, peers }) => `${blockText(id)}: none of ${formatCount(peers)} peers has it`,
  "apply-retry": ({ delayMillis, level, reason }) =>
    `the applier cannot take level ${formatCount(level)} now: ${reason}; tried again in ${formatDuration(delayMillis)}`,
  invalid: ({ id, level, reason }) => `invalid block ${place(level, id)}: ${reason}`,
  reorganised: ({ fork, from, to }) =>
    `reorganised: from ${refText(from)} to ${refText(to)}, which leave each other after ${refText(fork)}`,
  status: ({ reason, status }) => `${status}: ${reason}`,
  stuck: ({ escalation, reason }) =>
    `stuck: ${reason}${
      {
        refresh: "; asking all peers anew",
        rotate: "; exchanging the worst third of the peers",
        report: ""
      }[escalation]
    }`
}

const fieldsOf = (notice: SyncNotice): Readonly<Record<string, unknown>> => {
  switch (notice.kind) {
    case "pruned":
      return { level: notice.level, hash: blockText(notice.id), supporters: notice.supporters }
    case "unavailable":
      return { hash: blockText(notice.id), peers: notice.peers }
    case "applied":
      return { level: notice.level, hash: blockText(notice.id), blocks: notice.blocks }
    case "invalid":
      return { level: notice.level, hash: blockText(notice.id), reason: notice.reason }
    case "reorganised":
      return {
        fork: refJson(notice.fork),
        from: refJson(notice.from),
        to: refJson(notice.to),
        strategy: notice.strategy
      }
    default: {
      const { kind: _, ...fields } = notice
      return fields
    }
  }
}

export const tellNotice = (notice: SyncNotice): Told => {
  const text = texts[notice.kind] as ((notice: SyncNotice) => string) | undefined
  return { name: notice.kind, fields: fieldsOf(notice), text: text?.(notice) }
}

/** Reorganisations and penalties of one run, for its report; the rest is counted. */
const kept = 1000

export interface NoticeBook {
  readonly add: (notice: SyncNotice) => void
  readonly reorganisations: ReadonlyArray<Readonly<Record<string, unknown>>>
  readonly invalid: ReadonlyArray<Readonly<Record<string, unknown>>>
  /** Level of the lowest block after which a reorganisation left our chain; Infinity without one. */
  readonly lowestFork: () => number
  /** Peers that were disconnected and greylisted for what they did. */
  readonly greylisted: ReadonlySet<string>
}

export const makeNoticeBook = (): NoticeBook => {
  const reorganisations: Array<Readonly<Record<string, unknown>>> = []
  const invalid: Array<Readonly<Record<string, unknown>>> = []
  const greylisted = new Set<string>()
  let lowestFork = Number.POSITIVE_INFINITY
  return {
    reorganisations,
    invalid,
    greylisted,
    lowestFork: () => lowestFork,
    add: (notice) => {
      if (notice.kind === "reorganised") lowestFork = Math.min(lowestFork, notice.fork.level)
      if (notice.kind === "reorganised" && reorganisations.length < kept) reorganisations.push(fieldsOf(notice))
      if (notice.kind === "invalid" && invalid.length < kept) invalid.push(fieldsOf(notice))
      if (notice.kind === "blamed" && notice.consequence !== "points" && greylisted.size < kept) {
        greylisted.add(notice.record.peer)
      }
    }
  }
}
