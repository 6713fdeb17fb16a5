/** Holds the applied chain of a store against what the seed says the winning branch is: the proof that does not rely on the app's own word. */
import { exportBlocks, type ExportedBlock, FileChainStore } from "@peerstrap/chain-bootstrap"
import { checkNetwork, makeTezosRules, type NetworkFile } from "@peerstrap/tezos-bootstrap"
import { type CryptoFunctions, encodeOperationList, toHex } from "@peerstrap/tezos-wire"
import { ancestorAt, hashText, type TestBlock } from "@peerstrap/tezos-wire/testing"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

/** Differences spelled out; the rest is counted. */
const shownDifferences = 10

export interface ChainComparison {
  /** Blocks that must be applied. */
  readonly expected: number
  /** Of them applied with the same header and the same operations. */
  readonly equal: number
  readonly operations: number
  readonly different: number
  readonly missing: number
  /** Applied above the expected head. */
  readonly unexpected: number
  /** The first differences in words. */
  readonly first: ReadonlyArray<string>
}

export const isSameChain = ({ equal, expected, unexpected }: ChainComparison): boolean =>
  equal === expected && unexpected === 0

/** Why an applied block is not the expected one; undefined when it is. */
export const blockDifference = (expected: TestBlock, applied: ExportedBlock): string | undefined => {
  if (applied.id !== toHex(expected.hash)) return `another block than ${hashText(expected)}`
  if (Buffer.compare(applied.header, expected.header.raw) !== 0) return "another header"
  if (applied.units.length !== expected.operations.length) {
    return `${applied.units.length} lists of operations, not ${expected.operations.length}`
  }
  const pass = expected.operations.findIndex((list, i) =>
    Buffer.compare(applied.units[i] ?? new Uint8Array(0), encodeOperationList(list)) !== 0
  )
  return pass < 0 ? undefined : `other operations of pass ${pass}`
}

export class ChainTally {
  private readonly head: TestBlock
  private readonly seen = { equal: 0, operations: 0, different: 0, unexpected: 0 }
  private readonly first: Array<string> = []

  /** `head`: the last block that must be applied. */
  constructor(head: TestBlock) {
    this.head = head
  }

  take(applied: ExportedBlock): void {
    const expected = ancestorAt(this.head, applied.level)
    if (expected === undefined) return this.note("unexpected", applied.level, "nothing must be applied there")
    const what = blockDifference(expected, applied)
    if (what !== undefined) return this.note("different", applied.level, what)
    this.seen.equal++
    this.seen.operations += expected.operations.reduce((sum, list) => sum + list.length, 0)
  }

  result(): ChainComparison {
    const { seen } = this
    const expected = this.head.level
    const missing = expected - seen.equal - seen.different
    return { expected, ...seen, missing, first: this.first }
  }

  private note(kind: "different" | "unexpected", level: number, what: string): void {
    this.seen[kind]++
    if (this.first.length < shownDifferences) this.first.push(`level ${level}: ${what}`)
  }
}

interface Compared {
  readonly crypto: CryptoFunctions
  readonly file: NetworkFile
  readonly head: TestBlock
  readonly store: string
}

const unreadable = (tally: ChainTally, problem: string): ChainComparison => {
  const result = tally.result()
  return { ...result, first: [...result.first, problem].slice(0, shownDifferences) }
}

/** Reads the whole applied chain of a store and compares every block with the branch that ends with `head`. */
export const compareChain = Effect.fnUntraced(function*({ crypto, file, head, store: directory }: Compared) {
  const tally = new ChainTally(head)
  const network = checkNetwork(crypto, file, "the network of this run")
  if ("problems" in network) return unreadable(tally, network.message)
  const read = Effect.gen(function*() {
    const rules = makeTezosRules(crypto, network)
    const store = yield* FileChainStore.open({ directory, rules, identity: undefined })
    yield* exportBlocks(store, store.identity.base.level + 1, store.head.level).pipe(
      Stream.runForEach((block) => Effect.sync(() => tally.take(block)))
    )
    return tally.result()
  })
  return yield* Effect.scoped(read).pipe(Effect.catch(({ message }) => Effect.succeed(unreadable(tally, message))))
})
