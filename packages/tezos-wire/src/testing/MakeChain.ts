/** Seeded synthetic chains: the same options give the same bytes. */
import { encodeHash } from "../codec/Base58Check.ts"
import { chainIdOf, genesisHeader } from "../codec/ChainId.ts"
import type { Digests } from "../contract/Crypto.ts"
import { type BlockShape, forgeBlock, headerOf, type Parent, roundOf } from "./ForgeBlocks.ts"
import { SeededBytes } from "./SeededBytes.ts"
import { ancestorAt, type TestBlock, type TestBranch, TestChain } from "./TestChain.ts"

/** A branch beside the main one: where it leaves and how long it is. */
export interface ForkOptions {
  readonly name: string
  /** Last level shared with the parent branch. */
  readonly at: number
  /** Blocks of its own. The first one has round 1: it beats its rival of the same level, then length decides. */
  readonly length: number
  /** Default: the main branch. */
  readonly parent?: string
}

/** Size, shape and forks of a synthetic chain. */
export interface MakeChainOptions extends Partial<BlockShape> {
  readonly seed: string
  readonly levels: number
  readonly chainName?: string
  /** 32 bytes. Default: from the seed. */
  readonly genesisHash?: Uint8Array
  /** Seconds since 1970 of the latest block of all branches. */
  readonly headTime?: number
  readonly forks?: ReadonlyArray<ForkOptions>
  /** Whether level 1 is an activation block without passes. Default true. */
  readonly activation?: boolean
}

/** The name of the branch that is not a fork. */
export const mainBranch = "main"
const defaultHeadTime = 1_760_000_000
const secondsPerLevel = 6
const secondsOfRoundOne = 10

/** Operations of a block unless options say otherwise. */
export const defaultShape: BlockShape = { operationsPerBlock: 3, passes: 4, operationBytes: [80, 260] }

const parentOf = (chain: TestChain, block: TestBlock | undefined): Parent =>
  block === undefined
    ? { hash: chain.genesis.hash, level: 0, proto: 0, round: 0 }
    : { hash: block.hash, level: block.level, proto: block.header.proto, round: roundOf(block.header) }

/** A branch to be added: on which block, how long, of which seed. */
export interface BranchOptions {
  readonly name: string
  /** Default: genesis. */
  readonly on?: TestBlock | undefined
  readonly length: number
  readonly seed: string
  readonly shape?: BlockShape
  /** Default false; only for a branch above genesis. */
  readonly activation?: boolean
  /** Seconds from a parent to its child, for all but the first block. Default 6. */
  readonly secondsPerLevel?: number
  /** Seconds from the parent to the first block. Default 10: round 1. */
  readonly firstSeconds?: number
}

/** Forges a branch above a block, without adding it to the chain: `chain.add(branch)` does that. */
export const forgeBranch = (digests: Digests, chain: TestChain, options: BranchOptions): TestBranch => {
  const { on } = options
  const forkLevel = on?.level ?? 0
  const branch: TestBranch = { name: options.name, base: on?.branch, forkLevel, blocks: [] }
  const random = new SeededBytes(`${options.seed}/${options.name}`)
  let parent = parentOf(chain, on)
  let timestamp = on?.header.timestamp ?? chain.genesis.timestamp
  for (let i = 0; i < options.length; i++) {
    const first = i === 0 && on !== undefined
    timestamp += first ? options.firstSeconds ?? secondsOfRoundOne : options.secondsPerLevel ?? secondsPerLevel
    const block = forgeBlock(digests, branch, parent, {
      random,
      shape: options.shape ?? defaultShape,
      timestamp,
      round: first ? 1 : 0,
      activation: options.activation === true && parent.level === 0
    })
    branch.blocks.push(block)
    parent = parentOf(chain, block)
  }
  return branch
}

/** Seconds from genesis to each head; the latest of them is to fall on the head time. */
const longestSeconds = (options: MakeChainOptions): number => {
  const ends = new Map<string, (level: number) => number>()
  ends.set(mainBranch, (level) => level * secondsPerLevel)
  let longest = options.levels * secondsPerLevel
  for (const { at, length, name, parent = mainBranch } of options.forks ?? []) {
    const base = ends.get(parent)
    if (base === undefined) throw new RangeError(`fork ${name}: there is no branch ${parent} before it`)
    const ofFork = (level: number): number =>
      level <= at ? base(level) : base(at) + secondsOfRoundOne + (level - at - 1) * secondsPerLevel
    ends.set(name, ofFork)
    longest = Math.max(longest, ofFork(at + length))
  }
  return longest
}

/** A chain from genesis with its forks. `digests`: a `Crypto`. */
export const makeChain = (digests: Digests, options: MakeChainOptions): TestChain => {
  const { chainName = "TEZOS_TEST", headTime = defaultHeadTime, seed } = options
  const random = new SeededBytes(`${seed}/genesis`)
  const hash = options.genesisHash ?? random.bytes(32)
  const timestamp = headTime - longestSeconds(options)
  const raw = genesisHeader(digests, { hash, timestamp, context: random.bytes(32) })
  const chain = new TestChain(chainName, chainIdOf(digests, hash), { hash, timestamp, header: headerOf(raw) })
  const shape: BlockShape = {
    operationsPerBlock: options.operationsPerBlock ?? defaultShape.operationsPerBlock,
    passes: options.passes ?? defaultShape.passes,
    operationBytes: options.operationBytes ?? defaultShape.operationBytes
  }
  const activation = options.activation ?? true
  chain.add(forgeBranch(digests, chain, { name: mainBranch, length: options.levels, seed, shape, activation }))
  for (const { at, length, name, parent } of options.forks ?? []) {
    const on = ancestorAt(chain.head(parent), at)
    if (on === undefined) throw new RangeError(`fork ${name}: no level ${at} on ${parent ?? mainBranch}`)
    chain.add(forgeBranch(digests, chain, { name, on, length, seed, shape }))
  }
  return chain
}

/** The text of a block's hash. */
export const hashText = (block: TestBlock): string => encodeHash("block", block.hash)
