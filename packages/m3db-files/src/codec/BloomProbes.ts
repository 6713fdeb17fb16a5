/**
 * Places of many ids in a bloom filter by one call of the kernel (BloomProbes.wat): a seventh of the time that 64-bit products take in
 * 32-bit limbs. The kernel's memory is shared by all filters, of fixed size, and empty between calls.
 */
import { compileKernel, type KernelMemory, startKernel } from "@peerstrap/m3tsz"
import { bloomProbesModule } from "./BloomProbesModule.ts"

const rangesAt = 32
const maxIds = 1024
const placesAt = rangesAt + 8 * maxIds
const maxPlaces = 8192
const inputAt = placesAt + 4 * maxPlaces
/** The kernel reads so far behind an id. */
const slackBytes = 16

/**
 * Sets the bits of ids `bytes[ranges[2i], ranges[2i + 1])`, in ascending order, from `first` to before `last` in `set`. Answers how far
 * it came: to `first` when that id is longer than the kernel's memory.
 */
export type AddProbes = (
  set: Uint8Array,
  bits: number,
  hashes: number,
  bytes: Uint8Array,
  ranges: Uint32Array,
  first: number,
  last: number
) => number

type Probes = (ranges: number, count: number, bits: number, hashes: number, places: number) => void

/** Makes the kernel; undefined where WebAssembly is missing. */
export const makeBloomProbes = (): AddProbes | undefined => {
  const kernel = startKernel(compileKernel(bloomProbesModule))
  if (kernel === undefined) return undefined
  const { buffer } = kernel["memory"] as KernelMemory
  const own = new Uint32Array(buffer, rangesAt, 2 * maxIds)
  const places = new Uint32Array(buffer, placesAt, maxPlaces)
  const input = new Uint8Array(buffer, inputAt, buffer.byteLength - inputAt - slackBytes)
  const probes = kernel["probes"] as Probes
  return (set, bits, hashes, bytes, ranges, first, last) => {
    const start = ranges[2 * first]!
    const most = Math.min(last, first + maxIds, first + Math.floor(maxPlaces / hashes))
    let next = first
    for (; next < most && ranges[2 * next + 1]! - start <= input.length; next++) {
      own[2 * (next - first)] = inputAt + ranges[2 * next]! - start
      own[2 * (next - first) + 1] = inputAt + ranges[2 * next + 1]! - start
    }
    if (next === first) return first
    input.set(bytes.subarray(start, ranges[2 * next - 1]!))
    probes(rangesAt, next - first, bits, hashes, placesAt)
    for (let i = 0, end = (next - first) * hashes; i < end; i++) {
      const bit = places[i]!
      set[bit >>> 3] = set[bit >>> 3]! | (1 << (bit & 7))
    }
    return next
  }
}
