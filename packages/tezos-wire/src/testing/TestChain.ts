/** A chain in memory with its forks: what scripted peers serve and tests compare with. */
import { toHex } from "../codec/HexText.ts"
import type { HeaderFields } from "../contract/BlockHeader.ts"

/** Consecutive blocks above a block of another branch, or above genesis. */
export interface TestBranch {
  readonly name: string
  readonly base: TestBranch | undefined
  /** Level of the last block shared with `base`; 0: above genesis. */
  readonly forkLevel: number
  /** The block of level `forkLevel` + 1 comes first. */
  readonly blocks: Array<TestBlock>
}

/** One block of a test chain with its header and operations. */
export interface TestBlock {
  readonly branch: TestBranch
  readonly level: number
  readonly hash: Uint8Array
  readonly header: HeaderFields
  /** Operations (branch 32 ‖ data) by pass. */
  readonly operations: ReadonlyArray<ReadonlyArray<Uint8Array>>
}

/** The genesis of a test chain. */
export interface TestGenesis {
  readonly hash: Uint8Array
  /** Seconds since 1970. */
  readonly timestamp: number
  /** 114 bytes; its hash is not `hash`. */
  readonly header: HeaderFields
}

/** The ancestor of a block at a level, or the block itself; undefined below level 1 and above the block. */
export const ancestorAt = (block: TestBlock, level: number): TestBlock | undefined => {
  if (level > block.level || level < 1) return undefined
  let branch: TestBranch = block.branch
  while (level <= branch.forkLevel) branch = branch.base!
  return branch.blocks[level - branch.forkLevel - 1]
}

/** A chain with its forks, block by block. */
export class TestChain {
  readonly chainName: string
  /** 4 bytes. */
  readonly chainId: Uint8Array
  readonly genesis: TestGenesis
  private readonly branches = new Map<string, TestBranch>()
  private readonly byHash = new Map<string, TestBlock>()

  constructor(chainName: string, chainId: Uint8Array, genesis: TestGenesis) {
    this.chainName = chainName
    this.chainId = chainId
    this.genesis = genesis
  }

  /** Adds a branch with its blocks; the first one added is the main one. */
  add(branch: TestBranch): void {
    this.branches.set(branch.name, branch)
    for (const block of branch.blocks) this.byHash.set(toHex(block.hash), block)
  }

  get branchNames(): ReadonlyArray<string> {
    return [...this.branches.keys()]
  }

  branch(name: string): TestBranch | undefined {
    return this.branches.get(name)
  }

  /** The last block of a branch; of the main one without a name. Throws for a branch that is not there. */
  head(name?: string): TestBlock {
    const branch = name === undefined ? this.branches.values().next().value : this.branches.get(name)
    const head = branch?.blocks.at(-1)
    if (head === undefined) {
      throw new RangeError(`no branch ${name ?? "at all"}; there are ${this.branchNames.join(", ")}`)
    }
    return head
  }

  /** The block at a level of a branch (the main one by default), shared levels included. Throws where there is none. */
  at(level: number, name?: string): TestBlock {
    const block = ancestorAt(this.head(name), level)
    if (block === undefined) throw new RangeError(`no level ${level} on ${name ?? "the main branch"}`)
    return block
  }

  block(hash: Uint8Array): TestBlock | undefined {
    return this.byHash.get(toHex(hash))
  }

  get size(): number {
    return this.byHash.size
  }

  /** All blocks, parents before children. */
  get blocks(): Iterable<TestBlock> {
    return this.byHash.values()
  }
}
