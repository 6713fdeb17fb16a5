/** The peers that a store remembers, for `peers list` without a live process. */
import type { CommandError } from "@peerstrap/command-line"
import * as Effect from "effect/Effect"
import type { PeerRow } from "../sync/ChainStatus.ts"
import { readReport } from "./StoredReport.ts"

export const storedPeers = Effect.fnUntraced(function*(store: string, absent: CommandError) {
  const report = yield* readReport(store)
  const rows = report?.["peers"]
  return Array.isArray(rows) ? rows as ReadonlyArray<PeerRow> : yield* absent
})
