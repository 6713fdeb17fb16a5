/**
 * The header of a trusted base that is known by its hash alone: asked of one peer after the other; the hash proves it (specs: chain bootstrap 7.3).
 */
import { Transport } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import type { BlockId, HeaderFacts } from "../contract/Block.ts"
import { ChainProtocol } from "../contract/ChainProtocol.ts"
import { BaseNotFound } from "../contract/SyncRun.ts"
import { addressOf } from "./PeerLinks.ts"

/** Which block is wanted, whom to ask, and for how long. */
export interface FindHeaderOptions {
  readonly id: BlockId
  readonly points: ReadonlyArray<string>
  /** Time for one peer, connection and handshake included. Default 15 s. */
  readonly timeoutMillis?: number
  /** Told before each try. */
  readonly onTry?: (point: string) => void
}

const askOne = Effect.fnUntraced(function*(id: BlockId, point: string) {
  const transport = yield* Transport
  const protocol = yield* ChainProtocol
  const connection = yield* transport.dial(addressOf(point))
  const session = yield* protocol.open(connection, { side: "outgoing", dialled: point, accept: () => undefined })
  const found = Effect.callback<HeaderFacts>((resume) => {
    session.receive((message) => {
      if (message.kind === "header" && message.header.id === id) resume(Effect.succeed(message.header))
      return true
    })
  })
  yield* session.send([{ kind: "get-headers", ids: [id] }])
  return yield* Effect.raceFirst(found, Effect.flatMap(session.closed, () => Effect.fail("closed" as const)))
}, Effect.scoped)

/** The header, or `BaseNotFound` when no peer serves it. */
export const findHeader = Effect.fn("findHeader")(function*(options: FindHeaderOptions) {
  const timeoutMillis = options.timeoutMillis ?? 15_000
  const reasons: Array<string> = []
  for (const point of options.points) {
    options.onTry?.(point)
    const result = yield* askOne(options.id, point).pipe(
      Effect.timeoutOption(timeoutMillis),
      Effect.result
    )
    if (result._tag === "Success" && result.success._tag === "Some") return result.success.value
    const why = result._tag === "Success"
      ? `no answer within ${timeoutMillis} ms: it does not have the block, or is not there`
      : typeof result.failure === "string"
      ? "it ended the connection"
      : result.failure.message
    reasons.push(`${point}: ${why}`)
  }
  return yield* new BaseNotFound({
    base: options.id,
    asked: options.points.length,
    message: `no peer serves the header of ${options.id} (${
      reasons.slice(0, 8).join("; ") || "no peers given"
    }); name a peer that holds it with --peer, or a younger base`
  })
})
