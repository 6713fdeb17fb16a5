/** A header DAG told in short: ids are names, peers numbers, and answers come back as names. For the checks of the kit. */
import type { HeaderDag, HeaderDagOptions, Insertion, Removed } from "../contract/HeaderDag.ts"

/** Makes the DAG under test. */
export type MakeHeaderDag = (options: HeaderDagOptions) => HeaderDag

const idBytes = 8

/** The id with a name, padded with zeros. */
export const idOf = (name: string): Uint8Array => {
  const id = new Uint8Array(idBytes)
  for (let n = 0; n < name.length; n++) id[n] = name.charCodeAt(n)
  return id
}

export const nameOf = (id: Uint8Array): string => String.fromCharCode(...id.filter((byte) => byte !== 0))

/** Fails a check: what was expected and what was seen, as JSON. */
export const same = (what: string, seen: unknown, expected: unknown): void => {
  const [left, right] = [JSON.stringify(seen) ?? "undefined", JSON.stringify(expected) ?? "undefined"]
  if (left !== right) throw new Error(`${what}: expected ${right}, saw ${left}`)
}

export class Sketch {
  readonly dag: HeaderDag

  /** A DAG over the block `base` at level 100, with the peers 0…`electors` − 1 settled far above everything. */
  constructor(make: MakeHeaderDag, electors: number, options: Partial<HeaderDagOptions> = {}) {
    const base = { id: idOf("base"), level: 100 }
    this.dag = make({ idBytes, maxPeers: 40, maxNodes: 1000, maxUnprovenPerPeer: 100, base, ...options })
    for (let peer = 0; peer < electors; peer++) this.dag.setElector(peer, 1_000_000)
  }

  /** Headers `first` … `last` of a branch, e.g. a101 … a108 on `base`, lowest first. */
  branch(letter: string, first: number, last: number, parent = "base", peer = -1): void {
    for (let level = first; level <= last; level++) {
      const under = level === first ? parent : `${letter}${level - 1}`
      same(`insert ${letter}${level}`, this.insert(`${letter}${level}`, under, level, peer).outcome, "added")
    }
  }

  insert(name: string, parent: string, level: number, peer = -1): Insertion {
    return this.dag.insert(idOf(name), idOf(parent), level, peer)
  }

  claim(name: string, ...peers: ReadonlyArray<number>): void {
    for (const peer of peers) this.dag.claim(peer, idOf(name))
  }

  reply(name: string, ...peers: ReadonlyArray<number>): void {
    for (const peer of peers) this.dag.reply(peer, idOf(name))
  }

  node(name: string): number {
    const node = this.dag.find(idOf(name))
    if (node < 0) throw new Error(`${name} should be a node`)
    return node
  }

  has(name: string): boolean {
    return this.dag.find(idOf(name)) >= 0
  }

  strong(name: string): string {
    return this.dag.strongSupporters(this.node(name)).join()
  }

  weak(name: string): string {
    return this.dag.weakSupporters(this.node(name)).join()
  }

  rule(name: string): string {
    return this.dag.quorum(this.node(name)).rule ?? "none"
  }

  highest(maxLevels = 1000): string {
    const node = this.dag.highestQuorum(maxLevels)
    return node < 0 ? "none" : nameOf(this.dag.idOf(node))
  }

  prune(name: string): string {
    return removedNames(this.dag.prune(this.node(name)))
  }
}

export const removedNames = (removed: ReadonlyArray<Removed>): string =>
  removed.map(({ id }) => nameOf(id)).toSorted().join()
