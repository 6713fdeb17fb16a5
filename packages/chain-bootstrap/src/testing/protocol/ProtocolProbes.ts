/** What the checks of protocols share: a session with a counterpart, and what came in by it. */
import { expectTrue } from "@peerstrap/conformance"
import { formatAddress, Transport } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type { Block, BlockId } from "../../contract/Block.ts"
import { ChainProtocol, type OpenOptions, type PeerSession } from "../../contract/ChainProtocol.ts"
import type { Answer, Incoming } from "../../contract/PeerMessage.ts"
import { type Counterpart, ProtocolWorld, type Way } from "./ProtocolWorld.ts"

export const welcome: OpenOptions["accept"] = () => undefined

export interface Joined {
  readonly protocol: ChainProtocol["Service"]
  readonly counterpart: Counterpart
  readonly session: PeerSession
  /** What came in, in order; waits for it. */
  readonly next: Effect.Effect<Incoming>
}

/** Dials a counterpart and opens. The connection lives as long as the check. */
export const openTo = Effect.fnUntraced(function*(counterpart: Counterpart, accept: OpenOptions["accept"] = welcome) {
  const protocol = yield* ChainProtocol
  const connection = yield* (yield* Transport).dial(counterpart.address)
  return yield* protocol.open(connection, { side: "outgoing", dialled: formatAddress(counterpart.address), accept })
})

export const joinTo = Effect.fnUntraced(function*(counterpart: Counterpart) {
  const session = yield* openTo(counterpart)
  const heard = yield* Queue.unbounded<Incoming>()
  session.receive((message) => Queue.offerUnsafe(heard, message))
  const joined: Joined = { protocol: yield* ChainProtocol, counterpart, session, next: Queue.take(heard) }
  return joined
})

/** A session with a counterpart of its own. */
export const join = Effect.fnUntraced(function*(way: Way) {
  const world = yield* ProtocolWorld
  return yield* joinTo(yield* world.counterpart(way))
})

/** So many answers of a kind; others that come between are left aside. */
export const answers = Effect.fnUntraced(
  function*<Kind extends Answer["kind"]>({ next }: Joined, kind: Kind, count: number) {
    const found: Array<Extract<Answer, { readonly kind: Kind }>> = []
    while (found.length < count) {
      const message = yield* next
      if (message.kind === kind) found.push(message as Extract<Answer, { readonly kind: Kind }>)
    }
    return found
  }
)

/** A session is alive when a question is answered by it. */
export const stillAnswers = Effect.fnUntraced(function*(joined: Joined, what: string) {
  const { blocks } = yield* ProtocolWorld
  const { id } = blocks[4]!.header
  yield* joined.session.send([{ kind: "get-headers", ids: [id] }])
  const [answer] = yield* answers(joined, "header", 1)
  yield* expectTrue(`${what} answers with the header that was asked for`, answer?.header.id === id)
})

export const idAt = (blocks: ReadonlyArray<Block>, level: number): BlockId => blocks[level - 1]!.header.id

/** A block whose units are not all empty, with at least two of them that differ. */
export const fullBlock = (blocks: ReadonlyArray<Block>): Block => {
  const found = blocks.find(({ units }) => new Set(units.map((unit) => unit.join())).size > 1)
  if (found === undefined) throw new TypeError("the world has no block with two different units")
  return found
}
