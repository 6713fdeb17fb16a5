/** Runs one random history on two header DAGs and looks for the first difference in anything that they can be asked. */
import type { HeaderDag, HeaderDagOptions } from "../contract/HeaderDag.ts"
import { historyOf, historyOptions, idNumber } from "./RandomHistory.ts"

const ids = [...Array.from({ length: 45 }, (_, n) => n), ...Array.from({ length: 30 }, (_, n) => 1000 + n)].map(
  idNumber
)

const nameOf = (dag: HeaderDag, node: number): string => node < 0 ? "none" : dag.idOf(node).join()

const evidenceOf = (dag: HeaderDag, node: number): unknown => {
  try {
    return dag.evidence(node)
  } catch (problem) {
    if (problem instanceof RangeError) return "refused"
    throw problem
  }
}

/** Everything that a header DAG says of itself, in terms of ids. */
export const everything = (dag: HeaderDag, maxPeers: number): ReadonlyArray<readonly [string, unknown]> => {
  const out: Array<readonly [string, unknown]> = [
    ["counts", [dag.headers, dag.nodes, dag.baseId.join(), dag.baseLevel, dag.electors]],
    ["highest", [2, 5, 100].map((maxLevels) => nameOf(dag, dag.highestQuorum(maxLevels)))],
    [
      "equivocators",
      dag.equivocators().map(({ ids: several, level, peer }) => [
        peer,
        level,
        several.map((id) => id.join()).toSorted()
      ])
    ]
  ]
  for (let peer = 0; peer < maxPeers; peer++) out.push([`peer ${peer}`, [dag.unprovenOf(peer), dag.namedOf(peer)]])
  for (const id of ids) {
    const node = dag.find(id)
    if (node < 0) {
      out.push([`id ${id.join()}`, "absent"])
      continue
    }
    const connected = dag.connected(node)
    out.push([`id ${id.join()}`, {
      id: nameOf(dag, node),
      header: dag.hasHeader(node),
      level: dag.levelOf(node),
      parent: nameOf(dag, dag.parentOf(node)),
      children: dag.childrenOf(node).map((child) => nameOf(dag, child)).toSorted(),
      strong: dag.strongSupporters(node),
      weak: dag.weakSupporters(node),
      connected,
      lowest: nameOf(dag, dag.lowestAncestor(node)),
      quorum: dag.quorum(node),
      segment: connected ? Array.from(dag.segment(node).ids) : "unlinked",
      evidence: connected ? evidenceOf(dag, node) : "unlinked"
    }])
  }
  return out
}

/** The first difference between two implementations in the history with a seed, undefined when there is none. */
export const compareHistory = (
  seed: number,
  make: (options: HeaderDagOptions) => HeaderDag,
  makeReference: (options: HeaderDagOptions) => HeaderDag
): string | undefined => {
  const options = historyOptions(seed)
  const dag = make(options)
  const reference = makeReference(options)
  const steps = historyOf(seed)
  for (const [n, step] of steps.entries()) {
    const before = steps.slice(0, n + 1).map(({ name }) => name).join("; ")
    const seen = JSON.stringify(step.apply(dag)) ?? "nothing"
    const expected = JSON.stringify(step.apply(reference)) ?? "nothing"
    if (seen !== expected) return `${step.name}: expected ${expected}, saw ${seen}\nafter ${before}`
    // Asking settles what an implementation has put off: leave it sometimes.
    if (n % 7 !== 6 && n !== steps.length - 1) continue
    const all = everything(dag, options.maxPeers)
    for (const [m, [what, answer]] of everything(reference, options.maxPeers).entries()) {
      const [seenText, expectedText] = [JSON.stringify(all[m]![1]), JSON.stringify(answer)]
      if (seenText !== expectedText) return `${what}: expected ${expectedText}, saw ${seenText}\nafter ${before}`
    }
  }
  return undefined
}
