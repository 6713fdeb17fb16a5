/**
 * Scores of peers (R18, R84, R107–R109, R118, R119, 5.7.1, A39): every fall has a record in the evidence book, and nothing else lowers one. An
 * identity without a record has the maximum; only what differs from that is kept.
 */
import type { EvidenceBook, EvidenceRecord } from "@peerstrap/peer-selection"
import { ConnectionLimits } from "../../contract/ConnectionLimits.ts"
import type { ScoreTable, Standing } from "../../contract/Standing.ts"
import { BoundedRecords } from "../connections/BoundedRecords.ts"
import { checkScoreTable } from "./ScoreTables.ts"

interface Marks {
  readonly score: number
  readonly serious: number
  /** Greylisted and not come back since. */
  readonly listed: boolean
}

/** Nobody is known yet. At most `ConnectionLimits.standings` identities that differ from the default are kept. */
export const makeStanding = (given: ScoreTable, book: EvidenceBook): Standing => {
  const table = checkScoreTable(given)
  const clean: Marks = { score: table.maximum, serious: 0, listed: false }
  const marks = new BoundedRecords<Marks>({
    capacity: ConnectionLimits.standings,
    spent: (mark) => mark.serious === 0 && !mark.listed && mark.score === table.maximum,
    kept: (mark) => mark.serious > 0
  })
  const of = (id: string): Marks => marks.get(id) ?? clean
  const put = (id: string, mark: Marks): void => {
    if (mark.score === table.maximum && mark.serious === 0 && !mark.listed) marks.delete(id)
    // Full of serious offenders: the greylist of the connections still knows this one.
    else marks.set(id, mark, 0)
  }
  return {
    score: (id) => of(id).score,
    serious: (id) => of(id).serious,
    joined: (id) => {
      const mark = of(id)
      if (mark.listed) put(id, { ...mark, listed: false, score: Math.max(1, Math.floor(table.maximum / 2)) })
      return of(id).score
    },
    credit: (id, credit, times = 1) => {
      const mark = of(id)
      if (mark.score === table.maximum) return mark.score
      const score = Math.min(table.maximum, mark.score + table.credits[credit] * Math.max(0, times))
      put(id, { ...mark, score })
      return score
    },
    blame: (id, offence, subject, detail, nowMillis) => {
      const rule = table.offences[offence]
      const record: EvidenceRecord = { peer: id, kind: offence, verdict: "peer", subject, detail, atMillis: nowMillis }
      book.add(record)
      const before = of(id)
      const score = rule.atOnce ? 0 : Math.max(0, before.score - rule.points)
      const serious = before.serious + (rule.serious ? 1 : 0)
      const listed = rule.atOnce || score === 0 || (rule.serious && serious >= table.seriousLimit)
      put(id, { score, serious, listed: listed || before.listed })
      return { score, consequence: listed ? "greylisted" : "points", longest: rule.atOnce, record }
    }
  }
}
