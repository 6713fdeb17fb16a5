/**
 * Replicas whose data differ: damaged files, series and points that one lacks, other values. What is on the disk in the end
 * is the documented merge, the same every time, and the report says what differs.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Difference, Rig } from "./support/Rig.ts"
import { onTheRig, sayWhatIsMissing, TheRig } from "./support/Rigs.ts"
import {
  assertProofWithin,
  assertWhole,
  bootstrapHere,
  type Ended,
  isUnlisted,
  proofAgainstC
} from "./support/RunCase.ts"

const timeout = 60_000

interface DataCase {
  readonly name: string
  readonly difference: Difference
  readonly proof: ReadonlyArray<string>
  readonly check: (ended: Ended) => void
}

const divergences = ({ document }: Ended) => document.report.divergences

const nothingDiffers = (ended: Ended): void => assert.strictEqual(divergences(ended).total, 0)

/** A listing that others have overtaken is not waited for: then nothing is known of what that replica holds. */
const notListed = "not listed"

/** Every divergence that is listed is of C alone. */
const onlyCDiffers = (ended: Ended): void => {
  for (const { checksums, id } of divergences(ended).entries) {
    const listed = ["A", "B"].map((peer) => checksums[peer]!).filter((checksum) => checksum !== notListed)
    assert.isAtMost(new Set(listed).size, 1, id)
    assert.notInclude(listed, checksums["C"]!, id)
  }
}

/** Whether the run took the time to hear what C holds of every shard. */
const isCHeard = (ended: Ended): boolean => !isUnlisted(ended)

const cases: ReadonlyArray<DataCase> = [
  {
    name: "a damaged file under whole digests: advertised, not delivered",
    difference: { damage: "3" },
    proof: ["advertised-not-delivered"],
    check: nothingDiffers
  },
  {
    name: "flipped bits under the true checksums",
    difference: { "wrong-checksum": "3" },
    proof: ["corrupt-block"],
    check: nothingDiffers
  },
  {
    name: "series that C lacks",
    difference: { "lack-series": "5" },
    proof: [],
    check: (ended) => {
      if (isCHeard(ended)) assert.isAbove(divergences(ended).counts["absent-on-some"], 0)
      assert.strictEqual(divergences(ended).counts.different, 0)
      onlyCDiffers(ended)
    }
  },
  {
    name: "points that C lacks",
    difference: { "lack-points": "3/1" },
    proof: [],
    check: (ended) => {
      const { stored } = ended.document.report.seriesBlocks
      if (isCHeard(ended)) assert.strictEqual(divergences(ended).counts.different, stored)
      onlyCDiffers(ended)
    }
  },
  {
    name: "other values on C: two replicas against one",
    difference: { "other-values": "4" },
    proof: [],
    check: (ended) => {
      if (isCHeard(ended)) assert.isAbove(divergences(ended).counts.different, 0)
      onlyCDiffers(ended)
    }
  }
]

const runData = Effect.fnUntraced(function*(rig: Rig, { check, difference, proof }: DataCase) {
  const ended = yield* bootstrapHere(rig, yield* rig.differing(difference))
  assertWhole(rig, ended)
  assertProofWithin(proof, proofAgainstC(ended))
  check(ended)
})

const runAllDiffer = Effect.fnUntraced(function*(rig: Rig) {
  const b = yield* rig.differing({ "lack-points": "2/1" })
  const c = yield* rig.differing({ "other-values": "1", "lack-series": "5" })
  const differing = { ...rig, honest: [rig.honest[0]!, { id: "B", hostPort: b.hostPort }] }
  for (let run = 0; run < 3; run++) {
    // At level all nobody is left out for being slow: what it comes to does not depend on the machine.
    const ended = yield* bootstrapHere(differing, c, "--level", "all")
    // A has every point; where B has it too they are two to one, else A is the smallest of those that tie.
    assertWhole(rig, ended)
    assert.deepStrictEqual(proofAgainstC(ended), [])
    assert.strictEqual(divergences(ended).total, ended.document.report.seriesBlocks.stored)
    for (const { checksums, sizes } of divergences(ended).entries) {
      assert.deepStrictEqual(Object.keys(checksums).toSorted(), ["A", "B", "C"])
      assert.isAbove(sizes["A"]!, 0)
    }
  }
})

sayWhatIsMissing()

onTheRig("three replicas that differ", (it) => {
  for (const each of cases) {
    it.effect(each.name, () => Effect.flatMap(TheRig, (rig) => runData(rig, each)), timeout)
  }
  it.effect(
    "all three differ: the same result on every run, each divergence with the checksums of all",
    () => Effect.flatMap(TheRig, runAllDiffer),
    timeout
  )
})
