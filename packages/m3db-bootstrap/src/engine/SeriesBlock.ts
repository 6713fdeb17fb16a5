/**
 * States of every (series, block start) of one job, as columns. (specs: peer streaming 3.16)
 *
 *   COLLECTING ─► READY ─► FETCH_ONE ─► STORED
 *                   │          │  └ differs from what was advertised ─┐
 *                   │          └ failed: READY again, another peer    ▼
 *                   └─ checksums differ or are missing ───────► FETCH_ALL ─► MERGE ─► STORED
 *        attempts used up: READY / FETCH_ALL ─► BLOCKED ─► READY (time, a peer is back) or MERGE / FAILED (level relaxed)
 *        left retention: ─► DROPPED          run ended: ─► CANCELLED
 */
export const SeriesState = {
  COLLECTING: 0,
  READY: 1,
  FETCH_ONE: 2,
  FETCH_ALL: 3,
  MERGE: 4,
  BLOCKED: 5,
  STORED: 6,
  FAILED: 7,
  DROPPED: 8,
  CANCELLED: 9
} as const
export type SeriesState = (typeof SeriesState)[keyof typeof SeriesState]

export const seriesStateNames = Object.keys(SeriesState)

const S = SeriesState
const edges: ReadonlyArray<ReadonlyArray<SeriesState>> = [
  [S.READY, S.DROPPED, S.CANCELLED],
  [S.FETCH_ONE, S.FETCH_ALL, S.BLOCKED, S.FAILED, S.DROPPED, S.CANCELLED],
  [S.STORED, S.FETCH_ALL, S.READY, S.CANCELLED],
  [S.MERGE, S.BLOCKED, S.FAILED, S.DROPPED, S.CANCELLED],
  [S.STORED, S.FETCH_ALL, S.FAILED, S.CANCELLED],
  [S.READY, S.FETCH_ALL, S.MERGE, S.FAILED, S.DROPPED, S.CANCELLED],
  [],
  [],
  [],
  []
]

/** The same as bits, for moves of many. */
const edgeBits = Uint16Array.from(edges, (to) => to.reduce<number>((bits, state) => bits | (1 << state), 0))

export const isTerminal = (state: SeriesState): boolean => edges[state]!.length === 0

/** What became of one peer's copy. The low bits count tries. */
const triesMask = 0x0f
const askedBit = 0x10
const heldBit = 0x20

const grown = <A extends Uint8Array | Uint16Array>(old: A, make: (length: number) => A): A => {
  const next = make(old.length * 2)
  next.set(old)
  return next
}

export class SeriesBlocks {
  readonly peerCount: number
  count = 0
  readonly inState: Array<number> = edges.map(() => 0)
  private states = new Uint8Array(1024)
  private blocks = new Uint16Array(1024)
  private attempts: Uint8Array

  constructor(peerCount: number) {
    this.peerCount = peerCount
    this.attempts = new Uint8Array(1024 * peerCount)
  }

  /** Bytes of the columns. */
  get bytes(): number {
    return this.states.length * (3 + this.peerCount)
  }

  /** Adds groups up to `index`, in COLLECTING; `block` is the index of the block start in the job. */
  add(index: number, block: number): void {
    if (index !== this.count) throw new Error(`series blocks: expected group ${this.count}, got ${index}`)
    if (index === this.states.length) this.grow()
    this.blocks[index] = block
    this.inState[S.COLLECTING]!++
    this.count++
  }

  state(index: number): SeriesState {
    return this.states[index] as SeriesState
  }

  block(index: number): number {
    return this.blocks[index]!
  }

  move(index: number, to: SeriesState): void {
    const from = this.states[index] as SeriesState
    if (((edgeBits[from]! >>> to) & 1) === 0) {
      throw new Error(`series block ${index}: no edge ${seriesStateNames[from]} → ${seriesStateNames[to]}`)
    }
    this.states[index] = to
    this.inState[from]!--
    this.inState[to]!++
  }

  tries(index: number, peer: number): number {
    return this.attempts[index * this.peerCount + peer]! & triesMask
  }

  /** Whether both were tried equally often on every peer. */
  haveSameTries(one: number, other: number): boolean {
    for (let peer = 0; peer < this.peerCount; peer++) {
      if (this.tries(one, peer) !== this.tries(other, peer)) return false
    }
    return true
  }

  /** Counts a try; saturates. */
  addTry(index: number, peer: number): void {
    const at = index * this.peerCount + peer
    if ((this.attempts[at]! & triesMask) < triesMask) this.attempts[at]!++
  }

  clearTries(index: number): void {
    const from = index * this.peerCount
    for (let peer = 0; peer < this.peerCount; peer++) this.attempts[from + peer]! &= heldBit
  }

  /** Whether a request for this copy is queued or in flight. */
  asked(index: number, peer: number): boolean {
    return (this.attempts[index * this.peerCount + peer]! & askedBit) !== 0
  }

  setAsked(index: number, peer: number, asked: boolean): void {
    const at = index * this.peerCount + peer
    this.attempts[at] = asked ? this.attempts[at]! | askedBit : this.attempts[at]! & ~askedBit
  }

  /** Whether this peer's copy is held for a merge. */
  held(index: number, peer: number): boolean {
    return (this.attempts[index * this.peerCount + peer]! & heldBit) !== 0
  }

  setHeld(index: number, peer: number, held: boolean): void {
    const at = index * this.peerCount + peer
    this.attempts[at] = held ? this.attempts[at]! | heldBit : this.attempts[at]! & ~heldBit
  }

  private grow(): void {
    this.states = grown(this.states, (length) => new Uint8Array(length))
    this.blocks = grown(this.blocks, (length) => new Uint16Array(length))
    this.attempts = grown(this.attempts, (length) => new Uint8Array(length))
  }
}
