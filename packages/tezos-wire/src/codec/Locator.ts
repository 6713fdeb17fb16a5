/**
 * Locators: a sparse list of older block hashes beside a head, newest first, without the head itself (specs: chain bootstrap 3.2, 3.3, 11.1,
 * 11.12). Reading gives every hash its level; building takes exactly the blocks that the other side computes.
 */
import type { Digests } from "../contract/Crypto.ts"
import { Limits } from "../contract/Limits.ts"
import { toHex } from "./HexText.ts"
import { type LocatorSeed, SeededSteps } from "./SeededSteps.ts"

/** A locator as it came: `sender` is the peer, `receiver` we. */
export interface ReceivedLocator extends LocatorSeed {
  /** Level of the head header. */
  readonly headLevel: number
  readonly history: ReadonlyArray<Uint8Array>
}

/** One block of a locator with the level that its place gives it. */
export interface LocatorEntry {
  readonly hash: Uint8Array
  /**
   * Level that the distances give. Of an entry that is not exact the true level is this or higher (never below 0); undefined where no level can
   * be given: behind an entry below level 0, or beyond the greatest step.
   */
  readonly level: number | undefined
  /** An honest sender's block stands at exactly this level. Never so for the last entry: the lower end of a chain may be nearer. */
  readonly exact: boolean
}

/** Levels of the hashes of a branch, in its order. What they say is a claim until the headers are there. */
export const readLocator = (digests: Digests, locator: ReceivedLocator): ReadonlyArray<LocatorEntry> => {
  const steps = new SeededSteps(digests, locator)
  const last = locator.history.length - 1
  let nominal: number | undefined = locator.headLevel
  return locator.history.map((hash, index) => {
    const step: number | undefined = nominal === undefined ? undefined : steps.next()
    nominal = nominal === undefined || step === undefined ? undefined : nominal - step
    const below = nominal !== undefined && nominal < 0
    // Only the last block may be nearer than its distance says, so only there a level below 0 still tells something.
    const level = below ? (index === last ? 0 : undefined) : nominal
    if (below) nominal = undefined
    return { hash, level, exact: level !== undefined && index !== last }
  })
}

/**
 * Why a locator cannot be an honest one, from its bytes alone; undefined when nothing speaks against it. `predecessor` is the field of the head
 * header, `entries` what `readLocator` gave.
 */
export const locatorFault = (
  predecessor: Uint8Array,
  entries: ReadonlyArray<LocatorEntry>
): string | undefined => {
  if (entries.length === 0) return undefined
  if (Buffer.compare(entries[0]!.hash, predecessor) !== 0) return "the first entry is not the predecessor of the head"
  const seen = new Set<string>()
  for (const { hash } of entries) seen.add(toHex(hash))
  if (seen.size !== entries.length) return `${entries.length - seen.size} of ${entries.length} entries are repeated`
  const adrift = entries.findIndex(({ level }) => level === undefined)
  return adrift < 0 ? undefined : `entry ${adrift} of ${entries.length} would lie below level 0`
}

/** A chain to make a locator of: `sender` is we, `receiver` the peer. */
export interface LocatorChain extends LocatorSeed {
  readonly headLevel: number
  /** Lowest level that `hashAt` knows: 0 for a whole chain, more for a pruned one. */
  readonly lowestLevel: number
  /** Hash of the head's ancestor at a level from `lowestLevel` to `headLevel` − 1; undefined ends the locator there. */
  readonly hashAt: (level: number) => Uint8Array | undefined
  /** Most entries. Default `Limits.locatorEntries`. */
  readonly size?: number
  /** `octez` (default) ends with the lower end of the chain, `tezedge` just above it. */
  readonly style?: "octez" | "tezedge"
}

/** History of a CurrentBranch, newest first: the hashes that `hashAt` gave. */
export const buildLocator = (digests: Digests, chain: LocatorChain): ReadonlyArray<Uint8Array> => {
  const { hashAt, headLevel, lowestLevel, size = Limits.locatorEntries, style = "octez" } = chain
  const steps = new SeededSteps(digests, chain)
  const history: Array<Uint8Array> = []
  for (let level = headLevel; history.length < size && level > lowestLevel;) {
    const step = steps.next()
    if (step === undefined) break
    const below = level - step < lowestLevel
    if (below && style === "tezedge") break
    level = below ? lowestLevel : level - step
    const hash = hashAt(level)
    if (hash === undefined) break
    history.push(hash)
  }
  return history
}
