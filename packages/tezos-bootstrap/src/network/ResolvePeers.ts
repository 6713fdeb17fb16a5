/** Names of peers to the points behind them: every address of every name, IPv4 and IPv6. */
import { pointText } from "@peerstrap/tezos-wire"
import * as Effect from "effect/Effect"
import { lookup as systemLookup } from "node:dns/promises"
import { isIP } from "node:net"
import { TezosLimits } from "../contract/TezosLimits.ts"
import { parsePeerName, type PeerName } from "./PeerName.ts"

/** What names of peers came to. */
export interface ResolvedPeers {
  /** `v4:port` and `[v6]:port`, each once, in the order of the names. */
  readonly points: ReadonlyArray<string>
  /** Names that gave none, with the reason. */
  readonly problems: ReadonlyArray<string>
}

/** All addresses of a host. The default asks the system: hosts file, then DNS. */
export type Lookup = (host: string) => Promise<ReadonlyArray<string>>

const systemAddresses: Lookup = async (host) =>
  (await systemLookup(host, { all: true, order: "verbatim" })).map(({ address }) => address)

interface Resolved {
  readonly points: ReadonlyArray<string>
  readonly problem: string | undefined
}

const failed = (problem: string): Resolved => ({ points: [], problem })

const addressesOf = (name: string, { host, port }: PeerName, lookup: Lookup): Effect.Effect<Resolved> => {
  const found = (addresses: ReadonlyArray<string>): Resolved => {
    const points = addresses.filter((each) => isIP(each) !== 0).slice(0, TezosLimits.addressesPerName)
      .map((address) => pointText({ address, port }))
    return points.length === 0 ? failed(`${name}: has no address`) : { points, problem: undefined }
  }
  if (isIP(host) !== 0) return Effect.succeed(found([host]))
  return Effect.tryPromise({
    try: () => lookup(host),
    catch: (error) => `${name}: ${error instanceof Error ? error.message : String(error)}`
  }).pipe(
    Effect.match({ onSuccess: found, onFailure: failed }),
    Effect.timeoutOrElse({
      duration: TezosLimits.lookupTimeoutMillis,
      orElse: () => Effect.succeed(failed(`${name}: not resolved within ${TezosLimits.lookupTimeoutMillis} ms`))
    })
  )
}

/**
 * Looks all names up, some at a time. Never fails: a name without an address is a problem of the result, so that one bad name
 * does not keep the others from being dialled.
 */
export const resolvePeers: (names: ReadonlyArray<string>, lookup?: Lookup) => Effect.Effect<ResolvedPeers> = Effect
  .fnUntraced(function*(names: ReadonlyArray<string>, lookup: Lookup = systemAddresses) {
    const resolved = yield* Effect.forEach(names, (name) => {
      const parsed = parsePeerName(name)
      return typeof parsed === "string"
        ? Effect.succeed(failed(`${name}: ${parsed}`))
        : addressesOf(name, parsed, lookup)
    }, { concurrency: TezosLimits.lookupsAtOnce })
    return {
      points: [...new Set(resolved.flatMap(({ points }) => points))],
      problems: resolved.flatMap(({ problem }) => problem === undefined ? [] : [problem])
    }
  })
