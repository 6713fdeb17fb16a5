/**
 * Random histories of a header DAG from a seed: a small world of forking headers delivered in any order, honest and contradictory claims,
 * replies, peers that come and go, and now and then a prune, a new base or a reset. Small on purpose, so that everything meets everything.
 */
import type { HeaderDag, HeaderDagOptions } from "../contract/HeaderDag.ts"
import { tabulationOf } from "../engine/Tabulation.ts"

/** Whole numbers below a bound, from a seed (splitmix32). */
export type Dice = (below: number) => number

/** Dice of a seed: whole numbers from 0 up to, not including, what is asked. */
export const diceOf = (seed: number): Dice => {
  let drawn = 0
  let words = tabulationOf(4, seed)
  return (below) => {
    if (drawn === words.length) {
      words = tabulationOf(4, words[words.length - 1]!)
      drawn = 0
    }
    return (words[drawn++]! >>> 0) % below
  }
}

/** One header of a random world. */
export interface WorldHeader {
  readonly id: Uint8Array
  readonly parent: Uint8Array
  readonly level: number
}

/** One step, told in words for a report, applied to any implementation. */
export interface Step {
  readonly name: string
  readonly apply: (dag: HeaderDag) => unknown
}

/** The id number `n` of a world: all ids share a beginning, so that only whole comparisons tell them apart. */
export const idNumber = (n: number): Uint8Array => Uint8Array.of(0xab, 0, n >>> 8, n & 255)

/** A random tree over the base at level 10; some headers lie about their level, some hang on parents that never come. */
export const worldOf = (dice: Dice, size: number): ReadonlyArray<WorldHeader> => {
  const world: Array<WorldHeader> = []
  // In most worlds everything links; the others have levels that lie and parents that never come.
  const flawed = dice(3) === 0
  for (let n = 1; n <= size; n++) {
    const last = Math.min(n - 1, 3)
    const parent = flawed && dice(12) === 0 ? 1000 + dice(4) : n - 1 - (dice(4) === 0 ? dice(last + 1) : 0)
    const parentLevel = parent === 0 ? 10 : world[parent - 1]?.level ?? 8 + dice(6)
    world.push({
      id: idNumber(n),
      parent: idNumber(parent),
      level: parentLevel + (flawed && dice(20) === 0 ? dice(4) : 1)
    })
  }
  return world
}

/** Options of the history with a seed: peers across a word's end, tight bounds now and then. */
export const historyOptions = (seed: number): HeaderDagOptions => {
  const dice = diceOf(~seed)
  return {
    idBytes: 4,
    maxPeers: 35,
    maxNodes: dice(4) === 0 ? 12 : 400,
    maxUnprovenPerPeer: dice(4) === 0 ? 3 : 100,
    maxNamedPerPeer: dice(4) === 0 ? 2 : 50,
    minSupporters: 1 + dice(3),
    hashSeed: seed,
    base: { id: idNumber(0), level: 10 }
  }
}

const outcomeOf = (dag: HeaderDag, found: ReturnType<HeaderDag["insert"]>): unknown => {
  if ("node" in found) return [found.outcome, dag.idOf(found.node).join()]
  // Which of several children is told does not matter: that one is.
  if (found.outcome === "contradiction") {
    return [
      found.outcome,
      found.relation,
      found.relation === "child" || found.relative < 0 ? "" : dag.idOf(found.relative).join()
    ]
  }
  return found.outcome
}

const told = (removed: ReturnType<HeaderDag["prune"]>): unknown =>
  removed.map(({ id, level, strong, weak }) => [id.join(), level, strong.join(), weak.join()].join(" | ")).toSorted()

/** The steps of the history with a seed. Peers 0…6 and, to cross a word, 30…34. */
export const historyOf = (seed: number): ReadonlyArray<Step> => {
  const dice = diceOf(seed)
  const world = worldOf(dice, 6 + dice(30))
  const steps: Array<Step> = []
  const peers = Array.from({ length: 4 + dice(3) }, (_, n) => (n % 2 === 0 ? n : 30 + n % 5))
  const peerOf = (): number => peers[dice(peers.length)]!
  const anyId = (): Uint8Array => dice(15) === 0 ? idNumber(1000 + dice(30)) : world[dice(world.length)]!.id
  const add = (name: string, apply: Step["apply"]): void => void steps.push({ name, apply })
  const addNodeStep = (name: string, apply: (dag: HeaderDag, node: number) => unknown): void => {
    const id = anyId()
    add(`${name} ${id.join()}`, (dag) => {
      const node = dag.find(id)
      return node < 0 ? "absent" : apply(dag, node)
    })
  }
  const settle = (peer: number): void => {
    const level = dice(10) === 0 ? Infinity : dice(10) === 0 ? undefined : 8 + dice(30)
    add(`setElector ${peer} ${level}`, (dag) => dag.setElector(peer, level))
  }
  const insert = ({ id, level, parent }: WorldHeader, from: number): void =>
    add(
      `insert ${id.join()} on ${parent.join()} at ${level} from ${from}`,
      (dag) => outcomeOf(dag, dag.insert(id, parent, level, from))
    )
  const claim = (peer: number, id: Uint8Array): void =>
    add(`claim ${peer} ${id.join()}`, (dag) => dag.claim(peer, id) >= 0)
  for (const peer of peers) if (dice(5) > 0) settle(peer)
  // Most histories begin with a world that is largely known and peers that mostly agree: nothing has quorum otherwise.
  if (dice(4) > 0) {
    const favourite = world.length - 1 - dice(Math.ceil(world.length / 2))
    for (const peer of peers) if (dice(6) > 0) claim(peer, world[Math.max(0, favourite - dice(3))]!.id)
    const order = world.map((header) => ({ header, at: dice(1 << 20) })).toSorted((one, other) => one.at - other.at)
    for (const { header } of order) if (dice(12) > 0) insert(header, dice(6) === 0 ? -1 : peerOf())
  }
  const count = 20 + dice(100)
  for (let n = 0; n < count; n++) {
    const kind = dice(100)
    const peer = peerOf()
    if (kind < 40) insert(world[dice(world.length)]!, dice(6) === 0 ? -1 : peer)
    else if (kind < 58) claim(peer, anyId())
    else if (kind < 78) {
      const id = anyId()
      add(`reply ${peer} ${id.join()}`, (dag) => dag.reply(peer, id))
    } else if (kind < 84) settle(peer)
    else if (kind < 87) add(`clearClaims ${peer}`, (dag) => dag.clearClaims(peer))
    else if (kind < 89) add(`removePeer ${peer}`, (dag) => dag.removePeer(peer))
    else if (kind < 92) {
      addNodeStep(
        "removeSubtree",
        (dag, node) => dag.levelOf(node) === dag.baseLevel ? "base" : told(dag.removeSubtree(node))
      )
    } else if (kind < 95) {
      addNodeStep("prune", (dag, node) => dag.connected(node) ? told(dag.prune(node)) : "unlinked")
    } else if (kind < 96) {
      addNodeStep("advanceBase", (dag, node) => dag.connected(node) ? told(dag.advanceBase(node)) : "unlinked")
    } else if (kind < 99) {
      const advance = dice(2) === 0
      add(advance ? "advance to quorum" : "prune to quorum", (dag) => {
        const top = dag.highestQuorum(4)
        return top < 0 ? "none" : told(advance ? dag.advanceBase(top) : dag.prune(top))
      })
    } else if (dice(4) === 0) {
      const { id, level } = world[dice(world.length)]!
      add(`reset ${id.join()} at ${level}`, (dag) => dag.reset(id, level))
    }
  }
  return steps
}
