// The settings of a sync for which no flag was given.
import { syncFlags, type SyncSettings } from "../../src/sync/SyncFlags.ts"

export const defaults = {
  ...Object.fromEntries(Object.entries(syncFlags).map(([key, { fallback }]) => [key, fallback])),
  store: "/store"
} as SyncSettings
