/** One side of S5: sums blocks of one size again and again. Usage: Adler.ts ours|plain BYTES */
import { adler32Update } from "@peerstrap/m3tsz"
import { startTiming, tell } from "../method/Side.ts"
import { seededRandom } from "../method/Statistics.ts"
import { plainAdler } from "./PlainAdler.ts"

const blockBytes = Number(process.argv[3])
/** Fits the second-level cache, as an answer's block that was just received does. */
const bufferBytes = Math.max(blockBytes, 256 * 1024)
const sumBytes = 512 * 2 ** 20

const random = seededRandom(1)
const buffer = Uint8Array.from({ length: bufferBytes }, () => random() * 256)
const blocks = Math.floor(bufferBytes / blockBytes)

const sum: (at: number) => number = process.argv[2] === "ours"
  ? (at) => adler32Update(1, buffer, at, blockBytes)
  : (at) => plainAdler(1, buffer, at, at + blockBytes)

const pass = (): number => {
  let all = 0
  for (let block = 0; block < blocks; block++) all ^= sum(block * blockBytes)
  return all
}

const passes = Math.ceil(sumBytes / (blocks * blockBytes))
for (let warm = 0; warm < passes / 10; warm++) pass()
const end = startTiming()
for (let n = 0; n < passes; n++) pass()
tell(end({ bytes: passes * blocks * blockBytes, items: passes * blocks }))
