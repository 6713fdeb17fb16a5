/**
 * Counts the calls over each edge of a graph: who used whom, and how it ended. *Refused* is a failure that came from further down:
 * the provider passed on what one of its own providers failed with.
 */

export type CallEnd = "success" | "failure" | "refused" | "interrupted"

/** Calls over one edge, by how they ended. */
export interface EdgeCounts {
  /** Name of the node that calls, or `program`. */
  readonly from: string
  readonly to: string
  readonly kind: string
  success: number
  failure: number
  refused: number
  interrupted: number
}

/** How far down the `cause` of an error is looked at. */
const maxCauses = 8

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null

export class EdgeMeter {
  private readonly counts = new Map<string, EdgeCounts>()
  /** Which parts failed with an error of their own. The same error may be that of several, and again and again. */
  private readonly failedWith = new WeakMap<object, ReadonlyArray<string>>()
  private readonly below: (part: string) => ReadonlySet<string>

  /** `below`: the parts that a part uses, directly or through others. */
  constructor(below: (part: string) => ReadonlySet<string>) {
    this.below = below
  }

  edge(from: string, to: string, kind: string): EdgeCounts {
    const key = `${from}\u0000${to}\u0000${kind}`
    let counts = this.counts.get(key)
    if (counts === undefined) {
      counts = { from, to, kind, success: 0, failure: 0, refused: 0, interrupted: 0 }
      this.counts.set(key, counts)
    }
    return counts
  }

  get all(): ReadonlyArray<EdgeCounts> {
    return [...this.counts.values()]
  }

  failed(edge: EdgeCounts, error: unknown): void {
    if (this.isPassedOn(edge.to, error)) {
      edge.refused++
      return
    }
    edge.failure++
    if (!isObject(error)) return
    const before = this.failedWith.get(error)
    if (before?.includes(edge.to) !== true) this.failedWith.set(error, [...before ?? [], edge.to])
  }

  /** Whether a part that this one uses has failed with the error, or with what caused it. */
  private isPassedOn(part: string, error: unknown): boolean {
    let cause: unknown = error
    for (let depth = 0; isObject(cause) && depth < maxCauses; depth++) {
      if (this.failedWith.get(cause)?.some((failed) => this.below(part).has(failed)) === true) return true
      cause = "cause" in cause ? cause.cause : undefined
    }
    return false
  }
}
