/** The checks of `ChainProtocol` that need a peer: opening, asking, serving, ending. */
import { atEachStep, type Check, expectFailure, expectSame, expectTrue } from "@peerstrap/conformance"
import { type Connection, Transport } from "@peerstrap/transport"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import { ChainProtocol } from "../../contract/ChainProtocol.ts"
import type { Incoming, Outgoing, Request } from "../../contract/PeerMessage.ts"
import { answers, fullBlock, idAt, join, joinTo, openTo, stillAnswers, welcome } from "./ProtocolProbes.ts"
import { ProtocolWorld, refusalPoints } from "./ProtocolWorld.ts"

/** What a protocol can do, by name. */
export type ProtocolCapability = "refusals" | "farewell" | "ancestors" | "peers"
/** What a check needs: the protocol, its world, and connections. */
export type ProtocolServices = ChainProtocol | ProtocolWorld | Transport
/** One check of the kit. */
export type ProtocolCheck = Check<ProtocolServices, ProtocolCapability>

const check = (
  name: string,
  run: () => ProtocolCheck["run"],
  needs: ReadonlyArray<ProtocolCapability> = []
): ProtocolCheck => ({ name, needs, run: Effect.suspend(run) })

/** A listener that does one thing to each connection. */
const listener = Effect.fnUntraced(function*(does: (connection: Connection) => Effect.Effect<unknown, unknown>) {
  const { address } = yield* (yield* ProtocolWorld).counterpart("honest")
  const transport = yield* Transport
  const { host } = address
  return yield* transport.listen(
    { host, port: 0 },
    (connection) => Effect.andThen(Effect.ignore(does(connection)), Effect.asVoid(connection.closed))
  )
})

const openAt = Effect.fnUntraced(function*(does: (connection: Connection) => Effect.Effect<unknown, unknown>) {
  const { address } = yield* listener(does)
  const connection = yield* (yield* Transport).dial(address)
  return yield* (yield* ChainProtocol).open(connection, { side: "outgoing", dialled: undefined, accept: welcome })
})

/** Whether somebody reads from a connection already: then nobody else can, and it must end with the session that it was for. */
const isTaken = (connection: Connection): boolean => {
  try {
    connection.receive(() => true)
    return false
  } catch {
    return true
  }
}

const openings: ReadonlyArray<ProtocolCheck> = [
  check(
    "shakes hands and says who the peer is",
    Effect.fnUntraced(function*() {
      const { counterpart } = yield* join("honest")
      const asked: Array<string> = []
      const session = yield* openTo(counterpart, (id) => {
        asked.push(id)
        return undefined
      })
      yield* expectSame("id", session.id, counterpart.id)
      yield* expectSame("asked for a welcome", asked, [counterpart.id])
      const { host, port } = counterpart.address
      yield* expectSame("point", session.point, `${host}:${port}`)
    })
  ),
  check(
    "refuses whom it is told to refuse",
    Effect.fnUntraced(function*() {
      const counterpart = yield* (yield* ProtocolWorld).counterpart("honest")
      const refused = openTo(counterpart, () => ({ reason: "too-many", points: refusalPoints }))
      const error = yield* expectFailure("open", refused, ({ reason }) => reason === "refused")
      yield* expectSame("id", "id" in error ? error.id : undefined, counterpart.id)
    })
  ),
  check(
    "is told by whom it is refused, with the points of others",
    Effect.fnUntraced(function*() {
      const counterpart = yield* (yield* ProtocolWorld).counterpart("refuses")
      const error = yield* expectFailure("open", openTo(counterpart), ({ reason }) => reason === "nacked")
      yield* expectSame("points", "points" in error ? error.points : [], refusalPoints)
    }),
    ["refusals"]
  ),
  check(
    "recognises itself",
    Effect.fnUntraced(function*() {
      const protocol = yield* ChainProtocol
      const theirs = yield* Deferred.make<string>()
      const own = (connection: Connection) =>
        Effect.matchEffect(
          Effect.scoped(protocol.open(connection, { side: "incoming", dialled: undefined, accept: welcome })),
          {
            onFailure: ({ reason }) => Deferred.succeed(theirs, reason),
            onSuccess: () => Deferred.succeed(theirs, "nothing")
          }
        )
      const ours = yield* expectFailure("open", openAt(own))
      // Whichever side notices first may close before the other has read so far.
      const reasons = ["reason" in ours ? ours.reason : ours._tag, yield* Deferred.await(theirs)]
      yield* expectTrue(
        `one side fails as it recognises itself, the other as well (${reasons.join(", ")})`,
        reasons.includes("self") && !reasons.includes("nothing")
      )
    })
  ),
  check(
    "takes bytes that are no handshake for malformed",
    Effect.fnUntraced(function*() {
      const junk = openAt((connection) => connection.write([new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n")]))
      yield* expectFailure("open", junk, (error) => error._tag === "HandshakeFailed" && error.reason === "malformed")
    })
  ),
  check(
    "says that the connection was closed when it was",
    Effect.fnUntraced(function*() {
      const closed = openAt((connection) => Effect.sync(() => connection.close("not now")))
      yield* expectFailure("open", closed, (error) => error._tag === "HandshakeFailed" && error.reason === "closed")
    })
  ),
  check(
    "leaves no connection open when its opening is interrupted at any step",
    Effect.fnUntraced(function*() {
      const protocol = yield* ChainProtocol
      const transport = yield* Transport
      const counterpart = yield* (yield* ProtocolWorld).counterpart("honest")
      let connection = yield* transport.dial(counterpart.address)
      const open = Effect.suspend(() =>
        Effect.scoped(protocol.open(connection, { side: "outgoing", dialled: undefined, accept: welcome }))
      )
      yield* atEachStep(open, () =>
        Effect.gen(function*() {
          if (isTaken(connection)) yield* connection.closed
          connection.close("the next one")
          connection = yield* transport.dial(counterpart.address)
        }))
    })
  ),
  check(
    "ends its session with the scope",
    Effect.fnUntraced(function*() {
      const counterpart = yield* (yield* ProtocolWorld).counterpart("honest")
      const connection = yield* (yield* Transport).dial(counterpart.address)
      const scope = yield* Scope.make()
      const opening = (yield* ChainProtocol).open(connection, { side: "outgoing", dialled: undefined, accept: welcome })
      const session = yield* Scope.provide(opening, scope)
      yield* Scope.close(scope, Exit.void)
      yield* session.closed
      yield* counterpart.settled
    })
  )
]

const asking: ReadonlyArray<ProtocolCheck> = [
  check(
    "tells the peer's branch: its head, and entries that are its own",
    Effect.fnUntraced(function*() {
      const { blocks, genesis } = yield* ProtocolWorld
      const joined = yield* join("honest")
      yield* joined.session.send([{ kind: "get-branch" }])
      const [branch] = yield* answers(joined, "branch", 1)
      const head = blocks.at(-1)!.header
      yield* expectSame("head", branch?.head, head)
      const entries = branch?.entries ?? []
      yield* expectSame("first entry", entries[0], { id: head.id, level: head.level, exact: true })
      let above = head.level + 1
      for (const { exact, id, level } of entries) {
        if (level === undefined) continue
        yield* expectTrue(`an entry at level ${level} stands below one at ${above}`, level < above)
        above = level
        if (exact) {
          yield* expectSame(
            `exact entry at level ${level}`,
            id,
            level === 0 ? genesis.id : blocks[level - 1]?.header.id
          )
        }
      }
      const known = new Set([genesis.id, ...blocks.map(({ header }) => header.id)])
      yield* expectTrue("every entry is a block of the chain", entries.every(({ id }) => known.has(id)))
      yield* expectTrue("there are entries below the head", entries.length > 1)
    })
  ),
  check(
    "tells the peer's head",
    Effect.fnUntraced(function*() {
      const { blocks } = yield* ProtocolWorld
      const joined = yield* join("honest")
      yield* joined.session.send([{ kind: "get-branch" }])
      yield* answers(joined, "branch", 1)
      yield* joined.session.send([{ kind: "get-head" }])
      const [head] = yield* answers(joined, "head", 1)
      yield* expectSame("head", head?.header, blocks.at(-1)!.header)
    })
  ),
  ...(["honest", "reversed"] as const).map((way) =>
    check(
      way === "honest"
        ? "brings the headers that were asked for"
        : "names headers by their ids, in whatever order they come",
      Effect.fnUntraced(function*() {
        const { blocks } = yield* ProtocolWorld
        const joined = yield* join(way)
        const asked = [7, 2, 9, 4].map((level) => blocks[level - 1]!.header)
        yield* joined.session.send([{ kind: "get-headers", ids: asked.map(({ id }) => id) }])
        const found = yield* answers(joined, "header", asked.length)
        const expected = way === "honest" ? asked : asked.toReversed()
        yield* expectSame("headers", found.map(({ header }) => header), expected)
      })
    )
  ),
  check(
    "never calls a header by an id that its bytes do not have",
    Effect.fnUntraced(function*() {
      const { blocks } = yield* ProtocolWorld
      const joined = yield* join("alters-headers")
      const id = idAt(blocks, 5)
      yield* joined.session.send([{ kind: "get-headers", ids: [id] }])
      const ended = Effect.map(joined.session.closed, ({ kind }) => ({ kind: "ended" as const, as: kind as string }))
      const came = yield* Effect.raceFirst(joined.next, ended)
      if (came.kind === "ended") return yield* expectSame("end of the session", came.as, "malformed")
      const header = came.kind === "header" ? came.header : undefined
      yield* expectTrue("an altered header does not have the id that was asked for", header?.id !== id)
      const decoded = header === undefined ? undefined : joined.protocol.rules.decodeHeader(header.bytes)
      yield* expectSame("id by its bytes", typeof decoded === "object" ? decoded.id : undefined, header?.id)
    })
  ),
  check(
    "brings an ancestor with what it is an ancestor of",
    Effect.fnUntraced(function*() {
      const { blocks } = yield* ProtocolWorld
      const joined = yield* join("honest")
      yield* expectTrue("the peer understands the question", joined.session.ancestors)
      yield* joined.session.send([{ kind: "get-ancestor", of: idAt(blocks, 9), offset: 4 }])
      const [answer] = yield* answers(joined, "ancestor", 1)
      const expected = { kind: "ancestor", of: idAt(blocks, 9), offset: 4, header: blocks[4]!.header }
      yield* expectSame("ancestor", answer, expected)
    }),
    ["ancestors"]
  ),
  check(
    "brings units with proofs that hold for them alone",
    Effect.fnUntraced(function*() {
      const { blocks } = yield* ProtocolWorld
      const joined = yield* join("honest")
      const { rules } = joined.protocol
      const { header, units } = fullBlock(blocks)
      const items = units.map((_, unit) => ({ block: header.id, unit }))
      yield* joined.session.send([{ kind: "get-units", items }])
      const found = yield* answers(joined, "unit", units.length)
      for (const { block, body, proof, unit } of found) {
        yield* expectSame(`unit ${unit}`, { block, body }, { block: header.id, body: units[unit] })
        yield* expectSame(`fault of unit ${unit}`, rules.verifyUnit(header, unit, body, proof), undefined)
        const accepts = (what: string, fault: string | undefined) =>
          expectTrue(`${what} of unit ${unit} is refused`, fault !== undefined)
        for (let bit = 0; bit < body.length * 8; bit += Math.max(1, body.length)) {
          const other = body.slice()
          other[bit >> 3]! ^= 1 << (bit & 7)
          yield* accepts(`a changed bit ${bit}`, rules.verifyUnit(header, unit, other, proof))
        }
        const longer = new Uint8Array([...body, 0])
        yield* accepts("a byte too many", rules.verifyUnit(header, unit, longer, proof))
        yield* accepts("a proof that is cut", rules.verifyUnit(header, unit, body, proof.slice(0, -1)))
        yield* accepts(
          "another block",
          rules.verifyUnit(
            blocks.find((one) => one.header.bodyRoot.join() !== header.bodyRoot.join())!.header,
            unit,
            body,
            proof
          )
        )
        yield* accepts("no such position", rules.verifyUnit(header, header.units, body, proof))
        const next = (unit + 1) % units.length
        if (units[next]!.join() !== body.join()) {
          yield* accepts("another position", rules.verifyUnit(header, next, body, proof))
        }
      }
    })
  ),
  check(
    "asks for as many items at once as a request may name",
    Effect.fnUntraced(function*() {
      const { blocks } = yield* ProtocolWorld
      const joined = yield* join("honest")
      const count = Math.min(joined.protocol.rules.itemsPerRequest, blocks.length)
      const ids = blocks.slice(0, count).map(({ header }) => header.id)
      yield* joined.session.send([{ kind: "get-headers", ids }])
      const found = yield* answers(joined, "header", count)
      yield* expectSame("headers", found.map(({ header }) => header.id), ids)
    })
  ),
  check(
    "brings the points of other peers",
    Effect.fnUntraced(function*() {
      const joined = yield* join("honest")
      yield* joined.session.send([{ kind: "get-peers" }])
      const [peers] = yield* answers(joined, "peers", 1)
      yield* expectSame("points", peers?.points, refusalPoints)
    }),
    ["peers"]
  )
]

const serving: ReadonlyArray<ProtocolCheck> = [
  check(
    "hands over a peer's requests as they were asked",
    Effect.fnUntraced(function*() {
      const { blocks } = yield* ProtocolWorld
      const joined = yield* join("honest")
      const requests: ReadonlyArray<Request> = [
        { kind: "get-branch" },
        { kind: "get-head" },
        { kind: "get-headers", ids: [idAt(blocks, 3), idAt(blocks, 1)] },
        { kind: "get-units", items: [{ block: idAt(blocks, 4), unit: 1 }, { block: idAt(blocks, 4), unit: 0 }] }
      ]
      yield* joined.counterpart.ask(requests)
      for (const request of requests) {
        yield* expectSame("request", yield* joined.next, { kind: "request", request })
      }
    })
  ),
  check(
    "says just what it is given to say",
    Effect.fnUntraced(function*() {
      const { blocks } = yield* ProtocolWorld
      const { counterpart, protocol, session } = yield* join("honest")
      const { header, units } = fullBlock(blocks)
      const said: ReadonlyArray<Outgoing> = [
        { kind: "header", header },
        { kind: "head", header: blocks.at(-1)!.header },
        ...units.map((_, unit): Outgoing => ({ kind: "unit", block: header.id, unit, units }))
      ]
      yield* session.send(said)
      yield* counterpart.heardBy(said.length)
      const [first, second, ...bodies] = counterpart.heard
      yield* expectSame("header", first, { kind: "header", header })
      yield* expectSame("head", second, { kind: "head", header: blocks.at(-1)!.header })
      for (const [unit, body] of bodies.entries()) {
        if (body.kind !== "unit") return yield* expectSame("kind", body.kind, "unit")
        yield* expectSame("unit", { block: body.block, unit: body.unit, body: body.body }, {
          block: header.id,
          unit,
          body: units[unit]
        })
        yield* expectSame("fault", protocol.rules.verifyUnit(header, unit, body.body, body.proof), undefined)
      }
    })
  ),
  check(
    "tells its own branch with entries that are in it",
    Effect.fnUntraced(function*() {
      const { blocks, genesis } = yield* ProtocolWorld
      const { counterpart, session } = yield* join("honest")
      const head = blocks.at(-1)!.header
      const at = (level: number): string => level === 0 ? genesis.id : idAt(blocks, level)
      yield* session.send([{ kind: "branch", chain: { head, lowestLevel: 0, idAt: at } }])
      yield* counterpart.heardBy(1)
      const [branch] = counterpart.heard
      if (branch?.kind !== "branch") return yield* expectSame("kind", branch?.kind, "branch")
      yield* expectSame("head", branch.head.id, head.id)
      const exact = branch.entries.filter((entry) => entry.exact && entry.level !== undefined)
      yield* expectSame("exact entries", exact.map(({ id }) => id), exact.map(({ level }) => at(level!)))
      yield* expectTrue("there are entries below the head", branch.entries.length > 1)
    })
  )
]

/** A session with messages that are taken only one at a time. */
const reluctant = Effect.fnUntraced(function*() {
  const counterpart = yield* (yield* ProtocolWorld).counterpart("honest")
  const session = yield* openTo(counterpart)
  const heard = yield* Queue.unbounded<Incoming>()
  session.receive((message) => {
    Queue.offerUnsafe(heard, message)
    return false
  })
  return { counterpart, session, heard }
})

const flow: ReadonlyArray<ProtocolCheck> = [
  check(
    "hands over nothing while its consumer pauses, and all of it after",
    Effect.fnUntraced(function*() {
      const { blocks } = yield* ProtocolWorld
      const { counterpart, heard, session } = yield* reluctant()
      const ids = [1, 2, 3, 4, 5].map((level) => idAt(blocks, level))
      yield* session.send([{ kind: "get-headers", ids }])
      for (const [at, id] of ids.entries()) {
        const message = yield* Queue.take(heard)
        yield* expectSame(`message ${at}`, message.kind === "header" ? message.header.id : message.kind, id)
        // Another session's question and answer: more than enough time for whatever comes by this one.
        if (at < 2) yield* stillAnswers(yield* joinTo(counterpart), "a second session")
        yield* expectSame("messages during the pause", yield* Queue.size(heard), 0)
        session.resume()
      }
    })
  ),
  check(
    "sends again after a send was interrupted at any step",
    Effect.fnUntraced(function*() {
      const { blocks } = yield* ProtocolWorld
      const { header, units } = fullBlock(blocks)
      const joined = yield* join("honest")
      const reply: Outgoing = { kind: "unit", block: header.id, unit: 0, units }
      yield* atEachStep(joined.session.send([reply, reply]), () => stillAnswers(joined, "the session"))
    })
  )
]

const endings: ReadonlyArray<ProtocolCheck> = [
  ...(["malformed", "huge"] as const).map((how) =>
    check(
      how === "malformed"
        ? "ends by a message that is none, with the proof, that session only"
        : "ends by a message larger than any may be, that session only",
      Effect.fnUntraced(function*() {
        const other = yield* join("honest")
        const { counterpart, session } = yield* join("honest")
        yield* counterpart.misbehave(how)
        const end = yield* session.closed
        yield* expectSame("kind of the end", end.kind, "malformed")
        yield* expectTrue("the end says what was wrong", end.message !== "")
        yield* expectFailure("a send afterwards", session.send([{ kind: "get-head" }]))
        yield* stillAnswers(other, "another session")
      })
    )
  ),
  check(
    "ends when the peer is cut off in the middle of a message, which is no farewell",
    Effect.fnUntraced(function*() {
      const { counterpart, session } = yield* join("honest")
      yield* counterpart.misbehave("half")
      const { kind } = yield* session.closed
      yield* expectTrue(
        `the end (${kind}) is one of the connection`,
        kind === "end" || kind === "error" || kind === "malformed"
      )
      const error = yield* expectFailure("a send afterwards", session.send([{ kind: "get-head" }]))
      yield* expectSame("error", error._tag, "SessionEndError")
    })
  ),
  check(
    "tells a farewell from a crash",
    Effect.fnUntraced(function*() {
      const leaving = yield* join("honest")
      yield* leaving.counterpart.leave
      yield* expectSame("end of one that left", (yield* leaving.session.closed).kind, "farewell")
      const crashed = yield* join("honest")
      yield* crashed.counterpart.cut
      const { kind } = yield* crashed.session.closed
      yield* expectTrue(`the end of one that crashed (${kind}) is no farewell`, kind === "end" || kind === "error")
    }),
    ["farewell"]
  ),
  check(
    "closes the connection by its own close, once, and sends no more",
    Effect.fnUntraced(function*() {
      const { counterpart, session } = yield* join("honest")
      session.close("enough")
      session.close("again")
      const end = yield* session.closed
      yield* expectSame("end", end, { kind: "local", message: "enough" })
      yield* expectFailure("a send afterwards", session.send([{ kind: "get-head" }]))
      yield* counterpart.settled
    })
  )
]

export const protocolPeerChecks: ReadonlyArray<ProtocolCheck> = [
  ...openings,
  ...asking,
  ...serving,
  ...flow,
  ...endings
]
