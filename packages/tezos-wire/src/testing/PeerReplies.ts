/** What a scripted peer answers to each message. Pure: messages in, messages out. */
import { buildPath } from "../codec/MerklePath.ts"
import { operationListHash } from "../codec/Operations.ts"
import type { HeaderFields } from "../contract/BlockHeader.ts"
import type { Digests } from "../contract/Crypto.ts"
import { Limits } from "../contract/Limits.ts"
import type { BlockPass, OperationsForBlocks, PeerMessage } from "../contract/Messages.ts"
import { headerOf } from "./ForgeBlocks.ts"
import type { PeerBehaviours } from "./PeerBehaviours.ts"
import type { PeerView } from "./PeerView.ts"
import type { TestBlock } from "./TestChain.ts"

/** One connection of the peer, as far as answers depend on it. */
export interface Asker {
  readonly connection: number
  readonly ownId: Uint8Array
  readonly peerId: Uint8Array
  /** It has asked for our branch, and hears of new heads from then on. */
  active: boolean
}

export class PeerReplies {
  private readonly digests: Digests
  private readonly view: PeerView
  private readonly behaviours: () => PeerBehaviours
  private readonly points: () => ReadonlyArray<string>
  /** Paths of the blocks asked for last: all passes of a block are asked for together. */
  private readonly paths = new Map<TestBlock, ReadonlyArray<Uint8Array>>()

  constructor(
    digests: Digests,
    view: PeerView,
    behaviours: () => PeerBehaviours,
    points: () => ReadonlyArray<string>
  ) {
    this.digests = digests
    this.view = view
    this.behaviours = behaviours
    this.points = points
  }

  /** The answers to a message, in the order in which they are sent. */
  answer(message: PeerMessage, asker: Asker): ReadonlyArray<PeerMessage> {
    const behaviours = this.behaviours()
    const wasActive = asker.active
    if (message._tag === "GetCurrentBranch") asker.active = true
    if (message._tag === "Deactivate") asker.active = false
    if (behaviours.has("silent")) return []
    const answers = this.honest(message, asker, wasActive)
    const ordered = behaviours.has("reorder") ? answers.toReversed() : answers
    return behaviours.has("duplicate") ? ordered.flatMap((each) => [each, each]) : ordered
  }

  private honest(message: PeerMessage, asker: Asker, wasActive: boolean): ReadonlyArray<PeerMessage> {
    const behaviours = this.behaviours()
    switch (message._tag) {
      case "GetCurrentBranch":
        return this.hears(message.chainId) && !behaviours.has("never-branch")
          ? [this.view.currentBranch(asker.connection, asker.ownId, asker.peerId)]
          : []
      case "GetCurrentHead":
        return wasActive && this.hears(message.chainId) && !behaviours.has("never-branch")
          ? [this.view.currentHead(asker.connection)]
          : []
      case "GetBlockHeaders":
        return behaviours.has("never-headers") ? [] : this.headers(message.hashes)
      case "GetPredecessorHeader":
        return behaviours.has("never-headers") ? [] : this.predecessor(message.block, message.offset)
      case "GetOperationsForBlocks":
        return behaviours.has("never-operations") ? [] : message.items.flatMap((item) => this.operations(item))
      case "Bootstrap":
        return [{ _tag: "Advertise", points: this.points().slice(0, Limits.maxPoints) }]
      default:
        return []
    }
  }

  private hears(chainId: Uint8Array): boolean {
    return this.view.chain.chainId.every((byte, i) => byte === chainId[i])
  }

  private headers(hashes: ReadonlyArray<Uint8Array>): ReadonlyArray<PeerMessage> {
    return hashes.flatMap((hash) => {
      const block = this.view.find(hash)
      return block === undefined ? [] : [{ _tag: "BlockHeader" as const, header: this.shown(block) }]
    })
  }

  private predecessor(block: Uint8Array, offset: number): ReadonlyArray<PeerMessage> {
    const found = this.view.find(block)
    const header = found === undefined ? undefined : this.view.below(found, offset)
    return header === undefined ? [] : [{ _tag: "PredecessorHeader", block, offset, header }]
  }

  /** A header as this peer shows it. */
  private shown(block: TestBlock): HeaderFields {
    const how = this.behaviours().get("bad-header")?.how
    if (how === undefined) return block.header
    const { raw } = block.header
    if (how === "wrong") return this.view.below(block, 1) ?? block.header
    const bad = new Uint8Array(raw.length + (how === "trail" ? 1 : 0))
    bad.set(raw)
    if (how === "flip") bad[bad.length - 1]! ^= 1
    return headerOf(bad)
  }

  private operations({ block: hash, pass }: BlockPass): ReadonlyArray<PeerMessage> {
    const block = this.view.find(hash)
    const passes = block?.operations.length ?? 0
    if (block === undefined || pass < 0 || pass >= passes) return []
    const given = this.behaviours().has("wrong-pass") ? (pass + 1) % passes : pass
    const answer: OperationsForBlocks = {
      _tag: "OperationsForBlocks",
      block: hash,
      pass,
      path: this.pathsOf(block)[given]!,
      operations: block.operations[given]!
    }
    const bad = this.behaviours().get("bad-ops")
    return [bad === undefined || block.level < bad.from ? answer : spoil(answer, bad.how)]
  }

  private pathsOf(block: TestBlock): ReadonlyArray<Uint8Array> {
    const known = this.paths.get(block)
    if (known !== undefined) return known
    const listHashes = block.operations.map((list) => operationListHash(this.digests, list))
    const paths = listHashes.map((_, pass) => buildPath(this.digests, listHashes, pass))
    if (this.paths.size >= keptPaths) this.paths.delete(this.paths.keys().next().value!)
    this.paths.set(block, paths)
    return paths
  }
}

const keptPaths = 1_024
const madeUpOperation = new Uint8Array(80).fill(0xbb)

/** With a bit changed at a place. */
const flipped = (bytes: Uint8Array, at: number): Uint8Array => {
  const out = bytes.slice()
  out[at]! ^= 1
  return out
}

/** A sibling in a path, not a tag: what cannot even be decoded is another matter. */
const changedPath = (path: Uint8Array): Uint8Array => flipped(path, path[0] === leftSibling ? 1 : path.length - 1)
const leftSibling = 0x0f

const spoil = (answer: OperationsForBlocks, how: "flip" | "drop" | "add" | "path"): OperationsForBlocks => {
  const { operations, path } = answer
  if (how === "path" && path.length > 1) return { ...answer, path: changedPath(path) }
  const last = operations.at(-1)
  // A list without operations has nothing to flip or drop, a block of one pass no sibling.
  if (how === "add" || how === "path" || last === undefined) {
    return { ...answer, operations: [...operations, madeUpOperation] }
  }
  const rest = operations.slice(0, -1)
  return { ...answer, operations: how === "drop" ? rest : [...rest, flipped(last, last.length - 1)] }
}
