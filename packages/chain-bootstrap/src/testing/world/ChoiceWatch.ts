/** Rules of what is chosen and applied: true quorums, true links, nothing before it is durable, no false block (specs: chain bootstrap 5.12 1–3). */
import { checkEvidence } from "@peerstrap/header-dag-quorum"
import type { BlockId, BlockRef } from "../../contract/Block.ts"
import type { SyncAction, SyncEvent } from "../../contract/ChainSync.ts"
import type { Answer } from "../../contract/PeerMessage.ts"
import type { ChainWorld, Link } from "./ChainWorld.ts"

type Chosen = Extract<SyncAction, { kind: "store-segment" }>
type Apply = Extract<SyncAction, { kind: "apply" }>
type SideApplied = Extract<SyncEvent, { kind: "applied" }>

/** What a peer has said on one connection. */
interface Said {
  /** Ids of its last branch and of heads it told since. */
  claims: Set<BlockId>
  readonly replies: Set<BlockId>
}

export class ChoiceWatch {
  /** Something was pruned or moved: items may be asked for again. */
  rearranged = false
  private highest = 0
  private readonly world: ChainWorld
  private readonly known: ReadonlyMap<number, Link>
  private readonly fail: (message: string) => never
  private readonly said = new Map<number, Said>()
  private readonly passed = new Set<BlockId>()
  /** Last block given to the applier on the head's chain. */
  private given: BlockId | undefined
  private givenOut: Array<BlockId> = []
  /** When the applier could not take a side block. */
  private readonly failedMillis = new Map<BlockId, number>()

  constructor(world: ChainWorld, known: ReadonlyMap<number, Link>, fail: (message: string) => never) {
    this.world = world
    this.known = known
    this.fail = fail
  }

  crashed(): void {
    this.said.clear()
    this.given = undefined
    this.givenOut = []
    this.failedMillis.clear()
    this.rearranged = true
  }

  /** What the applier said of blocks beside our chain. */
  sideApplied({ applied, blocks, outcome }: SideApplied): void {
    const next = blocks[applied]
    if (outcome === "transient" && next !== undefined) this.failedMillis.set(next, this.world.now)
  }

  moved(): void {
    this.given = undefined
    this.rearranged = true
  }

  applied(outcome: "ok" | "invalid" | "transient"): void {
    if (outcome !== "ok") this.given = undefined
    this.givenOut.shift()
  }

  answered(peer: number, answer: Answer): void {
    const said = this.said.get(peer) ?? { claims: new Set(), replies: new Set() }
    this.said.set(peer, said)
    if (answer.kind === "branch") said.claims = new Set([answer.head.id, ...answer.entries.map(({ id }) => id)])
    else if (answer.kind === "head") said.claims.add(answer.header.id)
    else if (answer.kind === "header") said.replies.add(answer.header.id)
  }

  chosen({ evidence, firstLevel, ids, peers }: Chosen): void {
    const parentOf = (id: string): string | undefined => this.world.find(id)?.header.parent
    const wrong = checkEvidence(evidence, parentOf)
    if (wrong.length > 0) this.fail(`evidence of a segment: ${wrong.join("; ")}`)
    if (evidence.minSupporters !== this.world.spec.options.minQuorumPeers) this.fail("evidence with another minimum")
    if (evidence.topId !== ids.at(-1) || evidence.baseLevel !== firstLevel - 1) this.fail("evidence of other blocks")
    if (evidence.topLevel !== firstLevel + ids.length - 1) this.fail("evidence of other levels")
    const names = new Set<string>()
    for (const elector of evidence.electors) {
      const name = peers[elector]
      if (name === undefined || names.has(name)) this.fail(`elector ${elector} is ${name}, who counts already`)
      names.add(name)
      if (this.linkOf(name) === undefined) this.fail(`elector ${name} is not connected`)
    }
    for (const run of evidence.runs) {
      for (const supporter of run.supporters) {
        const name = peers[supporter] ?? ""
        if (!this.supports(name, run.witnessId, run.witnessLevel)) {
          this.fail(`${name} counts for level ${run.witnessLevel}, but never supported it`)
        }
      }
    }
    let parent = evidence.baseId
    for (const id of ids) {
      if (parentOf(id) !== parent) this.fail(`chosen block ${id} does not build on ${parent}`)
      if (!this.world.honestIds.has(id)) {
        this.fail(`false block ${id} of level ${this.world.find(id)?.header.level} chosen`)
      }
      this.passed.add(id)
      parent = id
    }
    if (firstLevel <= this.highest) this.rearranged = true
    this.highest = evidence.topLevel
  }

  private linkOf(name: string): Link | undefined {
    for (const link of this.known.values()) if (`id-${link.peer.spec.name}` === name) return link
    return undefined
  }

  private supports(name: string, witness: BlockId, level: number): boolean {
    const link = this.linkOf(name)
    const said = link === undefined ? undefined : this.said.get(link.number)
    if (said === undefined) return false
    for (const ids of [said.claims, said.replies]) {
      for (const id of ids) if (this.descends(id, witness, level)) return true
    }
    return false
  }

  private descends(id: BlockId, witness: BlockId, level: number): boolean {
    let block = this.world.find(id)
    while (block !== undefined && block.header.level > level) block = this.world.find(block.header.parent)
    return block?.header.id === witness
  }

  apply({ blocks, branch }: Apply): void {
    const { store } = this.world
    if (blocks.length === 0) this.fail("nothing to apply")
    if (branch === "side") {
      for (const block of blocks) {
        this.durable(block.id, block.units)
        const waited = this.world.now - (this.failedMillis.get(block.id) ?? -Infinity)
        if (waited < this.world.spec.options.timers.applyRetry - 0.01) {
          this.fail(`side block ${block.id} given again ${waited} ms after the applier could not take it`)
        }
      }
      return
    }
    let parent = this.given ?? store.head.id
    for (const block of blocks) {
      if (block.parent !== parent) this.fail(`block of level ${block.level} given on top of ${parent}`)
      if (!this.passed.has(block.id) || !store.segments.has(block.id)) {
        this.fail(`block of level ${block.level} given before its segment is chosen and durable`)
      }
      if (!this.world.honestIds.has(block.id)) this.fail(`false block of level ${block.level} applied`)
      this.durable(block.id, block.units)
      parent = block.id
    }
    this.given = parent
    this.givenOut.push(parent)
    if (this.givenOut.length > 2) this.fail("more than two batches with the applier")
  }

  private durable(id: BlockId, units: number): void {
    const { store } = this.world
    if ((store.units.get(id) ?? 0) !== 2 ** units - 1) this.fail(`block ${id} given before its body is durable`)
  }

  /** The applied chain is about to end lower. */
  leave(to: BlockRef): void {
    const { spec, store } = this.world
    if (store.appliedLevel(to.id) !== to.level) this.fail(`back to ${to.id}, which is not applied at level ${to.level}`)
    if (store.head.level - to.level > spec.options.maxReorgDepth) {
      this.fail(`a reorganisation of ${store.head.level - to.level} blocks`)
    }
    if (this.givenOut.length > 0) this.fail("the head moves while the applier works")
  }
}
