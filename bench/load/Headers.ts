/**
 * A million headers that nobody has to hold: everything about a header follows from its number. Numbers 1 … `main` are the main chain by
 * level, those above are side branches of three headers each, every one leaving the main chain somewhere.
 */
import { seededRandom } from "../method/Statistics.ts"

export const idBytes = 32
const scrambleBytes = 28
const seed = 9_009
const branchLength = 3

/** Spread like a hash; its last four bytes are the number. */
export const idOf = (number: number): Uint8Array => {
  const id = new Uint8Array(idBytes)
  let state = Math.imul(number, 0x9e3779b1)
  for (let i = 0; i < scrambleBytes; i += 4) {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + number) | 0
    id[i] = state
    id[i + 1] = state >>> 8
    id[i + 2] = state >>> 16
    id[i + 3] = state >>> 24
  }
  new DataView(id.buffer).setUint32(scrambleBytes, number)
  return id
}

export const numberOf = (id: Uint8Array): number =>
  new DataView(id.buffer, id.byteOffset, id.byteLength).getUint32(scrambleBytes)

export interface Forest {
  readonly main: number
  readonly headers: number
  /** Number of the parent; 0 is the base. */
  parentOf(number: number): number
  levelOf(number: number): number
}

/** `sideShare` of all headers stand on side branches. */
export const makeForest = (headers: number, sideShare: number): Forest => {
  const side = Math.floor(headers * sideShare / branchLength) * branchLength
  const main = headers - side
  const random = seededRandom(seed)
  const roots = Uint32Array.from(
    { length: side / branchLength },
    () => 1 + Math.floor(random() * (main - branchLength))
  )
  const branchOf = (number: number) => Math.floor((number - main - 1) / branchLength)
  const heightOf = (number: number) => (number - main - 1) % branchLength
  return {
    main,
    headers,
    parentOf: (number) => number <= main || heightOf(number) > 0 ? number - 1 : roots[branchOf(number)]!,
    levelOf: (number) => number <= main ? number : roots[branchOf(number)]! + 1 + heightOf(number)
  }
}
