/**
 * What the index holds: `level/<level> → block id`, and `head → the last block that is in it`. Both change in one batch of the key-value store, so
 * that the index and its progress never disagree, wherever the process ends.
 */
import type { Block, BlockRef } from "@peerstrap/chain-bootstrap"
import type { KeyValue, KeyValueChange } from "@peerstrap/storage"
import * as Effect from "effect/Effect"

export type Store = KeyValue["Service"]

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (value: Uint8Array): string => new TextDecoder().decode(value)

/** With leading zeros: a scan is in the order of the keys' bytes, which then is that of levels. */
const levelKey = (level: number): Uint8Array => bytes(`level/${String(level).padStart(10, "0")}`)
const head = ({ id, level }: BlockRef): KeyValueChange => ({
  key: bytes("head"),
  value: bytes(JSON.stringify({ id, level }))
})

/** Undefined when nothing was ever applied. */
export const headOf = (store: Store) =>
  Effect.map(store.get([bytes("head")]), ([value]): BlockRef | undefined => value && JSON.parse(text(value)))

/** At least one block. */
export const added = (blocks: ReadonlyArray<Block>): ReadonlyArray<KeyValueChange> => [
  ...blocks.map(({ header: { id, level } }) => ({ key: levelKey(level), value: bytes(id) })),
  head(blocks.at(-1)!.header)
]

/** Everything above `to` is gone, and `to` is the head. */
export const undone = (from: BlockRef, to: BlockRef): ReadonlyArray<KeyValueChange> => [
  ...Array.from({ length: from.level - to.level }, (_, at) => ({ key: levelKey(to.level + 1 + at), value: undefined })),
  head(to)
]

/** The ids of the first thousand levels, the lowest first. */
export const idsOf = (store: Store) =>
  Effect.map(
    store.scan({ prefix: bytes("level/"), limit: 1000 }),
    (page) => page.entries.map(({ value }) => text(value))
  )
