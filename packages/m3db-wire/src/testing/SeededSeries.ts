/** The n-th series of a seeded data set: id, tags and points, each made from its number alone, in any order. */
import type { Datapoints, TimeUnit } from "@peerstrap/m3tsz"
import { generateDatapoints, type Shape } from "@peerstrap/m3tsz/testing"
import { encodeTags, type TagPair } from "../codec/Tags.ts"
import type { SeededSpec } from "./SeededSpec.ts"

const utf8 = new TextEncoder()

const oddEndings: ReadonlyArray<Uint8Array> = [
  Uint8Array.of(0x2d, 0xff, 0xfe, 0x00, 0x80),
  utf8.encode("-" + "long".repeat(90)),
  utf8.encode(" ünï \u{1f600} {}=\","),
  Uint8Array.of(0x00, 0x01, 0x02),
  utf8.encode("/../%s")
]

/** The id of the n-th series: a prefix and seven digits, with odd bytes after it where the spec asks for some. */
export const seededId = (spec: SeededSpec, index: number): Uint8Array => {
  const plain = utf8.encode(`${spec.prefix}-${String(index).padStart(7, "0")}`)
  if (spec.odd === 0 || index % spec.odd !== 0) return plain
  return Uint8Array.from([...plain, ...oddEndings[Math.floor(index / spec.odd) % oddEndings.length]!])
}

/** Undefined for a series without tags. Names are sorted; one value in twenty names is empty. */
export const seededTags = (spec: SeededSpec, index: number): Uint8Array | undefined => {
  const count = spec.tags >= 0 ? spec.tags : index % 20
  if (count === 0) return undefined
  const pairs: Array<readonly [string, string]> = [["__name__", `metric_${index % 7}`]]
  if (count > 1) pairs.push(["dc", `dc${index % 3}`])
  if (count > 2) pairs.push(["empty", ""])
  if (count > 3) pairs.push(["host", `host-${String(index).padStart(5, "0")}`])
  for (let n = 4; n < count; n++) pairs.push([`tag${String(n).padStart(2, "0")}`, `value${n}`.repeat(n % 3 + 1)])
  return encodeTags(pairs.map(([name, value]): TagPair => [utf8.encode(name), utf8.encode(value)]))
}

/** What `mixed` goes through, series by series. */
const cycle: ReadonlyArray<Shape> = ["int", "float", "decimal", "counter", "constant", "mixed"]

/** Nanoseconds of the units s, ms, µs, ns: unit id minus one is the index. */
const unitNanos: ReadonlyArray<bigint> = [1_000_000_000n, 1_000_000n, 1_000n, 1n]

/** Points of series `index` in block `block`, evenly spaced in the coarsest unit that fits; the first is at the block start. */
export const seededPoints = (spec: SeededSpec, index: number, block: number): Datapoints => {
  const spacing = spec.blockSize / BigInt(Math.max(1, spec.points))
  const unit = unitNanos.findIndex((nanos) => spacing >= nanos) + 1
  return generateDatapoints({
    seed: Math.imul(spec.seed + 1, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b) ^ Math.imul(block + 1, 0xc2b2ae35),
    blockStart: spec.start + BigInt(block) * spec.blockSize,
    blockSize: spec.blockSize,
    points: spec.points,
    shape: spec.shape === "mixed" ? cycle[index % cycle.length]! : spec.shape,
    unit: unit as TimeUnit,
    ...(spec.annotate > 0 && index % spec.annotate === 0 ? { annotateEvery: 7 } : {})
  })
}
