/** Series with their points, wherever they are held, and the comparison of two holdings: point by point, by value bits. */
import { createHash } from "node:crypto"

export interface Point {
  /** ns. */
  readonly nanos: bigint
  readonly value: number
  /** Absent, or not empty. */
  readonly annotation?: Uint8Array
}

export interface HeldBlock {
  /** ns. */
  readonly start: bigint
  /** In order of time. */
  readonly points: ReadonlyArray<Point>
}

export interface HeldSeries {
  readonly shard: number
  readonly id: Uint8Array
  /** Without bytes for a series without tags. */
  readonly encodedTags: Uint8Array
  /** In order of time, none without points. */
  readonly blocks: ReadonlyArray<HeldBlock>
}

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

export const byId = (a: { readonly id: Uint8Array }, b: { readonly id: Uint8Array }): number =>
  Buffer.compare(a.id, b.id)

const pointText = (point: Point | undefined): string =>
  point === undefined
    ? "none"
    : `${point.nanos} ${point.value}${point.annotation === undefined ? "" : ` "${hex(point.annotation)}"`}`

const same = (a: Point | undefined, b: Point | undefined): boolean =>
  a !== undefined && b !== undefined && a.nanos === b.nanos && Object.is(a.value, b.value) &&
  hex(a.annotation ?? new Uint8Array(0)) === hex(b.annotation ?? new Uint8Array(0))

/** The first place in which two lists of points differ, in words. */
export const firstDifference = (wanted: ReadonlyArray<Point>, found: ReadonlyArray<Point>): string | undefined => {
  for (let n = 0; n < Math.max(wanted.length, found.length); n++) {
    if (!same(wanted[n], found[n])) {
      return `point ${n} of ${wanted.length}: wanted ${pointText(wanted[n])}, found ${pointText(found[n])}`
    }
  }
  return undefined
}

const rowsOf = (series: ReadonlyArray<HeldSeries>): Map<string, { series: HeldSeries; block: HeldBlock }> =>
  new Map(
    series.flatMap((one) => one.blocks.map((block) => [`${hex(one.id)} at ${block.start}`, { series: one, block }]))
  )

/** Every series and block in which two holdings differ (shard, tags, points), in words; none when they are the same. */
export const differences = (
  wanted: ReadonlyArray<HeldSeries>,
  found: ReadonlyArray<HeldSeries>
): ReadonlyArray<string> => {
  const left = rowsOf(found)
  const out: Array<string> = []
  for (const [name, { block, series }] of rowsOf(wanted)) {
    const other = left.get(name)
    left.delete(name)
    if (other === undefined) out.push(`${name} is missing`)
    else if (other.series.shard !== series.shard) out.push(`${name} stands in shard ${other.series.shard}`)
    else if (hex(other.series.encodedTags) !== hex(series.encodedTags)) out.push(`${name} has other tags`)
    else {
      const difference = firstDifference(block.points, other.block.points)
      if (difference !== undefined) out.push(`${name}: ${difference}`)
    }
  }
  return [...out, ...[...left.keys()].map((name) => `${name} was never written`)]
}

export const countPoints = (series: ReadonlyArray<HeldSeries>): number =>
  series.reduce((sum, { blocks }) => sum + blocks.reduce((inner, { points }) => inner + points.length, 0), 0)

/** SHA-256 over the points as `peerstrap-m3db digest` computes it: 8 bytes of ns, 8 bytes of the value's bits, big-endian. */
const pointsDigest = ({ points }: HeldBlock): string => {
  const bytes = Buffer.alloc(points.length * 16)
  points.forEach(({ nanos, value }, n) => {
    bytes.writeBigInt64BE(nanos, n * 16)
    bytes.writeDoubleBE(value, n * 16 + 8)
  })
  return createHash("sha256").update(bytes).digest("hex")
}

/** The lines that `digest` prints for a holding, sorted as text. */
export const digestLines = (namespace: string, series: ReadonlyArray<HeldSeries>): ReadonlyArray<string> =>
  series.flatMap(({ blocks, encodedTags, id, shard }) =>
    blocks.map((block) =>
      JSON.stringify({
        namespace,
        shard,
        id: hex(id),
        tags: hex(encodedTags),
        blockStart: String(block.start),
        datapoints: block.points.length,
        sha256: pointsDigest(block)
      })
    )
  ).toSorted()
