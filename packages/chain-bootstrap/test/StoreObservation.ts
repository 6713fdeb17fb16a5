/** What can be seen of a store over a chain, for comparisons; and changed copies of a store's files. */
import type { BlockId, ChainStoreService, ChosenSegment } from "@peerstrap/chain-bootstrap"
import type { SyntheticBlock, SyntheticChain } from "@peerstrap/chain-bootstrap/testing"
import { MemoryFileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import { observe as observeStore } from "../src/testing/ChainStoreSamples.ts"

/** Evidence of three supporters for blocks on top of `parent`. */
export const segmentOn = (parent: BlockId, firstLevel: number, ids: ReadonlyArray<BlockId>): ChosenSegment => {
  const top = { topId: ids.at(-1) ?? parent, topLevel: firstLevel + ids.length - 1 }
  const run = { rule: "tip" as const, witnessId: top.topId, witnessLevel: top.topLevel, supporters: [0, 1, 2] }
  return {
    ids,
    firstLevel,
    peers: ["a", "b", "c"],
    evidence: {
      ...top,
      baseId: parent,
      baseLevel: firstLevel - 1,
      minSupporters: 3,
      electors: [0, 1, 2],
      runs: [{ ...run, electorate: [0, 1, 2], fromLevel: firstLevel, toLevel: top.topLevel }]
    }
  }
}

export const unitsOf = ({ header, units }: SyntheticBlock) =>
  units.map((body, unit) => ({ block: header.id, unit, body }))

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

/** Everything that a store says about some blocks, with its bytes as text: they can be compared one by one. */
export const observe = (store: ChainStoreService, blocks: ReadonlyArray<SyntheticBlock>) =>
  Effect.map(observeStore(store, blocks), (seen) => ({
    ...seen,
    headers: seen.headers.map((header) => header && hex(header)),
    units: seen.units.map((units) => units.map((unit) => unit && hex(unit)))
  }))

export type Observation = Effect.Success<ReturnType<typeof observe>>

/** What of an observation is not what the whole store would say, field by field; nothing may be there that is not in the whole one. */
export const lacking = (
  seen: Observation,
  whole: Observation
): { readonly lost: number; readonly wrong: Array<string> } => {
  const wrong: Array<string> = []
  let lost = 0
  const each = (what: string, a: ReadonlyArray<unknown>, b: ReadonlyArray<unknown>): void => {
    for (let i = 0; i < Math.max(a.length, b.length); i++) {
      if (a[i] === b[i]) continue
      if (a[i] === undefined || a[i] === false) lost++
      else wrong.push(`${what} ${i}: ${String(a[i])}`)
    }
  }
  each("header", seen.headers, whole.headers)
  each("has", seen.has, whole.has)
  for (const [i, units] of seen.units.entries()) each(`units of ${i}`, units, whole.units[i] ?? [])
  for (const [i, mask] of seen.masks.entries()) {
    if ((mask & ~whole.masks[i]!) !== 0) wrong.push(`mask ${i}: ${mask}`)
    if (mask !== whole.masks[i]) lost++
  }
  if (seen.head.level !== whole.head.level) lost++
  return { lost, wrong }
}

/** Copies of the files of a store: by path. */
export type Files = ReadonlyMap<string, Uint8Array>

export const readFiles = Effect.fnUntraced(function*(memory: MemoryFileSystem.MemoryFileSystem, directory = "/store") {
  const files = new Map<string, Uint8Array>()
  for (const name of yield* memory.fileSystem.list(directory)) {
    const path = `${directory}/${name}`
    if ((yield* memory.fileSystem.stat(path)).kind === "file") {
      files.set(path, yield* memory.fileSystem.readFile(path, 2 ** 30))
    }
  }
  return files
})

/** A file system with these files, durable. */
export const withFiles = Effect.fnUntraced(function*(files: Files) {
  const memory = MemoryFileSystem.make()
  for (const [path, bytes] of files) yield* memory.fileSystem.writeFileAtomic(path, bytes)
  return memory
})

export const flipped = (bytes: Uint8Array, at: number): Uint8Array => {
  const copy = bytes.slice()
  copy[at] = copy[at]! ^ (1 << (at % 8))
  return copy
}

export const chainBlocks = (chain: SyntheticChain): ReadonlyArray<SyntheticBlock> => [
  ...chain.main.slice(1),
  ...chain.forks.flat()
]
