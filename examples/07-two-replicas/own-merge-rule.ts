/**
 * A merge rule of one's own: the replica with the most points of a block missed the fewest writes, so its values win. A rule is
 * a plain function over decoded copies; the kit that ships with the contract says whether it is fit for use.
 */
import { type Copy, digestPoints, mergeCopies, type MergeRule } from "@peerstrap/m3tsz"
import { generateDatapoints, mergeRuleLayer, mergeRuleSuite } from "@peerstrap/m3tsz/testing"
import assert from "node:assert/strict"

/** Fullest first; the peer id settles ties, so that the order of arrival never matters. */
const byTrust = (a: Copy, b: Copy): number => b.points.count - a.points.count || (a.peer < b.peer ? -1 : 1)

const fullestReplica: MergeRule = {
  name: "fullest-replica",
  merge: (copies) => {
    const winners = new Map<bigint, { readonly copy: Copy; readonly at: number }>()
    for (const copy of copies.toSorted(byTrust)) {
      for (let at = 0; at < copy.points.count; at++) {
        const time = copy.points.timestamps[at]!
        if (!winners.has(time)) winners.set(time, { copy, at })
      }
    }
    const times = BigInt64Array.from(winners.keys()).toSorted()
    const values = new Float64Array(times.length)
    const units = new Uint8Array(times.length)
    const annotations = new Map<number, Uint8Array>()
    times.forEach((time, i) => {
      const { at, copy: { points } } = winners.get(time)!
      // Bytes, not numbers: a NaN keeps its payload.
      new Uint8Array(values.buffer, i * 8, 8).set(
        new Uint8Array(points.values.buffer, points.values.byteOffset + at * 8, 8)
      )
      units[i] = points.units[at]!
      const annotation = points.annotations.get(at)
      if (annotation !== undefined) annotations.set(i, annotation)
    })
    return { count: times.length, timestamps: times, values, units, annotations }
  }
}

const checks: Array<readonly [name: string, run: () => Promise<void>]> = []
mergeRuleSuite("fullest-replica:", mergeRuleLayer(fullestReplica), {
  capabilities: { reference: false },
  test: (...check) => checks.push(check)
})
for (const [name, run] of checks) {
  await run()
  console.log(`holds: ${name}`)
}

const block = {
  blockStart: 1_599_998_400_000_000_000n,
  blockSize: 7_200_000_000_000n,
  unit: 1,
  shape: "decimal"
} as const
const full = generateDatapoints({ ...block, seed: 1, points: 720 })
const sparse = { ...generateDatapoints({ ...block, seed: 2, points: 720 }), count: 300 }
const merged = mergeCopies(fullestReplica, [{ peer: "a", points: sparse }, { peer: "b", points: full }])
assert(!("_tag" in merged))
assert.ok(merged.count >= full.count)
assert.equal(digestPoints(fullestReplica.merge([{ peer: "b", points: full }])), digestPoints(full))
console.log(`${merged.count} points of two copies with ${full.count} and ${sparse.count}`)
