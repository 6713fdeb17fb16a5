/** Seeded series as they occur: what the embedded replica serves, and what properties and benchmarks run on. */
import type { Datapoints, TimeUnit } from "../contract/Datapoints.ts"
import { unitNanos } from "../contract/TimeUnits.ts"
import { high, low, wordsOf } from "../engine/Words.ts"
import { Random } from "./Random.ts"

/**
 * `int`: small steps up and down · `float`: a gauge with all its bits · `decimal`: two digits after the point ·
 * `counter`: rising, sometimes reset · `constant` · `mixed`: changes its kind · `special`: NaN payloads, infinities, −0,
 * subnormals · `huge`: integers beyond 2^53 beside small ones, which M3's own encoder loses.
 */
export type Shape = "int" | "float" | "decimal" | "counter" | "constant" | "mixed" | "special" | "huge"

/** All shapes of series. */
export const shapes: ReadonlyArray<Shape> = [
  "int",
  "float",
  "decimal",
  "counter",
  "constant",
  "mixed",
  "special",
  "huge"
]

/** Seed, size and shape of a series. */
export interface SeriesOptions {
  /** 32 bits. */
  readonly seed: number
  /** ns. */
  readonly blockStart: bigint
  /** ns. */
  readonly blockSize: bigint
  readonly points: number
  readonly shape: Shape
  readonly unit: TimeUnit
  /** Moves each time within its slot; default false: one point each slot, at its beginning. */
  readonly jitter?: boolean
  /** Every n-th point, the first included, carries an annotation; default none. */
  readonly annotateEvery?: number
}

type NextValue = (values: Float64Array, words: Int32Array, index: number) => void

const specials: ReadonlyArray<readonly [number, number]> = [
  [0x7ff80000, 0],
  [0x7ff80000, 1],
  [0xfff40000, 0x1234],
  [0x7ff00000, 0],
  [0xfff00000, 0],
  [0x80000000, 0],
  [0, 1],
  [0x80000000, 1],
  [0, 0],
  [0x3ff00000, 0],
  [0x7fefffff, 0xffffffff]
]

const huges: ReadonlyArray<number> = [
  2 ** 53,
  -(2 ** 53) - 2,
  2 ** 62,
  -(2 ** 63),
  9.2e18,
  -1e19,
  2 ** 64,
  1e13,
  12,
  -23
]

const walker = (shape: Shape, random: Random): NextValue => {
  let level = random.between(-1000, 1000)
  switch (shape) {
    case "int":
      return (values, _, i) => {
        values[i] = level += random.between(-8, 8)
      }
    case "float":
      return (values, _, i) => {
        values[i] = level += random.fraction() - 0.5
      }
    case "decimal":
      return (values, _, i) => {
        values[i] = (level += random.between(-50, 50)) / 100
      }
    case "counter":
      return (values, _, i) => {
        level = random.below(200) === 0 ? 0 : Math.abs(level) + random.below(20)
        values[i] = level
      }
    case "constant":
      return (values, _, i) => {
        values[i] = level
      }
    case "special":
      return (_, words, i) => {
        const bits = specials[random.below(specials.length)]!
        words[2 * i + high] = bits[0]
        words[2 * i + low] = bits[1]
      }
    case "huge":
      return (values, _, i) => {
        values[i] = random.below(2) === 0 ? huges[random.below(huges.length)]! : random.between(-1000, 1000)
      }
    case "mixed":
      return mixed(random)
  }
}

const mixed = (random: Random): NextValue => {
  const kinds = (["int", "float", "decimal", "counter"] as const).map((shape) => walker(shape, random))
  let kind = 0
  return (values, words, i) => {
    if (random.below(10) === 0) kind = random.below(kinds.length)
    kinds[kind]!(values, words, i)
  }
}

/**
 * One series of one block: `points` strictly ascending times, multiples of `unit` counted from `blockStart`, inside
 * [blockStart, blockStart + blockSize). The same options give the same bits. RangeError when the block has fewer units
 * than points.
 */
export const generateDatapoints = (options: SeriesOptions): Datapoints => {
  const { blockSize, blockStart, points, unit } = options
  const nanos = BigInt(unitNanos[unit]!)
  const slot = points === 0 ? 1n : blockSize / nanos / BigInt(points)
  if (slot < 1n) throw new RangeError(`${points} points do not fit a block of ${blockSize / nanos} units`)
  const random = new Random(options.seed)
  const next = walker(options.shape, random)
  const out: Datapoints = {
    count: points,
    timestamps: new BigInt64Array(points),
    values: new Float64Array(points),
    units: new Uint8Array(points).fill(unit),
    annotations: new Map()
  }
  const words = wordsOf(out.values)
  const slotUnits = Number(slot)
  for (let i = 0; i < points; i++) {
    const within = options.jitter === true ? BigInt(Math.floor(random.fraction() * slotUnits)) : 0n
    out.timestamps[i] = blockStart + (BigInt(i) * slot + within) * nanos
    next(out.values, words, i)
    if (options.annotateEvery !== undefined && i % options.annotateEvery === 0) {
      out.annotations.set(i, Uint8Array.from({ length: random.between(1, 12) }, () => random.below(256)))
    }
  }
  return out
}
