/**
 * The columns of a header DAG and the steps on them that keep all of them in accord: nodes come and go, links are made, support
 * spreads from children to parents and is taken back. What each step keeps true: a bit set at a node is set at its known ancestors; a
 * level knows its supported headers and who is strong on several; a node is flagged connected iff known headers link it to the base.
 */
import { grownCapacity } from "./Bits.ts"
import { Conflicts } from "./Conflicts.ts"
import { Electorate } from "./Electorate.ts"
import { IdTable } from "./IdTable.ts"
import { LevelTable } from "./LevelTable.ts"
import { connectedFlag, Links, namedLevel, provenFlag, queuedFlag, supportedFlag } from "./Links.ts"
import { QuorumSearch } from "./QuorumSearch.ts"
import { Support } from "./Support.ts"

export interface GraphOptions {
  readonly idBytes: number
  readonly maxPeers: number
  readonly maxNodes: number
  readonly minSupporters: number
  readonly hashSeed: number
}

const firstCapacity = 64

export class HeaderGraph {
  readonly maxNodes: number
  readonly maxPeers: number
  readonly words: number
  readonly ids: IdTable
  readonly links: Links
  readonly levels: LevelTable
  readonly support: Support
  readonly conflicts: Conflicts
  readonly electorate: Electorate
  readonly search: QuorumSearch
  /** Headers above the base. */
  headers = 0
  base = -1
  /** Per peer: headers it delivered first that are not proven, and ids it claims whose header is unknown. */
  readonly unproven: Int32Array
  readonly named: Int32Array
  private readonly carried: Int32Array

  constructor(options: GraphOptions) {
    const capacity = Math.min(firstCapacity, options.maxNodes)
    this.maxNodes = options.maxNodes
    this.maxPeers = options.maxPeers
    this.words = Math.ceil(options.maxPeers / 32)
    this.ids = new IdTable(options.idBytes, options.hashSeed, capacity)
    this.links = new Links(capacity)
    this.levels = new LevelTable(this.words, ~options.hashSeed)
    this.support = new Support(this.words, capacity)
    this.conflicts = new Conflicts(this.levels, options.maxPeers, this.words)
    this.electorate = new Electorate(options.maxPeers, this.words)
    this.search = new QuorumSearch(
      this.links,
      this.levels,
      this.support,
      this.conflicts,
      this.electorate,
      options.minSupporters
    )
    this.unproven = new Int32Array(options.maxPeers)
    this.named = new Int32Array(options.maxPeers)
    this.carried = new Int32Array(2 * this.words)
  }

  reset(baseId: Uint8Array, baseLevel: number): void {
    this.ids.clear()
    this.links.clear()
    this.levels.clear()
    this.conflicts.clear()
    this.unproven.fill(0)
    this.named.fill(0)
    this.headers = 0
    this.search.forgetHighest()
    this.becomeBase(this.allocate(baseId, 0, this.ids.hash(baseId, 0)))
    this.links.setLevel(this.base, baseLevel)
  }

  becomeBase(node: number): void {
    this.base = node
    this.search.base = node
    this.links.set(node, connectedFlag)
  }

  /** A node for an id that has none; the caller has made sure that there is room. */
  allocate(id: Uint8Array, at: number, hash: number): number {
    const { links } = this
    const node = links.nextIndex
    if (node >= links.capacity) {
      const capacity = grownCapacity(links.capacity, node + 1, this.maxNodes)
      links.grow(capacity)
      this.ids.grow(capacity)
      this.support.grow(capacity)
    }
    links.allocate()
    this.support.erase(node)
    this.ids.add(node, id, at, hash)
    return node
  }

  /** Forgets a node that nothing links to any more. */
  release(node: number): void {
    this.ids.remove(node)
    this.links.release(node)
  }

  isHeader(node: number): boolean {
    return this.links.levelOf(node) >= 0
  }

  /** Turns a node that was only named into a header: it enters its level with whatever support its id already has. */
  enterLevel(node: number, level: number): void {
    const { levels, links } = this
    const slot = levels.findOrAdd(level)
    links.setLevel(node, level)
    links.setSlot(node, slot)
    const first = levels.headOf(slot)
    if (first >= 0 && levels.share(slot)) this.noteStrongOf(first, slot, level)
    links.listAtLevel(node, first)
    levels.setHead(slot, node)
    this.headers++
    this.noteSupport(node, slot, level)
  }

  /** Takes a header out of its level. `refreshLevel` must follow before support is asked for. */
  leaveLevel(node: number): void {
    const { levels, links } = this
    const slot = links.slotOf(node)
    const first = links.unlistAtLevel(node, levels.headOf(slot))
    this.headers--
    links.setSlot(node, -1)
    if (first >= 0) return levels.setHead(slot, first)
    if (levels.supportedAt(slot) > 1) {
      this.conflicts.lessAt(levels.levelOf(slot), -1)
      this.search.recountAll()
    }
    levels.remove(slot)
  }

  /** Counts the support at a level anew, after some of it went. */
  refreshLevel(level: number): void {
    const { conflicts, levels, links, search } = this
    search.doubt(level)
    const slot = levels.find(level)
    if (slot < 0) return
    const hadConflict = levels.supportedAt(slot) > 1
    levels.resetSupport(slot)
    for (let node = levels.headOf(slot); node >= 0; node = links.nextAtLevelOf(node)) {
      links.unset(node, supportedFlag)
      this.noteSupport(node, slot, level)
    }
    if (!hadConflict) return
    conflicts.lessAt(level, slot)
    search.recountAll()
  }

  /** Sets one bit of a peer at a node and its ancestors, as far as it is new. */
  spreadBit(node: number, column: number, peer: number): void {
    const { links, support } = this
    const word = peer >>> 5
    const mask = 1 << (peer & 31)
    const strong = column === support.strongAt
    const { bits, stride } = support
    for (let at = node; at >= 0; at = links.parentOf(at)) {
      const place = at * stride + column + word
      const before = bits[place]!
      if ((before & mask) !== 0) return
      bits[place] = before | mask
      this.gained(at, word, strong ? mask : 0)
    }
  }

  /** Carries all support of a node down to its ancestors, as far as it is new. */
  spreadFrom(node: number): void {
    const { carried, links, support, words } = this
    const { bits, strongAt, stride, weakAt } = support
    let any = 0
    for (let word = 0, from = node * stride; word < words; word++) {
      any |= carried[word] = bits[from + strongAt + word]!
      any |= carried[words + word] = bits[from + weakAt + word]!
    }
    for (let at = links.parentOf(node); at >= 0 && any !== 0; at = links.parentOf(at)) {
      any = 0
      for (let word = 0, to = at * stride; word < words; word++) {
        const strong = (carried[word] = carried[word]! & ~bits[to + strongAt + word]!)
        const weak = (carried[words + word] = carried[words + word]! & ~bits[to + weakAt + word]!)
        if ((strong | weak) === 0) continue
        any |= strong | weak
        bits[to + strongAt + word]! |= strong
        bits[to + weakAt + word]! |= weak
        this.gained(at, word, strong)
      }
    }
  }

  /** Computes the support of a node from its own and its children's; returns whether it changed. */
  recount(node: number): boolean {
    const { links, support, words } = this
    const { bits, strongAt, stride, weakAt } = support
    const at = node * stride
    let changed = false
    for (let word = 0; word < words; word++) {
      let strong = bits[at + word]!
      let weak = bits[at + support.ownWeakAt + word]!
      for (let child = links.firstChildOf(node); child >= 0; child = links.nextOf(child)) {
        strong |= bits[child * stride + strongAt + word]!
        weak |= bits[child * stride + weakAt + word]!
      }
      if (bits[at + strongAt + word] === strong && bits[at + weakAt + word] === weak) continue
      bits[at + strongAt + word] = strong
      bits[at + weakAt + word] = weak
      changed = true
    }
    if (changed && links.slotOf(node) >= 0) this.refreshLevel(links.levelOf(node))
    return changed
  }

  /** After a child of `node` went: recounts the ancestors as far as they change. */
  recountUp(node: number): void {
    for (let at = node; at >= 0 && this.recount(at);) at = this.links.parentOf(at)
  }

  /** Flags a header, whose parent is connected, and all that builds on it. */
  connect(root: number): void {
    const { links, search } = this
    for (let node = root; node >= 0; node = links.following(root, node)) {
      links.set(node, connectedFlag)
      search.reached(links.levelOf(node))
      if (!search.full && links.has(node, supportedFlag) && links.levelOf(node) > search.highestLevel) {
        if (!links.has(node, queuedFlag)) search.push(node)
      }
    }
  }

  /** A header is on a chain with quorum: it no longer counts against the peer that delivered it. */
  prove(node: number): void {
    const { links } = this
    if (links.has(node, provenFlag)) return
    links.set(node, provenFlag)
    const owner = links.ownerOf(node)
    if (owner >= 0) this.unproven[owner]!--
  }

  /** Frees a node that is only named, when neither a claim nor a header names it any more. */
  releaseUnnamed(node: number): boolean {
    const { links, support } = this
    if (links.levelOf(node) !== namedLevel || links.firstChildOf(node) >= 0 || support.claimed(node)) return false
    this.release(node)
    return true
  }

  /** A node gained bits of one word (strong ones given): its level and the search must know. */
  private gained(node: number, word: number, strong: number): void {
    const { levels, links, search } = this
    const slot = links.slotOf(node)
    if (slot < 0) return
    const level = links.levelOf(node)
    if (!links.has(node, supportedFlag)) this.noteSupported(node, slot, level)
    if (strong !== 0) this.noteStrong(levels.addStrong(slot, word, strong), word, level)
    if (level > search.highestLevel && !search.full && links.has(node, connectedFlag) && !links.has(node, queuedFlag)) {
      search.push(node)
    }
  }

  private noteSupport(node: number, slot: number, level: number): void {
    if (!this.support.any(node)) return
    this.noteSupported(node, slot, level)
    this.noteStrongOf(node, slot, level)
  }

  private noteStrongOf(node: number, slot: number, level: number): void {
    const { levels, support, words } = this
    const from = node * support.stride + support.strongAt
    for (let word = 0; word < words; word++) {
      const strong = support.bits[from + word]!
      if (strong !== 0) this.noteStrong(levels.addStrong(slot, word, strong), word, level)
    }
  }

  private noteSupported(node: number, slot: number, level: number): void {
    this.links.set(node, supportedFlag)
    if (this.levels.addSupported(slot, 1) !== 2) return
    this.conflicts.add(level)
    this.search.doubt(level)
  }

  private noteStrong(equivocal: number, word: number, level: number): void {
    if (equivocal === 0) return
    this.conflicts.addEquivocal(level, word, equivocal)
    this.search.doubt(level)
  }
}
