/** What 32 peers report of one chain, each header once a peer, in two orders. Both sides of S7 walk the same reports. */
import { createHash } from "node:crypto"
import { seededRandom } from "../method/Statistics.ts"

export const peers = 32

/**
 * `window`: everybody is at about the same place, as peers are that answer the same descent; reports are shuffled within 1,000 headers.
 * `whole`: all reports of all peers in one random order.
 */
export type Order = "window" | "whole"

const windowHeaders = 1_000
const seed = 7_007

export interface Reports {
  /** Id of each level, 0 the base: bytes of their own, as they come from a wire. */
  readonly ids: ReadonlyArray<Uint8Array>
  /** Level − 1 times `peers`, plus the peer. */
  readonly sequence: Uint32Array
}

export const makeReports = (headers: number, order: Order): Reports => {
  const ids = Array.from(
    { length: headers + 1 },
    (_, level) => new Uint8Array(createHash("sha256").update(String(level)).digest())
  )
  const sequence = new Uint32Array(headers * peers)
  for (let i = 0; i < sequence.length; i++) sequence[i] = i
  const random = seededRandom(seed)
  const shuffle = (from: number, to: number): void => {
    for (let i = to - 1; i > from; i--) {
      const j = from + Math.floor(random() * (i - from + 1))
      const kept = sequence[i]!
      sequence[i] = sequence[j]!
      sequence[j] = kept
    }
  }
  const step = order === "whole" ? headers : windowHeaders
  for (let from = 0; from < headers; from += step) shuffle(from * peers, Math.min(headers, from + step) * peers)
  return { ids, sequence }
}
