/**
 * The order of fitness, which decides between branches: by number of elements, then from the first element on by length, then by bytes
 * (specs: chain bootstrap 2.3).
 */
import { Limits } from "../contract/Limits.ts"
import type { Malformed } from "../contract/Malformed.ts"
import { reading } from "./Reader.ts"

/** Negative when `a` is less fit than `b`, positive when fitter, else 0. */
export const compareFitness = (a: ReadonlyArray<Uint8Array>, b: ReadonlyArray<Uint8Array>): number => {
  if (a.length !== b.length) return a.length - b.length
  for (let i = 0; i < a.length; i++) {
    const [left, right] = [a[i]!, b[i]!]
    const order = left.length - right.length || Buffer.compare(left, right)
    if (order !== 0) return order
  }
  return 0
}

/** Fitness as one array whose bytes compare as the fitness does: u32 count, then u32 length + bytes each. Fresh. */
export const packFitness = (fitness: ReadonlyArray<Uint8Array>): Uint8Array => {
  const packed = new Uint8Array(4 + fitness.reduce((size, element) => size + 4 + element.length, 0))
  const view = new DataView(packed.buffer)
  view.setUint32(0, fitness.length)
  let at = 4
  for (const element of fitness) {
    view.setUint32(at, element.length)
    packed.set(element, at + 4)
    at += 4 + element.length
  }
  return packed
}

/** Order of two packed fitnesses: of their bytes. */
export const comparePackedFitness = (a: Uint8Array, b: Uint8Array): number => Buffer.compare(a, b)

/** Elements of a packed fitness: views. */
export const unpackFitness = (packed: Uint8Array): ReadonlyArray<Uint8Array> | Malformed =>
  reading("packed fitness", packed, (reader) => {
    if (packed.length > 4 + Limits.maxFitnessBytes) {
      reader.fail(`${packed.length} bytes, the limit is ${Limits.maxFitnessBytes}`)
    }
    const count = reader.u32("count")
    if (4 * count > reader.left) reader.fail(`${count} elements in ${reader.left} bytes`, 0)
    return Array.from({ length: count }, () => reader.view(reader.length(Limits.maxFitnessBytes, "element"), "element"))
  })
