/** What the kit of `ChainProtocol` has beside the protocol: a small known chain, and a peer on the other side that serves it. */
import { type Address, type Connection, type ListenError, Transport } from "@peerstrap/transport"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"
import type { Block, BlockId, BlockRef } from "../../contract/Block.ts"
import type { ChainProtocol, OpenOptions, PeerSession } from "../../contract/ChainProtocol.ts"
import type { Incoming, Outgoing, Reply, Request } from "../../contract/PeerMessage.ts"

/** How the other side behaves: `refuses` everybody, naming `refusalPoints`; `reversed`: answers of one request last first. */
export type Way = "honest" | "reversed" | "alters-headers" | "refuses"

/** What it sends that no correct peer sends: no message, one larger than any may be, the beginning of one before the connection is cut. */
export type Misdeed = "malformed" | "huge" | "half"

/** The other points that a counterpart names when it refuses. */
export const refusalPoints: ReadonlyArray<string> = ["192.0.2.7:9732"]

/** The other side of the protocol under test, as long as its scope lives. */
export interface Counterpart {
  /** Its identity, as sessions name it. */
  readonly id: string
  readonly address: Address
  /** All that it was told and asked, in order, in the words of whoever receives it. */
  readonly heard: ReadonlyArray<Incoming>
  /** Completes as soon as it has heard so many messages. */
  heardBy(count: number): Effect.Effect<void>
  /** Completes as soon as none of its connections is open. */
  readonly settled: Effect.Effect<void>
  /** Asks all that are connected. */
  ask(requests: ReadonlyArray<Request>): Effect.Effect<void>
  misbehave(how: Misdeed): Effect.Effect<void>
  /** Leaves all in order. */
  readonly leave: Effect.Effect<void>
  /** Ends all connections without a word. */
  readonly cut: Effect.Effect<void>
}

/** A small known chain, and counterparts that serve it. */
export interface ProtocolWorldService {
  readonly genesis: BlockRef
  /** The chain that counterparts serve, from level 1 on: twelve blocks at least, each of two units or more, not all empty, of level 3 at least. */
  readonly blocks: ReadonlyArray<Block>
  counterpart(way: Way): Effect.Effect<Counterpart, ListenError, Transport | Scope.Scope>
}

/** The world that the suite of `ChainProtocol` works in. */
export class ProtocolWorld
  extends Context.Service<ProtocolWorld, ProtocolWorldService>()("@peerstrap/chain-bootstrap/testing/ProtocolWorld")
{}

/** Things that happen, for others to wait for. */
export class Happenings {
  private readonly waiting = new Set<() => void>()

  happened(): void {
    for (const look of this.waiting) look()
  }

  /** Completes as soon as something is the case. */
  until(is: () => boolean): Effect.Effect<void> {
    return Effect.callback<void>((resume) => {
      if (is()) return resume(Effect.void)
      const look = (): void => {
        if (!is()) return
        this.waiting.delete(look)
        resume(Effect.void)
      }
      this.waiting.add(look)
      return Effect.sync(() => void this.waiting.delete(look))
    })
  }
}

/** Replies of whoever has these blocks and hides nothing. */
export const servedBy = (
  { blocks, genesis }: Pick<ProtocolWorldService, "blocks" | "genesis">
): (request: Request) => ReadonlyArray<Reply> => {
  const byId = new Map(blocks.map((block) => [block.header.id, block]))
  const at = (level: number): Block | undefined => blocks[level - 1]
  const idAt = (level: number): BlockId => at(level)?.header.id ?? genesis.id
  const head = blocks.at(-1)!.header
  return (request) => {
    switch (request.kind) {
      case "get-branch":
        return [{ kind: "branch", chain: { head, lowestLevel: 0, idAt } }]
      case "get-head":
        return [{ kind: "head", header: head }]
      case "get-headers":
        return request.ids.flatMap((id) => {
          const header = byId.get(id)?.header
          return header === undefined ? [] : [{ kind: "header" as const, header }]
        })
      case "get-ancestor": {
        const header = at((byId.get(request.of)?.header.level ?? 0) - request.offset)?.header
        return header === undefined ? [] : [{ kind: "ancestor", of: request.of, offset: request.offset, header }]
      }
      case "get-units":
        return request.items.flatMap(({ block, unit }) => {
          const units = byId.get(block)?.units ?? []
          return unit >= 0 && unit < units.length ? [{ kind: "unit" as const, block, unit, units }] : []
        })
      case "get-peers":
        return [{ kind: "peers", points: refusalPoints }]
      case "swap-request":
        return []
    }
  }
}

/** What a counterpart is made of. */
export interface OtherSide extends Pick<ProtocolWorldService, "blocks" | "genesis"> {
  /** The protocol under another identity. */
  readonly other: ChainProtocol["Service"]
  /** Where it listens. */
  readonly host: string
  /** Bytes on the connection as such, beneath the protocol. */
  readonly misdeeds: Readonly<Record<Misdeed, Uint8Array>>
  /** Another header in place of one that was asked for, as a lying peer would send it. */
  readonly altered: (reply: Reply) => Reply
}

const says = (side: OtherSide, way: Way, request: Request): ReadonlyArray<Outgoing> => {
  const replies = servedBy(side)(request)
  if (way === "alters-headers") return replies.map((reply) => reply.kind === "header" ? side.altered(reply) : reply)
  return way === "reversed" ? replies.toReversed() : replies
}

/** A counterpart that speaks by an implementation of the protocol itself: enough where there is no second one. */
export const counterpartBy = (side: OtherSide) =>
  Effect.fnUntraced(function*(way: Way): Effect.fn.Return<Counterpart, ListenError, Transport | Scope.Scope> {
    const transport = yield* Transport
    const fork = yield* FiberSet.makeRuntime()
    const open = new Map<Connection, PeerSession | undefined>()
    const heard: Array<Incoming> = []
    const happenings = new Happenings()
    const accept: OpenOptions["accept"] = () =>
      way === "refuses" ? { reason: "too-many", points: refusalPoints } : undefined
    const serve = Effect.fnUntraced(
      function*(connection: Connection) {
        const session = yield* side.other.open(connection, { side: "incoming", dialled: undefined, accept })
        open.set(connection, session)
        happenings.happened()
        session.receive((message) => {
          heard.push(message)
          happenings.happened()
          if (message.kind === "request") fork(Effect.ignore(session.send(says(side, way, message.request))))
          return true
        })
        yield* session.closed
      },
      (serving) => Effect.ignore(Effect.scoped(serving))
    )
    const { address } = yield* transport.listen({ host: side.host, port: 0 }, (connection) => {
      open.set(connection, undefined)
      const ended = Effect.map(connection.closed, () => {
        open.delete(connection)
        happenings.happened()
      })
      return Effect.asVoid(Effect.all([serve(connection), ended], { concurrency: 2 }))
    })
    /** Our side of a session may be a moment later than theirs. */
    const isOpen = happenings.until(() => open.size > 0 && [...open.values()].every((session) => session !== undefined))
    const each = (act: (session: PeerSession, connection: Connection) => Effect.Effect<unknown, unknown>) =>
      Effect.andThen(
        isOpen,
        Effect.suspend(() =>
          Effect.forEach(
            [...open],
            ([connection, session]) => session === undefined ? Effect.void : Effect.ignore(act(session, connection)),
            { discard: true }
          )
        )
      )
    return {
      id: side.other.ownId,
      address,
      heard,
      heardBy: (count) => happenings.until(() => heard.length >= count),
      settled: happenings.until(() => open.size === 0),
      ask: (requests) => each((session) => session.send(requests)),
      misbehave: (how) =>
        each((_, connection) =>
          Effect.andThen(
            connection.write([side.misdeeds[how]]),
            Effect.sync(() => how === "half" ? connection.close("cut in the middle") : undefined)
          )
        ),
      leave: each((session) => Effect.sync(() => session.close("leaving"))),
      cut: each((_, connection) => Effect.sync(() => connection.close("cut")))
    }
  })
