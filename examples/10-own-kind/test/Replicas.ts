/** Replicas of Hoard to run against: HTTP servers in this process. */
import * as Effect from "effect/Effect"
import { createServer } from "node:http"
import { crc32 } from "node:zlib"

export interface HoardEntry {
  readonly key: string
  readonly version: number
  readonly value: string
}

const pageKeys = 100

export interface ReplicaFaults {
  /** Answers 503 to everything. */
  readonly isDown?: boolean
  /** The value of this key is damaged after the checksum was made. */
  readonly damaged?: string
}

/** Starts a replica in the surrounding scope; gives its URL. */
export const startReplica = (held: ReadonlyArray<HoardEntry>, faults: ReplicaFaults = {}) => {
  const entries = held.toSorted((a, b) => a.key < b.key ? -1 : 1)
  const answer = (url: URL): unknown => {
    if (url.pathname === "/keys") {
      const after = url.searchParams.get("after") ?? ""
      return entries.filter(({ key }) => key > after).slice(0, pageKeys)
        .map(({ key, value, version }) => ({ key, version, checksum: crc32(value) }))
    }
    const keys = new Set(url.searchParams.getAll("key"))
    return entries.filter(({ key }) => keys.has(key))
      .map((entry) => entry.key === faults.damaged ? { ...entry, value: `${entry.value}?` } : entry)
  }
  const server = createServer((request, response) => {
    response.statusCode = faults.isDown === true ? 503 : 200
    response.end(JSON.stringify(answer(new URL(request.url ?? "/", "http://localhost"))))
  })
  const listening = Effect.callback<string>((resume) => {
    server.listen(0, "127.0.0.1", () => {
      const bound = server.address()
      resume(Effect.succeed(`http://127.0.0.1:${typeof bound === "object" ? bound?.port : bound}`))
    })
  })
  return Effect.acquireRelease(listening, () =>
    Effect.callback<void>((resume) => {
      server.close(() => resume(Effect.void))
      server.closeAllConnections()
    }))
}
