/** What a store of keys and values refuses, the same for every implementation. */
import { type KeyValueChange, KeyValueError, type KeyValueScan } from "../contract/KeyValue.ts"
import { Limits } from "../contract/Limits.ts"

const tooLarge = (message: string): KeyValueError => new KeyValueError({ reason: "too-large", message })

const refuseKey = (key: Uint8Array): KeyValueError | undefined =>
  key.length === 0 || key.length > Limits.keyBytes
    ? tooLarge(`a key of ${key.length} bytes, it must have 1 to ${Limits.keyBytes}`)
    : undefined

/** What a batch counts against `Limits.batchBytes`. */
export const batchBytesOf = (changes: ReadonlyArray<KeyValueChange>): number =>
  changes.reduce((total, { key, value }) => total + 8 + key.length + (value?.length ?? 0), 0)

export const refuseChanges = (changes: ReadonlyArray<KeyValueChange>): KeyValueError | undefined => {
  if (changes.length > Limits.batchChanges) {
    return tooLarge(`a batch of ${changes.length} changes, at most ${Limits.batchChanges}; write it in parts`)
  }
  for (const { key, value } of changes) {
    const refusal = refuseKey(key)
    if (refusal !== undefined) return refusal
    if (value !== undefined && value.length > Limits.valueBytes) {
      return tooLarge(`a value of ${value.length} bytes, at most ${Limits.valueBytes}`)
    }
  }
  const bytes = batchBytesOf(changes)
  return bytes > Limits.batchBytes
    ? tooLarge(`a batch of ${bytes} bytes, at most ${Limits.batchBytes}; write it in parts`)
    : undefined
}

export const refuseKeys = (keys: ReadonlyArray<Uint8Array>): KeyValueError | undefined => {
  if (keys.length > Limits.getKeys) return tooLarge(`${keys.length} keys, at most ${Limits.getKeys}; ask in parts`)
  for (const key of keys) {
    const refusal = refuseKey(key)
    if (refusal !== undefined) return refusal
  }
  return undefined
}

export const refuseScan = ({ limit }: KeyValueScan): KeyValueError | undefined =>
  Number.isSafeInteger(limit) && limit >= 1 && limit <= Limits.scanEntries
    ? undefined
    : tooLarge(`a scan of ${limit} entries, it must ask for 1 to ${Limits.scanEntries}`)
