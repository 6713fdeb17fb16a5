/**
 * One request for blocks to one peer, and the matching of its answer: by (id, block start), never by position. An answer may be
 * shorter, longer, reordered or carry ids that nobody asked for; none of that can shift one item onto another. (D5, D6, D7)
 */
import { type BlocksAnswer, toHex } from "@peerstrap/m3db-wire"
import type { Grouping } from "@peerstrap/metadata-grouping"
import { highHalf, lowHalf } from "./BlockTime.ts"

export interface FetchBatch {
  readonly batch: number
  readonly job: number
  /** Index of the peer in the run. */
  readonly peer: number
  /** Groups of the job's grouping, one an item. */
  readonly groups: ReadonlyArray<number>
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

export const matchAnswer = (grouping: Grouping, groups: ReadonlyArray<number>, answer: BlocksAnswer): MatchedAnswer => {
  const slots = new Map<number, number>()
  for (let slot = 0; slot < groups.length; slot++) slots.set(groups[slot]!, slot)
  const rows = new Int32Array(groups.length).fill(-1)
  const more = new Map<number, Array<number>>()
  let unrequested = 0
  let firstUnrequested: string | undefined
  for (let element = 0; element < answer.elementCount; element++) {
    const idOffset = answer.idOffset[element]!
    const idLength = answer.idLength[element]!
    for (let row = answer.firstBlock[element]!; row < answer.firstBlock[element + 1]!; row++) {
      const group = grouping.find(answer.buffer, idOffset, idLength, answer.startHi[row]!, answer.startLo[row]!)
      const slot = group < 0 ? undefined : slots.get(group)
      if (slot === undefined) {
        unrequested++
        firstUnrequested ??= toHex(answer.buffer.subarray(idOffset, idOffset + Math.min(idLength, 64)))
      } else if (rows[slot] === -1) rows[slot] = row
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
