/** The peers that a store remembers, for `peers list` without a live process. */
import { connectionOptions, makeConnections } from "@peerstrap/chain-bootstrap"
import type { CommandError } from "@peerstrap/command-line"
import { FileSystem } from "@peerstrap/storage"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { fileFault } from "../LocalFaults.ts"
import { knownRow } from "../sync/ChainStatus.ts"

/** A store's document, which a run saves while it goes on. It is read without the store's lock, so that this works beside a process that hangs. */
const documentPath = (store: string): string => `${store}/documents/known-peers`
const maxDocumentBytes = 4 * 2 ** 20

/** Everything that was remembered is shown, whatever the limits of a run. */
const all = connectionOptions({ maxKnownPoints: 100_000 })

/** Whether an earlier run left peers to begin with. */
export const remembersPeers = (store: string) =>
  Effect.flatMap(FileSystem, (fs) => fs.stat(documentPath(store))).pipe(
    Effect.as(true),
    Effect.catch((error) => error.reason === "not-found" ? Effect.succeed(false) : Effect.fail(fileFault(error)))
  )

export const storedPeers = Effect.fnUntraced(function*(store: string, absent: CommandError) {
  const fs = yield* FileSystem
  const bytes = yield* fs.readFile(documentPath(store), maxDocumentBytes).pipe(
    Effect.catch((error) => error.reason === "not-found" ? Effect.fail(absent) : Effect.fail(fileFault(error)))
  )
  const now = yield* Clock.currentTimeMillis
  const connections = makeConnections(all, { random: () => 0.5, ownId: "", named: [] })
  const { problem } = connections.restore(new TextDecoder().decode(bytes), now)
  return { rows: connections.known(now).map(knownRow), problem }
})
