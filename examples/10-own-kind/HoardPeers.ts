/**
 * Replicas of Hoard, a key-value store that Peerstrap knows nothing of: a service of one's own, its kind, and a plugin that asks one over HTTP.
 * The kind is `many`: each replica is a part, and whoever requires the kind gets the list of all.
 */
import { configValue, definePlugin, many, PluginRuntime, Type } from "@peerstrap/plugin-host"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

const Listed = Schema.Struct({ key: Schema.String, version: Schema.Int, checksum: Schema.Int })
export type Listed = typeof Listed.Type
const Entry = Schema.Struct({ key: Schema.String, version: Schema.Int, value: Schema.String })

export class PeerError extends Schema.TaggedError<PeerError>()("PeerError", { message: Schema.String }) {}

export interface HoardPeer {
  readonly id: string
  /** A page of keys after this one, in ascending order; an empty one when there are no more. */
  list(after: string): Effect.Effect<ReadonlyArray<Listed>, PeerError>
  /** Entries of these keys, as far as there are any. `checksum` of a listing is the CRC-32 of the value. */
  fetch(keys: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<typeof Entry.Type>, PeerError>
}

export class HoardPeers extends Context.Service<HoardPeers, ReadonlyArray<HoardPeer>>()("hoard/HoardPeers") {}

export const hoardPeerKind = many("hoard.peer", HoardPeers, { summary: "Replicas of Hoard that are asked." })

/** No answer takes longer. */
const answerMillis = 5_000

/** Everything that a peer holds, page by page. Keys that do not ascend would never end: they fail. */
export const listAll = Effect.fnUntraced(function*({ list }: HoardPeer) {
  const all: Array<Listed> = []
  for (let page = yield* list(""); page.length > 0; page = yield* list(all.at(-1)!.key)) {
    if (page[0]!.key <= (all.at(-1)?.key ?? "")) return yield* new PeerError({ message: "its keys do not ascend" })
    all.push(...page)
  }
  return all
})

const failed = (cause: unknown) => new PeerError({ message: cause instanceof Error ? cause.message : String(cause) })

const ask = <A>(schema: Schema.Codec<A, unknown>, url: string): Effect.Effect<A, PeerError> =>
  Effect.tryPromise({
    try: async (signal): Promise<unknown> => {
      const answer = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(answerMillis)]) })
      return answer.ok ? answer.json() : Promise.reject(failed(`HTTP ${answer.status}`))
    },
    catch: failed
  }).pipe(Effect.flatMap(Schema.decodeUnknownEffect(schema)), Effect.mapError(failed))

export const httpPeer = definePlugin({
  id: "hoard.peer.http",
  version: "1.0.0",
  stability: "beta",
  summary: "A replica of Hoard, asked over HTTP.",
  provides: [hoardPeerKind],
  requires: [],
  config: Schema.Struct({
    id: configValue(Type.text("NAME", "a name", "A"), "What it is called."),
    url: configValue(Type.text("URL", "an address", "http://10.0.0.1:8080"), "Where it listens.")
  }),
  layer: ({ id, url }) => {
    const keysUrl = (after: string) => `${url}/keys?after=${encodeURIComponent(after)}`
    const valuesUrl = (keys: ReadonlyArray<string>) =>
      `${url}/values?${new URLSearchParams(keys.map((key): [string, string] => ["key", key]))}`
    return Layer.effect(
      HoardPeers,
      Effect.map(PluginRuntime, (runtime) => {
        /** Tells the host how the replica is, so that `why` knows. */
        const watched = <A>(answer: Effect.Effect<A, PeerError>) =>
          answer.pipe(
            Effect.tap(() => Effect.sync(() => runtime.report("ok"))),
            Effect.tapError(({ message }) => Effect.sync(() => runtime.report("recoverable", message)))
          )
        return [{
          id,
          list: (after) => watched(ask(Schema.Array(Listed), keysUrl(after))),
          fetch: (keys) => watched(ask(Schema.Array(Entry), valuesUrl(keys)))
        }]
      })
    )
  }
})
