/** A chain by seed, as a value that crosses from the parent to its peer processes: each of them makes the same blocks of it. */
import type { Digests } from "@peerstrap/tezos-wire"
import { type ForkOptions, mainBranch, makeChain, type TestBlock, type TestChain } from "@peerstrap/tezos-wire/testing"

export interface ChainSpec {
  readonly seed: string
  readonly chainName: string
  /** Blocks of the main branch. */
  readonly levels: number
  readonly operationsPerBlock: number
  /** Bytes of an operation, its 32-byte branch included. */
  readonly operationBytes: readonly [least: number, most: number]
  /** Seconds since 1970 of the latest block of all branches. */
  readonly headSeconds: number
  readonly forks: ReadonlyArray<ForkOptions>
}

/** Seconds between two blocks. */
export const blockSeconds = 6

export const chainOf = (digests: Digests, spec: ChainSpec): TestChain =>
  makeChain(digests, {
    seed: spec.seed,
    levels: spec.levels,
    chainName: spec.chainName,
    headTime: spec.headSeconds,
    operationsPerBlock: spec.operationsPerBlock,
    operationBytes: spec.operationBytes,
    forks: spec.forks
  })

/** A block by name: a branch, its last block, or that of a level. */
export interface HeadName {
  readonly branch: string
  /** Undefined: the last one. */
  readonly level: number | undefined
}

/** `genesis` stands for an empty node. */
export const emptyNode: HeadName = { branch: "genesis", level: undefined }

/** `BRANCH`, `BRANCH@LEVEL` or `genesis`; undefined for another text. */
export const parseHead = (text: string): HeadName | undefined => {
  const found = /^([\w-]{1,40})(?:@(\d{1,8}))?$/.exec(text)
  if (found === null || (found[1] === emptyNode.branch && found[2] !== undefined)) return undefined
  return { branch: found[1]!, level: found[2] === undefined ? undefined : Number(found[2]) }
}

export const headText = ({ branch, level }: HeadName): string => level === undefined ? branch : `${branch}@${level}`

/** Lowest and highest level of a branch, those shared with its parents included; undefined: there is no such branch. */
const topOf = ({ forks, levels }: ChainSpec, branch: string): number | undefined => {
  if (branch === mainBranch) return levels
  const fork = forks.find(({ name }) => name === branch)
  return fork === undefined ? undefined : fork.at + fork.length
}

/** Why a block of that name does not exist; undefined when it does. */
export const headProblem = (spec: ChainSpec, { branch, level }: HeadName): string | undefined => {
  if (branch === emptyNode.branch) return undefined
  const top = topOf(spec, branch)
  if (top === undefined) {
    return `no branch ${branch}; there are ${[mainBranch, ...spec.forks.map(({ name }) => name)].join(", ")}`
  }
  return level === undefined || (level >= 1 && level <= top) ? undefined : `branch ${branch} has levels 1 to ${top}`
}

/** The block, or `genesis`. Throws where there is none. */
export const headBlock = (chain: TestChain, { branch, level }: HeadName): TestBlock | "genesis" =>
  branch === emptyNode.branch ? "genesis" : level === undefined ? chain.head(branch) : chain.at(level, branch)
