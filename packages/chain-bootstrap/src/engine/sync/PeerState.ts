/** One active peer, as the engine sees it. */
import type { BlockId, HeaderFacts } from "../../contract/Block.ts"
import type { Side } from "../../contract/ChainProtocol.ts"
import type { BranchEntry } from "../../contract/PeerMessage.ts"
import { makeThrottle, type Throttle } from "../connections/Throttle.ts"
import { AskedItems } from "./AskedItems.ts"
import type { SyncCore } from "./SyncCore.ts"

/** A branch as received; newest entry (the head) first. */
export interface Branch {
  readonly head: HeaderFacts
  readonly entries: ReadonlyArray<BranchEntry>
  readonly receivedAtMillis: number
}

const lowestHeld = ({ entries }: Branch, baseId: BlockId): number => {
  if (entries.at(-1)?.id === baseId) return 0
  return entries.findLast((entry) => entry.exact && entry.level !== undefined)?.level ?? Infinity
}

export class PeerState {
  readonly peer: number
  /** The peer's number in the header DAG; used again after it left. */
  readonly slot: number
  readonly id: string
  readonly point: string | undefined
  readonly side: Side
  readonly ancestors: boolean
  readonly headers: AskedItems
  readonly units: AskedItems
  readonly throttle: Throttle
  readonly connectedAtMillis: number
  private readonly baseId: BlockId

  private told: Branch | undefined = undefined
  /**
   * Lowest level that its branch lets expect: all from the base when it names the base, else its lowest exact entry (a rolling peer holds nothing
   * beneath, and would stay silent).
   */
  holdsFrom = Infinity
  /** Best head that it has told; its weight decides what "best" means (R32). */
  claimed: HeaderFacts | undefined = undefined
  /** Newest head it told by itself, when that is newer than the branch. */
  tip: HeaderFacts | undefined = undefined
  branchDeadlineMillis: number | undefined = undefined
  branchAskedAtMillis: number | undefined = undefined
  /** A branch should be asked for as soon as spacing allows. */
  branchWanted = true
  headDeadlineMillis: number | undefined = undefined
  /** The predecessor header it is asked for now, and the level that this header must have. */
  ancestor:
    | { readonly of: BlockId; readonly offset: number; readonly level: number; readonly deadlineMillis: number }
    | undefined = undefined
  /** Predecessor headers that it did not send in time. */
  readonly lateAncestors = new Set<string>()
  /** Whether its branch is known to contain our chain; undefined: it has not said. */
  anchored: boolean | undefined = undefined
  /** Said something that leaves our chain near the tip; supports nothing until it says something new. */
  deviates = false
  nextTickMillis: number
  lastHeardMillis: number
  counted = false

  constructor(core: SyncCore, options: {
    readonly peer: number
    readonly slot: number
    readonly id: string
    readonly point: string | undefined
    readonly side: Side
    readonly ancestors: boolean
  }) {
    this.peer = options.peer
    this.slot = options.slot
    this.id = options.id
    this.point = options.point
    this.side = options.side
    this.ancestors = options.ancestors
    const timers = core.options.timers
    const rules = { doNotAskAfter: core.options.doNotAskAfter, doNotAskMillis: timers.doNotAsk }
    this.headers = new AskedItems({ ...rules, firstMillis: timers.header, longestMillis: timers.headerLongest })
    this.units = new AskedItems({ ...rules, firstMillis: timers.unit, longestMillis: timers.unitLongest })
    this.throttle = makeThrottle({ ...core.rules.spacingMillis })
    this.connectedAtMillis = core.now
    this.baseId = core.start.base.id
    this.nextTickMillis = core.now
    this.lastHeardMillis = core.now
  }

  /** We were not there for a while: whatever the peer sent waits to be read, so every deadline moves. */
  postpone(millis: number): void {
    this.lastHeardMillis += millis
    if (this.branchDeadlineMillis !== undefined) this.branchDeadlineMillis += millis
    if (this.headDeadlineMillis !== undefined) this.headDeadlineMillis += millis
    const { ancestor } = this
    if (ancestor !== undefined) this.ancestor = { ...ancestor, deadlineMillis: ancestor.deadlineMillis + millis }
    this.headers.postpone(millis)
    this.units.postpone(millis)
  }

  /** Up to this level the peer must not change its mind about what it claims now; what it claims above, it may yet leave (A13). */
  finalClaims(maxReorgDepth: number): number {
    const head = this.tip ?? this.branch?.head
    return head === undefined ? -Infinity : head.level - maxReorgDepth
  }

  get claimedLevel(): number | undefined {
    return this.claimed?.level
  }

  get branch(): Branch | undefined {
    return this.told
  }

  set branch(branch: Branch | undefined) {
    this.told = branch
    this.holdsFrom = branch === undefined ? Infinity : lowestHeld(branch, this.baseId)
  }

  /**
   * The lowest entries above a level, lowest first: the first is the peer's earliest hash (5.5.1 step 7, A4). The inexact last one counts only when it
   * is the only one, with its level unknown.
   */
  earliestAbove(level: number, most: number): ReadonlyArray<BranchEntry> {
    const entries = this.branch?.entries ?? []
    const above: Array<BranchEntry> = []
    for (let i = entries.length - 1; i >= 0 && above.length < most; i--) {
      const entry = entries[i]
      if (entry === undefined || !entry.exact || entry.level === undefined || entry.level <= level) continue
      above.push(entry)
    }
    return above
  }

  /** The newest entry at or below a level, above another. */
  newestBetween(above: number, atMost: number): BranchEntry | undefined {
    return this.branch?.entries.find((entry) =>
      entry.exact && entry.level !== undefined && entry.level <= atMost && entry.level > above
    )
  }

  /** Whether the peer can be expected to hold a block of our chosen chain at this level; below what anybody names, each is worth a try. */
  mayHold(level: number, lowestNamed: number): boolean {
    if (this.deviates || this.branch === undefined || this.claimed === undefined) return false
    return this.claimed.level >= level && (level < lowestNamed || this.holdsFrom <= level)
  }
}
