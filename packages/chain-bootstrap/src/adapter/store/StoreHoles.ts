/**
 * What damage has taken from the applied chain of a store: blocks whose header or units are not held any more. Damaged bytes stay in the log for ever, so
 * a document of the store remembers those whose content is held again.
 */
import * as Effect from "effect/Effect"
import type { BlockId, HeaderFacts } from "../../contract/Block.ts"
import type { ChainStoreService, StoreDamage } from "../../contract/ChainStore.ts"
import { storeLimits } from "../../contract/StoreLimits.ts"
import { readBatch } from "./StoredBlocks.ts"

/** A block of the applied chain that is not whole. */
export interface StoreHole {
  readonly level: number
  readonly id: BlockId
  /** Undefined: it is not held. */
  readonly header: HeaderFacts | undefined
  /** Units that are not held; empty while the header is unknown, which says how many there are. */
  readonly units: ReadonlyArray<number>
}

/** Holes from a level on, and where to look on. */
export interface StoreHoles {
  readonly holes: ReadonlyArray<StoreHole>
  /** Undefined: the head was reached. */
  readonly nextLevel: number | undefined
}

/** Units that a block lacks. */
export const unitsLost = (held: number, header: HeaderFacts): ReadonlyArray<number> =>
  Array.from({ length: header.units }, (_, unit) => unit).filter((unit) => (held & 2 ** unit) === 0)

/**
 * Reads the applied chain from a level up, bodies included, until `storeLimits.holesAtATime` blocks that are not whole, or the head. What cannot be read
 * back is not held from then on. The base counts with its header alone; that of a genesis is a constant and lies in no store.
 */
export const findHoles = Effect.fnUntraced(function*(
  store: ChainStoreService,
  fromLevel: number,
  onProgress: (level: number) => void = () => undefined
) {
  const { base } = store.identity
  const toLevel = store.head.level
  const holes: Array<StoreHole> = []
  let level = Math.max(fromLevel, base.level, 1)
  while (level <= toLevel) {
    for (const { header, id, level: at, units: read } of yield* readBatch(store, level, toLevel, level > base.level)) {
      level = at + 1
      if (id === undefined) continue
      const held = read.reduce((mask, unit, n) => unit === undefined ? mask : mask | 2 ** n, 0)
      const units = header === undefined || at === base.level ? [] : unitsLost(held, header)
      if (header === undefined || units.length > 0) holes.push({ level: at, id, header, units })
      if (at === base.level) break
    }
    onProgress(level - 1)
    if (holes.length >= storeLimits.holesAtATime) break
    yield* Effect.yieldNow
  }
  return { holes, nextLevel: level > toLevel ? undefined : level } satisfies StoreHoles as StoreHoles
})

/** Name of the document with the places whose content is held again. */
export const mendedDocument = "mended-damage"

type Place = readonly [file: string, offset: number, bytes: number]

const fileOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1)

/** A document that cannot be read remembers nothing: what is damaged is looked for again. */
const placesOf = (text: string | undefined): ReadonlyArray<Place> => {
  try {
    const found: unknown = JSON.parse(text ?? "[]")
    return Array.isArray(found) ? found.filter((place): place is Place => Array.isArray(place)) : []
  } catch {
    return []
  }
}

/** Whether all bytes of a place lie in places that were mended. */
const isCovered = ({ bytes, offset, path }: StoreDamage, mended: ReadonlyArray<Place>): boolean => {
  const end = offset + bytes
  let from = offset
  const inFile = mended.filter(([file]) => file === fileOf(path)).toSorted((a, b) => a[1] - b[1])
  for (const [, start, length] of inFile) if (start <= from) from = Math.max(from, start + length)
  return from >= end && inFile.some(([, start]) => start <= offset)
}

/** Says of damaged places whether a repair has made good for them. */
export const isMended = Effect.fnUntraced(function*(store: ChainStoreService) {
  const mended = placesOf(yield* store.readDocument(mendedDocument))
  return (damage: StoreDamage): boolean => isCovered(damage, mended)
})

/** Supporters of a chosen segment, and steps of the applied chain, cannot be asked again. */
const isGoneForGood = ({ what }: StoreDamage): boolean => /^(?:segment|applied|rollback)/.test(what)

/** Places known to be damaged that no repair has made good for. */
export const unmendedPlaces = Effect.fnUntraced(function*(store: ChainStoreService) {
  const { damage = [] } = store
  if (damage.length === 0) return []
  const mended = yield* isMended(store)
  return damage.filter((place) => !mended(place))
})

/** Those of them that a repair may make good for. Without any, nothing of the applied chain is known to be lost. */
export const lostPlaces = (store: ChainStoreService) =>
  Effect.map(unmendedPlaces(store), (places) => places.filter((place) => !isGoneForGood(place)))

/** The applied chain is whole: remembers all damage known by now as mended, but for what nobody can give again. */
export const rememberMended = Effect.fnUntraced(function*(store: ChainStoreService) {
  const places = (store.damage ?? []).filter((place) => !isGoneForGood(place))
  const earlier = placesOf(yield* store.readDocument(mendedDocument))
  const all = new Map<string, Place>()
  for (const place of [...earlier, ...places.map((at): Place => [fileOf(at.path), at.offset, at.bytes])]) {
    all.set(`${place[0]} ${place[1]} ${place[2]}`, place)
  }
  yield* store.writeDocument(mendedDocument, JSON.stringify([...all.values()]))
})
