/** What a scripted peer knows of its chain: its heads, which blocks it stores, the branch it announces. */
import { toHex } from "../codec/HexText.ts"
import { buildLocator } from "../codec/Locator.ts"
import type { HeaderFields } from "../contract/BlockHeader.ts"
import type { Digests } from "../contract/Crypto.ts"
import type { CurrentBranch, CurrentHead } from "../contract/Messages.ts"
import { forgeBranch } from "./MakeChain.ts"
import type { PeerBehaviours } from "./PeerBehaviours.ts"
import { SeededBytes } from "./SeededBytes.ts"
import { ancestorAt, type TestBlock, type TestChain } from "./TestChain.ts"

const bogusStep = 3
const bogusEntries = 60

export class PeerView {
  readonly chain: TestChain
  private readonly digests: Digests
  private readonly behaviours: () => PeerBehaviours
  /** Blocks that have been the head, newest last: the peer stores what lies below any of them. Undefined: none yet, an empty node. */
  private heads: ReadonlyArray<TestBlock>
  private readonly forged = new Map<string, TestBlock>()
  private requests = 0

  constructor(digests: Digests, chain: TestChain, head: TestBlock | undefined, behaviours: () => PeerBehaviours) {
    this.digests = digests
    this.chain = chain
    this.behaviours = behaviours
    this.heads = head === undefined ? [] : [head]
  }

  /** Makes a block the head; what lay below earlier heads stays known. */
  setHead(head: TestBlock): void {
    this.heads = [...this.heads.filter((each) => each !== head), head]
  }

  /** The head as chosen, before any behaviour; undefined for an empty node. */
  get chosen(): TestBlock | undefined {
    return this.heads.at(-1)
  }

  /** The head that it announces on a connection. */
  head(connection: number): TestBlock | undefined {
    const behaviours = this.behaviours()
    const head = this.chosen
    if (head === undefined) return undefined
    const forger = behaviours.get("forger")
    if (forger !== undefined) return this.fork(head, forger.at, forger.length, forger.seed)
    const equivocate = behaviours.get("equivocate")
    if (equivocate !== undefined && (connection + this.requests++) % 2 === 1) return this.other(head, equivocate.depth)
    const future = behaviours.get("future-head")
    return future === undefined ? head : this.future(head, future.seconds)
  }

  /** The lowest level that it stores. */
  lowest(head: TestBlock | undefined): number {
    const rolling = this.behaviours().get("rolling")
    return rolling === undefined || head === undefined ? 0 : Math.max(0, head.level - rolling.levels + 1)
  }

  /** A block that it stores, on any branch that it has followed. */
  find(hash: Uint8Array): TestBlock | undefined {
    const block = this.chain.block(hash) ?? this.forged.get(toHex(hash))
    if (block === undefined || block.level < this.lowest(this.chosen)) return undefined
    const known = [...this.heads, ...this.madeUpHeads()].some((head) => ancestorAt(head, block.level) === block)
    return known ? block : undefined
  }

  /** The ancestor of a stored block so many levels below, as a header; that of genesis at level 0. */
  below(block: TestBlock, offset: number): HeaderFields | undefined {
    const level = block.level - offset
    if (level < this.lowest(this.chosen) || level < 0) return undefined
    return level === 0 ? this.chain.genesis.header : ancestorAt(block, level)?.header
  }

  currentHead(connection: number): CurrentHead {
    const header = this.headHeader(connection)
    return { _tag: "CurrentHead", chainId: this.chainId(), header, mempool: { knownValid: [], pending: [] } }
  }

  /** Its branch as sent to a receiver. */
  currentBranch(connection: number, sender: Uint8Array, receiver: Uint8Array): CurrentBranch {
    const behaviours = this.behaviours()
    const head = this.head(connection)
    const fake = behaviours.get("fake-head")
    const chainId = this.chainId()
    if (head === undefined) return { _tag: "CurrentBranch", chainId, header: this.chain.genesis.header, history: [] }
    if (fake !== undefined) return { _tag: "CurrentBranch", chainId, ...this.fakeBranch(head, fake.up) }
    const hashAt = (level: number) => level === 0 ? this.chain.genesis.hash : ancestorAt(head, level)?.hash
    const lowestLevel = this.lowest(head)
    const history = behaviours.has("bogus-locator")
      ? this.bogusHistory(head.level, lowestLevel, hashAt)
      : buildLocator(this.digests, {
        sender,
        receiver,
        headHash: head.hash,
        headLevel: head.level,
        lowestLevel,
        hashAt
      })
    return { _tag: "CurrentBranch", chainId, header: head.header, history }
  }

  private headHeader(connection: number): HeaderFields {
    const head = this.head(connection)
    const fake = this.behaviours().get("fake-head")
    if (head === undefined) return this.chain.genesis.header
    return fake === undefined ? head.header : this.fakeBranch(head, fake.up).header
  }

  private chainId(): Uint8Array {
    return this.behaviours().has("wrong-chain") ? this.chain.chainId.map((byte) => byte ^ 0xff) : this.chain.chainId
  }

  private madeUpHeads(): ReadonlyArray<TestBlock> {
    const heads = [...this.forged.values()]
    return heads.filter((block) => block === block.branch.blocks.at(-1))
  }

  /** A forged branch, made once. */
  private forge(name: string, on: TestBlock | undefined, length: number, firstSeconds = 10): TestBlock {
    const known = this.forged.get(name)
    if (known !== undefined) return known
    const branch = forgeBranch(this.digests, this.chain, { name, on, length, seed: "forged", firstSeconds })
    for (const block of branch.blocks) this.forged.set(toHex(block.hash), block)
    const head = branch.blocks.at(-1)!
    this.forged.set(name, head)
    return head
  }

  private fork(head: TestBlock, at: number, length: number, seed: string): TestBlock {
    const level = Math.min(at, head.level)
    const own = length === 0 ? head.level - level + 1 : length
    return this.forge(`forger:${level}:${own}:${seed}`, ancestorAt(head, level), own)
  }

  private other(head: TestBlock, depth: number): TestBlock {
    const level = Math.max(0, head.level - depth)
    return this.forge(`equivocate:${level}:${head.level}`, ancestorAt(head, level), head.level - level)
  }

  private future(head: TestBlock, seconds: number): TestBlock {
    return this.forge(`future:${toHex(head.hash)}:${seconds}`, head, 1, seconds)
  }

  /** A head on ancestors that do not exist. */
  private fakeBranch(
    head: TestBlock,
    up: number
  ): { readonly header: HeaderFields; readonly history: ReadonlyArray<Uint8Array> } {
    const random = new SeededBytes(`fake-head/${toHex(head.hash)}/${up}`)
    const history = Array.from({ length: Math.min(bogusEntries, head.level + up) }, () => random.bytes(32))
    const floating: TestBlock = {
      ...head,
      level: head.level + up - 1,
      hash: history[0]!,
      header: { ...head.header, level: head.level + up - 1 }
    }
    const branch = forgeBranch(this.digests, this.chain, {
      name: `fake-head:${up}`,
      on: floating,
      length: 1,
      seed: "fake"
    })
    return { header: branch.blocks[0]!.header, history }
  }

  private bogusHistory(
    headLevel: number,
    lowestLevel: number,
    hashAt: (level: number) => Uint8Array | undefined
  ): ReadonlyArray<Uint8Array> {
    const levels = Array.from({ length: bogusEntries }, (_, i) => headLevel - 1 - i * bogusStep)
    return levels.filter((level) => level >= lowestLevel).flatMap((level) => hashAt(level) ?? [])
  }
}
