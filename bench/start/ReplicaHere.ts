/** A replica of 200 series in this process that tells when it is asked for a page, and when for a block. */
import { NodeServer, ReplicaSource } from "@peerstrap/m3db-wire"
import { formatAddress, Tcp } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import { makeLoadSource } from "../memory/LoadSource.ts"

export interface ReplicaHere {
  readonly address: string
  /** Called at each question; replaced from run to run. */
  asked: (what: "page" | "block") => void
  readonly stop: () => void
}

export const startReplicaHere = (): Promise<ReplicaHere> =>
  new Promise((resolve, reject) => {
    const source = makeLoadSource({ series: 200, blocks: 1, shards: 1, points: 30 })
    const end = new AbortController()
    const listen = Effect.gen(function*() {
      const here: ReplicaHere = { address: "", asked: () => undefined, stop: () => end.abort() }
      const watched = ReplicaSource.of({
        bootstrapped: source.bootstrapped,
        listMetadata: (request) => Effect.suspend(() => (here.asked("page"), source.listMetadata(request))),
        fetchBlocks: (request) => Effect.suspend(() => (here.asked("block"), source.fetchBlocks(request)))
      })
      const { address } = yield* NodeServer.listen({ host: "127.0.0.1", port: 0 }).pipe(
        Effect.provideService(ReplicaSource, watched)
      )
      resolve(Object.assign(here, { address: formatAddress(address) }))
      return yield* Effect.never
    })
    const serving = Effect.runPromise(Effect.scoped(listen).pipe(Effect.provide(Tcp.layer)), { signal: end.signal })
    serving.catch((error: unknown) => end.signal.aborted ? undefined : reject(error))
  })
