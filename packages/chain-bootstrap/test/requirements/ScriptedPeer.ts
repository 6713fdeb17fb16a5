/** A peer of a test: honest unless told otherwise. */
import type { BlockId } from "../../src/contract/Block.ts"
import type { Answer, BranchEntry, Request } from "../../src/contract/PeerMessage.ts"
import type { SyntheticBlock, SyntheticChain } from "../../src/testing/SyntheticChain.ts"

export interface PeerScript {
  /** Its main chain, by level; a number: the common one up to that level. Default: all of it. */
  readonly blocks?: ReadonlyArray<SyntheticBlock> | number
  /** Lowest level that it holds. */
  readonly lowest?: number
  /** Levels of its locator below the head; the last one is inexact. Default: so many levels apart, doubled after each ten, down to `lowest`. */
  readonly locator?: ReadonlyArray<number>
  readonly latencyMillis?: number
  readonly silentOn?: ReadonlyArray<Request["kind"]>
  readonly point?: string
  readonly unreachable?: boolean
}

export class ScriptedPeer {
  readonly point: string
  readonly id: string
  /** Number of its connection. */
  number: number | undefined = undefined
  blocks: ReadonlyArray<SyntheticBlock>
  lowest: number
  locator: ReadonlyArray<number> | undefined
  latencyMillis: number
  unreachable: boolean
  readonly silentOn: Set<Request["kind"]>
  /** Blocks whose header or body it does not serve. */
  readonly lacks = new Set<BlockId>()
  /** Blocks beside its main chain that it holds, too. */
  readonly also = new Map<BlockId, SyntheticBlock>()
  /** Changes what it is about to say; undefined: says nothing. */
  alter: (answer: Answer) => Answer | undefined = (answer) => answer
  private readonly chain: SyntheticChain
  private readonly distance: number

  constructor(chain: SyntheticChain, at: number, script: PeerScript) {
    this.chain = chain
    this.point = script.point ?? `10.0.0.${at + 1}:9732`
    this.id = `p${at}`
    this.distance = 2 + (at % 3)
    const { blocks } = script
    this.blocks = blocks === undefined
      ? chain.main
      : typeof blocks === "number"
      ? chain.main.slice(0, blocks + 1)
      : blocks
    this.lowest = script.lowest ?? 0
    this.locator = script.locator
    this.latencyMillis = script.latencyMillis ?? 10
    this.unreachable = script.unreachable ?? false
    this.silentOn = new Set(script.silentOn)
  }

  get head(): SyntheticBlock {
    return this.blocks.at(-1)!
  }

  get branch(): Extract<Answer, { kind: "branch" }> {
    const head = this.head.header
    const levels = this.locator ?? this.levelsBelow(head.level)
    const entries: Array<BranchEntry> = [{ id: head.id, level: head.level, exact: true }]
    levels.forEach((level, at) =>
      entries.push({ id: this.blocks[level]!.header.id, level, exact: at < levels.length - 1 })
    )
    return { kind: "branch", head, entries }
  }

  private levelsBelow(top: number): ReadonlyArray<number> {
    const levels: Array<number> = []
    let distance = this.distance
    for (let level = top - distance; level > this.lowest; level -= distance) {
      levels.push(level)
      if (levels.length % 10 === 0) distance *= 2
    }
    if (top > this.lowest) levels.push(this.lowest)
    return levels
  }

  private serves(id: BlockId): SyntheticBlock | undefined {
    const block = this.lacks.has(id) ? undefined : this.find(id)
    return block !== undefined && block.header.level >= this.lowest ? block : undefined
  }

  /** A block of its chain. */
  find(id: BlockId): SyntheticBlock | undefined {
    const level = this.chain.find(id)?.header.level
    const block = level === undefined ? undefined : this.blocks[level]
    if (this.also.has(id)) return this.also.get(id)
    return block?.header.id === id ? block : this.blocks.findLast(({ header }) => header.id === id)
  }

  answers(request: Request): ReadonlyArray<Answer> {
    if (this.silentOn.has(request.kind)) return []
    return this.honest(request).flatMap((answer) => this.alter(answer) ?? [])
  }

  private honest(request: Request): ReadonlyArray<Answer> {
    switch (request.kind) {
      case "get-branch":
        return [this.branch]
      case "get-head":
        return [{ kind: "head", header: this.head.header }]
      case "get-headers":
        return request.ids.flatMap((id) => {
          const block = this.serves(id)
          return block === undefined ? [] : [{ kind: "header", header: block.header }]
        })
      case "get-units":
        return request.items.flatMap(({ block: id, unit }) => {
          const block = this.serves(id)
          return block === undefined ? [] : [this.unit(block, unit)]
        })
      case "get-ancestor": {
        const block = this.chain.ancestor(request.of, request.offset)
        return block === undefined
          ? []
          : [{ kind: "ancestor", of: request.of, offset: request.offset, header: block.header }]
      }
      case "get-peers":
        return [{ kind: "peers", points: [] }]
      case "swap-request":
        return []
    }
  }

  unit(block: SyntheticBlock, unit: number): Answer {
    return { kind: "unit", block: block.header.id, unit, body: block.units[unit]!, proof: this.chain.proof(block) }
  }
}
