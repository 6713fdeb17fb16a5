/** Counts a `SegmentEvidence` again, from nothing but itself: whole numbers only, no trust in the DAG that wrote it. */
import type { EvidenceRun, SegmentEvidence } from "../contract/HeaderDag.ts"

const strictlyAscending = (peers: ReadonlyArray<number>): boolean =>
  peers.every((peer, n) => Number.isSafeInteger(peer) && peer >= 0 && (n === 0 || peers[n - 1]! < peer))

const outside = (peers: ReadonlyArray<number>, whole: ReadonlyArray<number>): ReadonlyArray<number> => {
  const members = new Set(whole)
  return peers.filter((peer) => !members.has(peer))
}

/** What is wrong with the votes of one run, apart from where it stands. */
const checkVotes = (evidence: SegmentEvidence, run: EvidenceRun): ReadonlyArray<string> => {
  const { electorate, rule, supporters } = run
  const wrong: Array<string> = []
  if (!strictlyAscending(supporters)) wrong.push("its supporters are not each listed once, ascending")
  if (!strictlyAscending(electorate)) wrong.push("its electorate is not each listed once, ascending")
  const strangers = outside(supporters, electorate)
  if (strangers.length > 0) wrong.push(`supporters ${strangers.join(", ")} are not in its electorate`)
  const unknown = outside(electorate, evidence.electors)
  if (unknown.length > 0) wrong.push(`peers ${unknown.join(", ")} of its electorate are no electors`)
  const all = evidence.electors.length
  if (rule === "tip") {
    if (electorate.length !== all) {
      wrong.push(`rule tip needs all ${all} electors, its electorate has ${electorate.length}`)
    }
  } else if (rule !== "settled") wrong.push(`its rule is ${String(rule)}, not settled or tip`)
  else if (!(3 * electorate.length > 2 * all)) {
    wrong.push(`its electorate of ${electorate.length} is not more than 2/3 of ${all} electors`)
  }
  if (!(3 * supporters.length > 2 * electorate.length)) {
    wrong.push(`${supporters.length} supporters are not more than 2/3 of its electorate of ${electorate.length}`)
  }
  if (!(supporters.length >= evidence.minSupporters)) {
    wrong.push(`${supporters.length} supporters are fewer than minSupporters ${evidence.minSupporters}`)
  }
  return wrong
}

/** Whether walking `fromLevel − toLevel` parents down from one id ends at the other. */
const descends = (
  parentOf: (id: string) => string | undefined,
  from: { readonly id: string; readonly level: number },
  to: { readonly id: string; readonly level: number }
): string | undefined => {
  let id: string | undefined = from.id
  for (let level = from.level; level > to.level; level--) {
    id = parentOf(id)
    if (id === undefined) return `${from.id} cannot be followed below level ${level}: that header is unknown`
  }
  return id === to.id ? undefined : `the ancestor of ${from.id} at level ${to.level} is ${id}, not ${to.id}`
}

const checkPlaces = (evidence: SegmentEvidence): ReadonlyArray<string> => {
  const { baseLevel, runs, topLevel } = evidence
  const wrong: Array<string> = []
  if (!Number.isSafeInteger(baseLevel) || !Number.isSafeInteger(topLevel) || topLevel < baseLevel) {
    return [`levels ${baseLevel} to ${topLevel} are no segment`]
  }
  let next = baseLevel + 1
  for (const run of runs) {
    const name = `run ${run.fromLevel}…${run.toLevel}`
    if (run.fromLevel !== next) wrong.push(`${name} should begin at level ${next}`)
    if (!Number.isSafeInteger(run.toLevel) || run.toLevel < run.fromLevel) wrong.push(`${name} is empty`)
    if (!Number.isSafeInteger(run.witnessLevel) || run.witnessLevel < run.toLevel) {
      wrong.push(`${name} has its witness below its end, at level ${run.witnessLevel}`)
    }
    next = run.toLevel + 1
  }
  if (next !== topLevel + 1) wrong.push(`the runs end at level ${next - 1}, not at the top, level ${topLevel}`)
  return wrong
}

/** The chain from the highest witness over the top down to the base, each step by the parent that the header names. */
const checkLinks = (evidence: SegmentEvidence, parentOf: (id: string) => string | undefined): ReadonlyArray<string> => {
  const base = { id: evidence.baseId, level: evidence.baseLevel }
  const top = { id: evidence.topId, level: evidence.topLevel }
  const points = new Map<string, { readonly id: string; readonly level: number }>()
  for (const point of [base, top]) points.set(`${point.level} ${point.id}`, point)
  for (const run of evidence.runs) {
    points.set(`${run.witnessLevel} ${run.witnessId}`, { id: run.witnessId, level: run.witnessLevel })
  }
  const chain = [...points.values()].toSorted((one, other) => other.level - one.level)
  const wrong: Array<string> = []
  for (let n = 1; n < chain.length; n++) {
    const problem = descends(parentOf, chain[n - 1]!, chain[n]!)
    if (problem !== undefined) wrong.push(problem)
  }
  return wrong
}

/**
 * What is wrong with an evidence, one sentence each; empty when it holds. The runs must cover base + 1 … top without gap, and each must be a quorum
 * under its rule by integer arithmetic: 3·supporters > 2·electorate, at least `minSupporters`; `settled`: 3·electorate > 2·electors; `tip`: electorate
 * = electors. With `parentOf` (predecessor of a header whose bytes the caller has hashed, ids in lower-case hex) it also follows the links from
 * each witness over the top to the base. That peers said what is written cannot be checked here. (mission 003, R14, R47; specs 5.12, 3)
 */
export const checkEvidence = (
  evidence: SegmentEvidence,
  parentOf?: (id: string) => string | undefined
): ReadonlyArray<string> => {
  const wrong = [...checkPlaces(evidence)]
  if (!strictlyAscending(evidence.electors)) wrong.push("the electors are not each listed once, ascending")
  if (!Number.isSafeInteger(evidence.minSupporters) || evidence.minSupporters < 1) {
    wrong.push(`minSupporters is ${evidence.minSupporters}: at least one supporter makes a quorum`)
  }
  for (const run of evidence.runs) {
    for (const problem of checkVotes(evidence, run)) wrong.push(`run ${run.fromLevel}…${run.toLevel}: ${problem}`)
  }
  if (parentOf !== undefined && wrong.length === 0) wrong.push(...checkLinks(evidence, parentOf))
  return wrong
}
