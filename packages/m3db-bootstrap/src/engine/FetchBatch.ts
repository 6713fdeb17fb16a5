/**
 * One request for blocks to one peer, and the matching of its answer: by (id, block start), never by position. An answer may be
 * shorter, longer, reordered or carry ids that nobody asked for; none of that can shift one item onto another. (D5, D6, D7)
 */
import { type BlocksAnswer, type BlocksRequest, toHex } from "@peerstrap/m3db-wire"
import type { Grouping } from "@peerstrap/metadata-grouping"
import { highHalf, lowHalf } from "./BlockTime.ts"

export interface FetchBatch {
  readonly batch: number
  readonly job: number
  /** Index of the peer in the run. */
  readonly peer: number
  /** Groups of the job's grouping, one an item. */
  readonly groups: ReadonlyArray<number>
  /** What was asked; item i is group i. */
  readonly request: BlocksRequest
  /** Bytes drawn from the ledger for the answer. */
  readonly reserved: number
}

export interface MatchedAnswer {
  /** By item: the row of the first block for it, or −1 when nothing was delivered. */
  readonly rows: Int32Array
  /** Items for which more than one block came: all their rows. */
  readonly more: Map<number, Array<number>>
  /** Blocks whose id or start was not asked for. */
  readonly unrequested: number
  /** Elements beyond the number asked for. */
  readonly surplus: number
  /** Hex of the first unrequested id, for the evidence. */
  readonly firstUnrequested: string | undefined
}

/** Whether a block of an answer is the one asked for as item `slot`. */
const isItem = (request: BlocksRequest, slot: number, answer: BlocksAnswer, element: number, row: number): boolean => {
  const id = request.ids[slot]!
  if (answer.idLength[element] !== id.length) return false
  if (answer.startHi[row] !== request.startHi[slot] || answer.startLo[row] !== request.startLo[slot]) return false
  const { buffer } = answer
  const offset = answer.idOffset[element]!
  for (let i = 0; i < id.length; i++) if (buffer[offset + i] !== id[i]) return false
  return true
}

export const matchAnswer = (
  grouping: Grouping,
  { groups, request }: Pick<FetchBatch, "groups" | "request">,
  answer: BlocksAnswer
): MatchedAnswer => {
  const rows = new Int32Array(groups.length).fill(-1)
  const more = new Map<number, Array<number>>()
  let slots: Map<number, number> | undefined
  const lookUp = (element: number, row: number): number => {
    slots ??= new Map(groups.map((group, slot) => [group, slot]))
    const offset = answer.idOffset[element]!
    const length = answer.idLength[element]!
    const group = grouping.find(answer.buffer, offset, length, answer.startHi[row]!, answer.startLo[row]!)
    return group < 0 ? -1 : slots.get(group) ?? -1
  }
  let unrequested = 0
  let firstUnrequested: string | undefined
  // Peers answer in the order of the request: the next item is tried first. Nothing depends on it.
  let next = 0
  for (let element = 0; element < answer.elementCount; element++) {
    for (let row = answer.firstBlock[element]!; row < answer.firstBlock[element + 1]!; row++) {
      const slot = next < groups.length && isItem(request, next, answer, element, row) ? next : lookUp(element, row)
      if (slot < 0) {
        unrequested++
        const offset = answer.idOffset[element]!
        firstUnrequested ??= toHex(answer.buffer.subarray(offset, offset + Math.min(answer.idLength[element]!, 64)))
        continue
      }
      next = slot + 1
      if (rows[slot] === -1) rows[slot] = row
      else {
        const known = more.get(slot)
        if (known === undefined) more.set(slot, [rows[slot]!, row])
        else known.push(row)
      }
    }
  }
  return { rows, more, unrequested, surplus: Math.max(0, answer.elementCount - groups.length), firstUnrequested }
}

/** Halves of each block start of a job, for comparing rows without bigint. */
export interface BlockStarts {
  readonly hi: Int32Array
  readonly lo: Int32Array
}

export const splitBlockStarts = (starts: ReadonlyArray<bigint>): BlockStarts => ({
  hi: Int32Array.from(starts, highHalf),
  lo: Int32Array.from(starts, lowHalf)
})
