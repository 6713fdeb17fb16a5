import { assert, describe, it } from "@effect/vitest"
import { checkEvidence, makeHeaderDag, type SegmentEvidence } from "@peerstrap/header-dag-quorum"

const id = (n: number): Uint8Array => Uint8Array.of(n, 0xcd)
const hex = (n: number): string => n.toString(16).padStart(2, "0") + "cd"

/** A chain of six on level 100; two electors lag at 102, and one supports the lower half only. */
const chain = () => {
  const dag = makeHeaderDag({
    idBytes: 2,
    maxPeers: 40,
    maxNodes: 50,
    maxUnprovenPerPeer: 50,
    base: { id: id(0), level: 100 }
  })
  for (let peer = 0; peer < 9; peer++) dag.setElector(peer, peer < 2 ? 102 : 500)
  for (let n = 1; n <= 6; n++) dag.insert(id(n), id(n - 1), 100 + n, -1)
  for (let peer = 2; peer < 7; peer++) dag.claim(peer, id(5))
  for (const peer of [0, 1, 8]) dag.claim(peer, id(1))
  dag.claim(7, id(4))
  return dag
}

const parents = new Map(Array.from({ length: 6 }, (_, n) => [hex(n + 1), hex(n)]))
const parentOf = (child: string): string | undefined => parents.get(child)

const evidence = (): SegmentEvidence => {
  const dag = chain()
  return dag.evidence(dag.highestQuorum(100))
}

describe("evidence (5.12, 3)", () => {
  it("tells runs of equal supporters with the header whose quorum they share (R47)", () => {
    const { baseId, baseLevel, electors, minSupporters, runs, topId, topLevel } = evidence()
    assert.deepStrictEqual([baseId, baseLevel, topId, topLevel, minSupporters], [hex(0), 100, hex(5), 105, 3])
    assert.deepStrictEqual(electors, [0, 1, 2, 3, 4, 5, 6, 7, 8])
    assert.deepStrictEqual(runs, [
      {
        fromLevel: 101,
        toLevel: 101,
        witnessId: hex(1),
        witnessLevel: 101,
        rule: "settled",
        supporters: [0, 1, 2, 3, 4, 5, 6, 7, 8],
        electorate: electors
      },
      {
        fromLevel: 102,
        toLevel: 104,
        witnessId: hex(4),
        witnessLevel: 104,
        rule: "settled",
        supporters: [2, 3, 4, 5, 6, 7],
        electorate: [2, 3, 4, 5, 6, 7, 8]
      },
      {
        fromLevel: 105,
        toLevel: 105,
        witnessId: hex(5),
        witnessLevel: 105,
        rule: "settled",
        supporters: [2, 3, 4, 5, 6],
        electorate: [2, 3, 4, 5, 6, 7, 8]
      }
    ])
  })

  it("holds when counted again, alone and with links", () => {
    assert.deepStrictEqual(checkEvidence(evidence()), [])
    assert.deepStrictEqual(checkEvidence(evidence(), parentOf), [])
  })

  it("holds for a top below the header with quorum, whose links are followed, too", () => {
    const dag = chain()
    const capped = dag.evidence(dag.find(id(2)))
    assert.deepStrictEqual(capped.runs.at(-1)?.witnessLevel, 103)
    assert.deepStrictEqual(checkEvidence(capped, parentOf), [])
    assert.match(checkEvidence(capped, (child) => child === hex(3) ? hex(9) : parentOf(child)).join(), /not 02cd/)
  })

  it("holds under the tip rule", () => {
    const dag = chain()
    for (let peer = 0; peer < 9; peer++) dag.setElector(peer, 100)
    for (const peer of [0, 1]) dag.claim(peer, id(6))
    dag.claim(8, id(5))
    for (let peer = 2; peer < 7; peer++) dag.claim(peer, id(6))
    const told = dag.evidence(dag.highestQuorum(100))
    assert.deepStrictEqual([told.topLevel, told.runs.at(-1)?.rule], [106, "tip"])
    assert.deepStrictEqual(checkEvidence(told, parentOf), [])
  })
})

type Run = SegmentEvidence["runs"][number]

const withRun = (n: number, change: Partial<Run>): SegmentEvidence => {
  const whole = evidence()
  return { ...whole, runs: whole.runs.map((run, m) => m === n ? { ...run, ...change } : run) }
}

describe("checkEvidence says what is wrong with", () => {
  const cases: Record<string, readonly [SegmentEvidence, RegExp]> = {
    "two thirds that are not exceeded": [
      withRun(0, { supporters: [0, 1, 2, 3, 4, 5] }),
      /6 supporters are not more than 2\/3/
    ],
    "a supporter listed twice": [withRun(2, { supporters: [2, 3, 4, 5, 5, 6] }), /supporters are not each listed once/],
    "a supporter outside the electorate": [
      withRun(2, { supporters: [0, 2, 3, 4, 5] }),
      /supporters 0 are not in its electorate/
    ],
    "an electorate that is too small": [
      withRun(2, { supporters: [2, 3, 4, 5, 6], electorate: [2, 3, 4, 5, 6, 7] }),
      /electorate of 6 is not more than 2\/3 of 9/
    ],
    "an electorate of strangers": [
      withRun(2, { electorate: [2, 3, 4, 5, 6, 7, 20] }),
      /peers 20 of its electorate are no electors/
    ],
    "an electorate listed twice": [
      withRun(2, { electorate: [2, 3, 4, 5, 6, 7, 7] }),
      /electorate is not each listed once/
    ],
    "the tip rule without all electors": [withRun(2, { rule: "tip" }), /rule tip needs all 9 electors/],
    "another rule": [withRun(2, { rule: "majority" as "tip" }), /its rule is majority/],
    "a gap": [withRun(1, { fromLevel: 103 }), /run 103…104 should begin at level 102/],
    "an empty run": [withRun(1, { toLevel: 101 }), /run 102…101 is empty/],
    "a missing end": [{ ...evidence(), topLevel: 106 }, /the runs end at level 105, not at the top, level 106/],
    "no runs": [{ ...evidence(), runs: [] }, /the runs end at level 100/],
    "levels upside down": [{ ...evidence(), topLevel: 90 }, /levels 100 to 90 are no segment/],
    "a witness below the run": [withRun(1, { witnessLevel: 103 }), /witness below its end/],
    "fewer than the fewest supporters": [
      { ...evidence(), minSupporters: 6 },
      /5 supporters are fewer than minSupporters 6/
    ],
    "a fewest of none": [{ ...evidence(), minSupporters: 0 }, /at least one supporter/],
    "electors listed twice": [
      { ...evidence(), electors: [0, 1, 2, 3, 4, 5, 6, 7, 8, 8] },
      /electors are not each listed once/
    ],
    "another base": [{ ...evidence(), baseId: hex(7) }, /the ancestor of 01cd at level 100 is 00cd, not 07cd/],
    "another top": [{ ...evidence(), topId: hex(9) }, /09cd/],
    "another witness": [withRun(1, { witnessId: hex(8) }), /not 08cd/]
  }
  for (const [name, [wrong, expected]] of Object.entries(cases)) {
    it(name, () => assert.match(checkEvidence(wrong, parentOf).join("\n"), expected))
  }

  it("a header that cannot be followed", () => {
    assert.match(checkEvidence(evidence(), () => undefined).join("\n"), /that header is unknown/)
  })
})
