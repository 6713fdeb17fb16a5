/** The rules that a client has to keep towards real nodes, checked message by message: what throttles, drops or greylists there is written down here. */
import { headerHash } from "../codec/BlockHeader.ts"
import { toHex } from "../codec/HexText.ts"
import { buildLocator } from "../codec/Locator.ts"
import type { Digests } from "../contract/Crypto.ts"
import { type CurrentBranch, type MessageName, MessageTags, type PeerMessage } from "../contract/Messages.ts"
import type { RemotePeer } from "../contract/Session.ts"
import { ancestorAt, type TestChain } from "./TestChain.ts"

/** Milliseconds between two of a kind on one connection; a node that gets them faster sleeps so long, or ignores them (specs: p2p 1.10). */
const spacingMillis: Partial<Record<MessageName, number>> = {
  GetCurrentBranch: 4_000,
  CurrentBranch: 4_000,
  GetCurrentHead: 4_000,
  Deactivate: 4_000,
  GetProtocols: 10_000,
  GetProtocolBranch: 10_000,
  ProtocolBranch: 10_000,
  GetPredecessorHeader: 10_000,
  PredecessorHeader: 10_000,
  Bootstrap: 100,
  Advertise: 100,
  SwapRequest: 60_000,
  SwapAck: 60_000
}

const fromVersion1 = MessageTags.GetCheckpoint

export interface AuditSubject {
  readonly chain: TestChain
  readonly ownId: Uint8Array
  readonly remote: RemotePeer
  readonly disablesMempool: boolean
}

export class PeerAudit {
  private readonly digests: Digests
  private readonly subject: AuditSubject
  private readonly report: (rule: string, detail: string) => void
  private readonly lastMillis = new Map<MessageName, number>()
  private askedBranch = false
  private frames = 0

  /** One per connection. `report` gets a rule as `throttle:GetCurrentBranch` and what exactly broke it. */
  constructor(digests: Digests, subject: AuditSubject, report: (rule: string, detail: string) => void) {
    this.digests = digests
    this.subject = subject
    this.report = report
  }

  /** Called with the session's count of frames that began inside a chunk, before each message. */
  framing(framesInsideChunks: number): void {
    if (framesInsideChunks > this.frames) this.report("frame-inside-chunk", "a frame must begin a chunk")
    this.frames = framesInsideChunks
  }

  message(message: PeerMessage, nowMillis: number): void {
    this.spacing(message._tag, nowMillis)
    this.versions(message._tag)
    switch (message._tag) {
      case "GetCurrentBranch":
        this.askedBranch = true
        return this.sameChain(message._tag, message.chainId)
      case "GetCurrentHead":
        if (!this.askedBranch) this.report("ignored:GetCurrentHead", "nodes ignore it before GetCurrentBranch")
        return this.sameChain(message._tag, message.chainId)
      case "GetBlockHeaders":
        return this.hashes(message._tag, message.hashes)
      case "GetOperations":
        return this.distinct(message._tag, message.hashes.map(toHex))
      case "GetOperationsForBlocks":
        this.distinct(message._tag, message.items.map(({ block, pass }) => `${toHex(block)}/${pass}`))
        for (const { block, pass } of message.items) this.pass(block, pass)
        return
      case "GetPredecessorHeader":
        if (message.offset < 0) this.report("negative-offset", `${message.offset}`)
        return
      case "CurrentHead":
        if (this.subject.disablesMempool && message.mempool.knownValid.length + message.mempool.pending.length > 0) {
          this.report("mempool-although-disabled", "nodes drop who does this")
        }
        return this.sameChain(message._tag, message.chainId)
      case "CurrentBranch":
        this.locator(message)
        return this.sameChain(message._tag, message.chainId)
      default:
    }
  }

  /** An answer that nobody asked for. */
  unrequested(name: MessageName): void {
    this.report(`unrequested:${name}`, "nobody asked for it on this connection")
  }

  private spacing(name: MessageName, nowMillis: number): void {
    const needed = spacingMillis[name]
    if (needed === undefined) return
    const last = this.lastMillis.get(name)
    this.lastMillis.set(name, nowMillis)
    if (last !== undefined && nowMillis - last < needed) {
      this.report(`throttle:${name}`, `${nowMillis - last} ms after the last one, ${needed} ms are needed`)
    }
  }

  private versions(name: MessageName): void {
    if (name === "GetCheckpoint" || name === "Checkpoint") this.report(`never:${name}`, "TezEdge greylists its sender")
    if (MessageTags[name] >= fromVersion1 && this.subject.remote.effective.distributedDb < 1) {
      this.report("ddb-too-low", name)
    }
  }

  private sameChain(name: MessageName, chainId: Uint8Array): void {
    if (chainId.some((byte, i) => byte !== this.subject.chain.chainId[i])) this.report("wrong-chain", name)
  }

  private distinct(name: MessageName, items: ReadonlyArray<string>): void {
    if (items.length === 0) this.report("empty-request", name)
    if (new Set(items).size !== items.length) this.report("duplicate-in-request", name)
  }

  private hashes(name: MessageName, hashes: ReadonlyArray<Uint8Array>): void {
    const texts = hashes.map(toHex)
    this.distinct(name, texts)
    if (texts.includes(toHex(this.subject.chain.genesis.hash))) {
      this.report("genesis-header-requested", "its hash is a constant, not the hash of a header")
    }
  }

  private pass(hash: Uint8Array, pass: number): void {
    const passes = this.subject.chain.block(hash)?.header.validationPass
    if (pass < 0 || (passes !== undefined && pass >= passes)) {
      this.report("pass-out-of-range", `pass ${pass} of a block with ${passes ?? "some"} passes`)
    }
  }

  /** A branch of blocks that we know has to keep the seeded distances; only its last entry may be nearer. */
  private locator({ header, history }: CurrentBranch): void {
    const { chain, ownId, remote } = this.subject
    if (header.level === 0) return
    const head = chain.block(headerHash(this.digests, header.raw))
    if (head === undefined) return
    const expected = buildLocator(this.digests, {
      sender: remote.peerId,
      receiver: ownId,
      headHash: head.hash,
      headLevel: head.level,
      lowestLevel: 0,
      hashAt: (level) => level === 0 ? chain.genesis.hash : ancestorAt(head, level)?.hash,
      size: history.length
    })
    const wrong = history.findIndex((hash, i) =>
      i < history.length - 1 && toHex(hash) !== toHex(expected[i] ?? hash.subarray(0, 0))
    )
    if (wrong >= 0) this.report("locator", `entry ${wrong} of ${history.length} has a wrong distance`)
  }
}
