/**
 * The state that all parts of the engine share, with one owner: a single event loop is what mission 003 asks for with its locks (R72). Parts
 * read and change it; they never keep copies.
 */
import type { HeaderDag } from "@peerstrap/header-dag-quorum"
import type { EvidenceBook } from "@peerstrap/peer-selection"
import type { BlockId, BlockRef, HeaderFacts } from "../../contract/Block.ts"
import { ChainLimits } from "../../contract/ChainLimits.ts"
import type { ChainRules } from "../../contract/ChainRules.ts"
import type { SyncAction, SyncNotice, SyncOptions, SyncStart, SyncStatus } from "../../contract/ChainSync.ts"
import type { Connections } from "../../contract/Connections.ts"
import type { Request } from "../../contract/PeerMessage.ts"
import type { Credit, Offence, Standing } from "../../contract/Standing.ts"
import { ChosenChain } from "./ChosenChain.ts"
import type { PeerState } from "./PeerState.ts"

export interface Counters {
  headersReceived: number
  headersDuplicate: number
  unitsReceived: number
  unitBytes: number
  blocksApplied: number
  requestsSent: number
  requestsTimedOut: number
  reorganisations: number
}

export class SyncCore {
  /** Time for timers: it never goes back. */
  now = 0
  /** What the clock says, for the times of headers. */
  wallMillis = 0
  readonly options: SyncOptions
  readonly start: SyncStart
  readonly rules: ChainRules
  readonly dag: HeaderDag
  readonly connections: Connections
  readonly standing: Standing
  readonly book: EvidenceBook
  readonly peers = new Map<number, PeerState>()
  readonly actions: Array<SyncAction> = []
  /** Facts of pending headers, of chosen and unapplied ones, and of the tip; edges only while a long descent goes on. */
  readonly facts = new Map<BlockId, HeaderFacts>()
  readonly invalid = new Set<BlockId>()
  readonly chosen: ChosenChain
  readonly counters: Counters = {
    headersReceived: 0,
    headersDuplicate: 0,
    unitsReceived: 0,
    unitBytes: 0,
    blocksApplied: 0,
    requestsSent: 0,
    requestsTimedOut: 0,
    reorganisations: 0
  }
  head: BlockRef
  headFacts: HeaderFacts | undefined
  readonly maxScore: number
  mode: "segmented" | "anchored" | undefined = undefined
  status: SyncStatus = "unsynced"
  statusReason = "not started"
  halted: string | undefined = undefined
  finished = false
  segments = 0
  /** Something about links or supporters changed since the gate looked. */
  dagDirty = false
  lastProgressMillis = 0
  /** Lowest level that any peer's branch lets expect. */
  lowestNamed = Infinity
  wake = 0

  constructor(parts: {
    readonly options: SyncOptions
    readonly start: SyncStart
    readonly rules: ChainRules
    readonly dag: HeaderDag
    readonly connections: Connections
    readonly standing: Standing
    readonly book: EvidenceBook
    readonly maxScore: number
  }) {
    this.options = parts.options
    this.start = parts.start
    this.rules = parts.rules
    this.dag = parts.dag
    this.connections = parts.connections
    this.standing = parts.standing
    this.book = parts.book
    this.maxScore = parts.maxScore
    this.head = parts.start.head
    this.headFacts = parts.start.headFacts
    this.chosen = new ChosenChain(parts.start.head)
  }

  emit(action: SyncAction): void {
    this.actions.push(action)
  }

  /** One request, which counts. */
  ask(peer: PeerState, request: Request): void {
    this.counters.requestsSent++
    this.actions.push({ kind: "send", peer: peer.peer, requests: [request] })
  }

  notice(notice: SyncNotice): void {
    this.actions.push({ kind: "notice", notice })
  }

  /** Asks to be woken no later than this. */
  wakeBy(millis: number): void {
    if (millis < this.wake) this.wake = millis
  }

  progress(): void {
    this.lastProgressMillis = this.now
  }

  /** Last chosen block: headers are chosen above it. Equal to the head when nothing is pending. */
  get frontier(): BlockRef {
    return this.chosen.top
  }

  /** Id of our chain at a level, chosen blocks included; undefined where we cannot know (below a snapshot base). */
  chainAt(level: number): BlockId | undefined {
    return level > this.head.level ? this.chosen.at(level) : this.start.appliedAt(level)
  }

  /** Level of a block of our chain, chosen blocks included. */
  chainLevel(id: BlockId): number | undefined {
    return this.chosen.levelOf(id) ?? this.start.appliedLevel(id)
  }

  /** The peer, unless it was dismissed meanwhile: its place in the DAG may be another one's then. */
  present(peer: PeerState | undefined): PeerState | undefined {
    return peer !== undefined && this.peers.get(peer.peer) === peer ? peer : undefined
  }

  peerAt(slot: number): PeerState | undefined {
    for (const peer of this.peers.values()) if (peer.slot === slot) return peer
    return undefined
  }

  get active(): number {
    return this.peers.size
  }

  /** Taken before a round of requests. */
  refreshLowestNamed(): void {
    this.lowestNamed = Infinity
    for (const peer of this.peers.values()) this.lowestNamed = Math.min(this.lowestNamed, peer.holdsFrom)
  }

  countedPeers(): ReadonlyArray<PeerState> {
    return [...this.peers.values()].filter((peer) => peer.counted)
  }

  /**
   * Level that more than 2/3 of the counted peers reach: never the maximum, which one liar could set (A24). Undefined while no more than 2/3
   * have said.
   */
  get peersLevel(): number | undefined {
    const counted = this.countedPeers()
    const levels = counted.flatMap((peer) => peer.claimedLevel ?? [])
    levels.sort((a, b) => b - a)
    return levels[Math.floor((2 * counted.length) / 3)]
  }

  /**
   * The same for the heads of the chains that the peers have told: what they claim now stands on these, while a newer head alone says nothing about the
   * chain beneath it.
   */
  get toldLevel(): number {
    const counted = this.countedPeers()
    const levels = counted.map((peer) => peer.finalClaims(0)).toSorted((a, b) => b - a)
    return levels[Math.floor((2 * counted.length) / 3)] ?? -Infinity
  }

  /** Blocks of ours at or below this level are final: no quorum may contradict them. */
  finalForUs(level: number): boolean {
    return level <= this.dag.baseLevel
  }

  /** Levels below the peers' heads that may still be replaced. A new chain is longer than the one it replaces, by some blocks when they come together. */
  get reorgMargin(): number {
    return this.options.maxReorgDepth + this.rules.finality
  }

  /** From here upward facts stay in memory also in a long descent: a reorganisation compares weights there. */
  get tipFromLevel(): number {
    return (this.peersLevel ?? 0) - 2 * this.options.maxReorgDepth
  }

  credit(peer: PeerState, credit: Credit): void {
    this.connections.setScore(peer.peer, this.standing.credit(peer.id, credit))
  }

  /** Records a fault with its proof, and draws the consequence. Returns whether the peer is still there. */
  blame(peer: PeerState, offence: Offence, subject: string, detail: string): boolean {
    const result = this.standing.blame(peer.id, offence, subject, detail, this.now)
    this.connections.setScore(peer.peer, result.score)
    const { consequence, record, score } = result
    this.notice({ kind: "blamed", record, score, consequence })
    if (result.consequence === "points") return true
    this.dismiss(peer, `${offence}: ${detail}`, { longest: result.longest })
    return false
  }

  /** Ends a connection by our own decision; with `longest` given, greylisted. Set by the engine, which knows all that hangs on a peer. */
  dismiss: (peer: PeerState, reason: string, greylist: { readonly longest: boolean } | undefined) => void = () => {}

  markInvalid(id: BlockId): void {
    this.invalid.add(id)
    if (this.invalid.size > ChainLimits.invalidIds) {
      for (const oldest of this.invalid) {
        this.invalid.delete(oldest)
        break
      }
    }
  }

  show(id: BlockId): string {
    return this.rules.displayId(id)
  }

  idBytes(id: BlockId): Uint8Array {
    return Buffer.from(id, "hex")
  }

  idText(bytes: Uint8Array): BlockId {
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex")
  }
}
