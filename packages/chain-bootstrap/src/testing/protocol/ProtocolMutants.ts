/** Protocols with one fault each, which the kit must reject: the synthetic one with something changed. */
import type { Mutant } from "@peerstrap/conformance"
import { Memory } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { ChainProtocol, HandshakeFailed, type PeerSession, type SessionEnd } from "../../contract/ChainProtocol.ts"
import type { ChainRules } from "../../contract/ChainRules.ts"
import type { Incoming, Outgoing } from "../../contract/PeerMessage.ts"
import type { ProtocolServices } from "./ProtocolChecks.ts"
import { syntheticWorld } from "./SyntheticWorld.ts"

type Protocol = ChainProtocol["Service"]
type ProtocolMutant = Mutant<ProtocolServices>

const world = syntheticWorld(Memory.layer)

const mutant = (
  name: string,
  rejectedBy: string,
  because: RegExp | "hangs",
  change: (protocol: Protocol) => Partial<Protocol>
): ProtocolMutant => ({
  name,
  rejectedBy,
  because,
  layer: Layer.effect(ChainProtocol, Effect.map(ChainProtocol, (protocol) => ({ ...protocol, ...change(protocol) })))
    .pipe(
      Layer.provideMerge(world)
    )
})

const rules = (change: (rules: ChainRules) => Partial<ChainRules>) => (protocol: Protocol): Partial<Protocol> => ({
  rules: { ...protocol.rules, ...change(protocol.rules) }
})

const over = (session: PeerSession, changes: Partial<PeerSession>): PeerSession => ({
  id: session.id,
  point: session.point,
  ancestors: session.ancestors,
  closed: session.closed,
  send: (messages) => session.send(messages),
  receive: (consumer) => session.receive(consumer),
  resume: () => session.resume(),
  close: (reason) => session.close(reason),
  ...changes
})

const sessions =
  (change: (session: PeerSession) => Partial<PeerSession>) => (protocol: Protocol): Partial<Protocol> => ({
    open: (connection, options) =>
      Effect.map(protocol.open(connection, options), (session) => over(session, change(session)))
  })

/** Undefined: the message is lost. */
const hears = (change: (message: Incoming) => Incoming | undefined) =>
  sessions((session) => ({
    receive: (consumer) =>
      session.receive((message) => {
        const heard = change(message)
        return heard === undefined || consumer(heard)
      })
  }))

const says = (change: (message: Outgoing) => Outgoing) =>
  sessions((session) => ({ send: (messages) => session.send(messages.map(change)) }))

const ends = (change: (end: SessionEnd) => SessionEnd) =>
  sessions((session) => ({ closed: Effect.map(session.closed, change) }))

const fails =
  (change: (error: HandshakeFailed) => Partial<HandshakeFailed>) => (protocol: Protocol): Partial<Protocol> => ({
    open: (connection, options) =>
      Effect.mapError(protocol.open(connection, options), (error) => {
        const { id, message, points, reason, remote } = error
        return new HandshakeFailed({ id, message, points, reason, remote, ...change(error) })
      })
  })

const handshake = "shakes hands and says who the peer is"

const openings: ReadonlyArray<ProtocolMutant> = [
  mutant("takes the remote's address for its identity", handshake, /id: saw "10\.0\.0\.1/, (protocol) => ({
    open: (connection, options) =>
      Effect.map(protocol.open(connection, options), (session) => over(session, { id: connection.remote }))
  })),
  mutant("forgets where it dialled", handshake, /point: saw/, sessions(() => ({ point: undefined }))),
  mutant(
    "welcomes everybody",
    "refuses whom it is told to refuse",
    /open: succeeded, expected it to fail/,
    (protocol) => ({
      open: (connection, options) => protocol.open(connection, { ...options, accept: () => undefined })
    })
  ),
  mutant(
    "calls a refusal a fault",
    "is told by whom it is refused, with the points of others",
    /open: failed with .*"reason":"malformed"/,
    fails(({ reason }) => reason === "nacked" ? { reason: "malformed" } : {})
  ),
  mutant(
    "forgets the points of a refusal",
    "is told by whom it is refused, with the points of others",
    /points: saw \[\]/,
    fails(() => ({ points: [] }))
  ),
  mutant(
    "takes itself for another one",
    "recognises itself",
    /recognises itself, the other as well \(refused, refused\)/,
    fails(({ reason }) => reason === "self" ? { reason: "refused" } : {})
  ),
  mutant(
    "takes every failure for a closed connection",
    "takes bytes that are no handshake for malformed",
    /open: failed with .*"reason":"closed"/,
    fails(() => ({ reason: "closed" }))
  ),
  mutant(
    "takes every failure for the peer's fault",
    "says that the connection was closed when it was",
    /open: failed with .*"reason":"malformed"/,
    fails(() => ({ reason: "malformed" }))
  ),
  mutant(
    "stays open when its scope has ended",
    "ends its session with the scope",
    "hangs",
    (protocol) => ({
      open: (connection, options) => Scope.provide(protocol.open(connection, options), Scope.makeUnsafe())
    })
  ),
  mutant(
    "stays open when its opening was interrupted",
    "leaves no connection open when its opening is interrupted at any step",
    "hangs",
    (protocol) => ({
      open: (connection, options) =>
        Effect.gen(function*() {
          const scope = Scope.makeUnsafe()
          const session = yield* Scope.provide(protocol.open(connection, options), scope)
          yield* Effect.addFinalizer((exit) => Scope.close(scope, exit))
          return session
        })
    })
  )
]

const branch = "tells the peer's branch: its head, and entries that are its own"
const inOrder = "names headers by their ids, in whatever order they come"
const units = "brings units with proofs that hold for them alone"

/** Takes what comes for what was asked, one after the other. */
const byIndex = sessions((session) => {
  let asked: ReadonlyArray<string> = []
  return {
    send: (messages) => {
      asked = messages.flatMap((message) => message.kind === "get-headers" ? message.ids : [])
      return session.send(messages)
    },
    receive: (consumer) => {
      let at = 0
      session.receive((message) =>
        consumer(
          message.kind === "header" ? { ...message, header: { ...message.header, id: asked[at++] ?? "" } } : message
        )
      )
    }
  }
})

const everyThird = () => {
  let count = 0
  return (message: Incoming): Incoming | undefined =>
    message.kind === "header" && ++count % 3 === 0 ? undefined : message
}

const asking: ReadonlyArray<ProtocolMutant> = [
  mutant(
    "is one off in the levels of a branch",
    branch,
    /first entry: saw .*"level":25/,
    hears((message) =>
      message.kind === "branch"
        ? { ...message, entries: message.entries.map((one) => ({ ...one, level: (one.level ?? 0) + 1 })) }
        : message
    )
  ),
  mutant(
    "takes every entry of a branch for exact",
    branch,
    /an entry at level \d+ stands below|exact entry at level/,
    hears((message) =>
      message.kind === "branch"
        ? {
          ...message,
          entries: message.entries.map((one, at) => ({
            ...one,
            exact: true,
            level: (one.level ?? 0) + (at > 3 ? 1 : 0)
          }))
        }
        : message
    )
  ),
  mutant(
    "tells the head's parent for the head",
    "tells the peer's head",
    /head: saw .* expected/,
    hears((message) =>
      message.kind === "head" ? { ...message, header: { ...message.header, level: message.header.level - 1 } } : message
    )
  ),
  mutant("takes headers for those that it asked for, one after the other", inOrder, /headers: saw/, byIndex),
  mutant(
    "believes that a header is the one that it asked for",
    "never calls a header by an id that its bytes do not have",
    /not so: an altered header does not have the id that was asked for/,
    byIndex
  ),
  mutant("loses every third header", "brings the headers that were asked for", "hangs", hears(everyThird())),
  mutant(
    "takes the offset for a level",
    "brings an ancestor with what it is an ancestor of",
    /ancestor: saw .*"offset":5/,
    hears((message) => message.kind === "ancestor" ? { ...message, offset: message.header.level } : message)
  ),
  mutant(
    "verifies nothing",
    units,
    /not so: a changed bit 0 of unit 0 is refused/,
    rules(() => ({ verifyUnit: () => undefined }))
  ),
  mutant(
    "takes a unit for one of any position",
    units,
    /not so: another position of unit 0 is refused/,
    rules((one) => ({
      verifyUnit: (header, unit, body, proof) =>
        unit >= header.units ||
          Array.from({ length: header.units }).every((_, at) => one.verifyUnit(header, at, body, proof) !== undefined)
          ? "nowhere"
          : undefined
    }))
  ),
  mutant(
    "asks for five items at most",
    "asks for as many items at once as a request may name",
    "hangs",
    says((message) => message.kind === "get-headers" ? { ...message, ids: message.ids.slice(0, 5) } : message)
  ),
  mutant(
    "forgets the first point",
    "brings the points of other peers",
    /points: saw \[\]/,
    hears((message) => message.kind === "peers" ? { ...message, points: message.points.slice(1) } : message)
  )
]

const serving: ReadonlyArray<ProtocolMutant> = [
  mutant(
    "turns requests round",
    "hands over a peer's requests as they were asked",
    /request: saw .*"get-headers"/,
    hears((message) =>
      message.kind === "request" && message.request.kind === "get-headers"
        ? { kind: "request", request: { kind: "get-headers", ids: message.request.ids.toReversed() } }
        : message
    )
  ),
  mutant(
    "serves the unit beside the one that was asked for",
    "says just what it is given to say",
    /unit: saw .*"unit":1/,
    says((message) =>
      message.kind === "unit" ? { ...message, unit: (message.unit + 1) % message.units.length } : message
    )
  ),
  mutant(
    "says that a header is its head",
    "says just what it is given to say",
    /header: saw .*"kind":"head"/,
    says((message) => message.kind === "header" ? { kind: "head", header: message.header } : message)
  ),
  mutant(
    "names the level above in its branch",
    "tells its own branch with entries that are in it",
    /exact entries: saw/,
    says((message) =>
      message.kind === "branch"
        ? { ...message, chain: { ...message.chain, idAt: (level) => message.chain.idAt(level + 1) } }
        : message
    )
  )
]

const malformed = "ends by a message that is none, with the proof, that session only"

const flow: ReadonlyArray<ProtocolMutant> = [
  mutant(
    "does not pause",
    "hands over nothing while its consumer pauses, and all of it after",
    /messages during the pause: saw \d/,
    sessions((session) => ({
      receive: (consumer) =>
        session.receive((message) => {
          consumer(message)
          return true
        })
    }))
  ),
  mutant(
    "does not go on after a pause",
    "hands over nothing while its consumer pauses, and all of it after",
    "hangs",
    sessions(() => ({ resume: () => undefined }))
  ),
  mutant(
    "is mute after an interrupted send",
    "sends again after a send was interrupted at any step",
    "hangs",
    sessions((session) => {
      let isBusy = false
      return {
        send: (messages) =>
          Effect.suspend(() => {
            if (isBusy) return Effect.never
            isBusy = true
            const send = Effect.andThen(Effect.yieldNow, session.send(messages))
            return Effect.tap(send, () => Effect.sync(() => (isBusy = false)))
          })
      }
    })
  ),
  mutant(
    "takes nonsense for the end of the connection",
    malformed,
    /kind of the end: saw "end"/,
    ends((end) => end.kind === "malformed" ? { ...end, kind: "end" } : end)
  ),
  mutant(
    "keeps the proof to itself",
    malformed,
    /the end says what was wrong/,
    ends((end) => ({ ...end, message: "" }))
  ),
  mutant("ends all its sessions by one message", malformed, /one was malformed/, (protocol) => {
    const all = new Set<PeerSession>()
    return {
      open: (connection, options) =>
        Effect.map(protocol.open(connection, options), (session) => {
          all.add(session)
          const closed = Effect.map(session.closed, (end) => {
            if (end.kind === "malformed") { for (const one of all) one.close("one was malformed") }
            return end
          })
          return over(session, { closed })
        })
    }
  }),
  mutant(
    "waits for the rest of a message of any size",
    "ends by a message larger than any may be, that session only",
    "hangs",
    sessions((session) => ({
      closed: Effect.tap(session.closed, (end) => /at most/.test(end.message) ? Effect.never : Effect.void)
    }))
  ),
  mutant(
    "takes a crash for a farewell",
    "ends when the peer is cut off in the middle of a message, which is no farewell",
    /not so: the end \(farewell\) is one of the connection/,
    ends((end) => end.kind === "end" ? { ...end, kind: "farewell" } : end)
  ),
  mutant(
    "takes a farewell for a crash",
    "tells a farewell from a crash",
    /end of one that left: saw "end"/,
    ends((end) => end.kind === "farewell" ? { ...end, kind: "end" } : end)
  ),
  mutant(
    "sends into the void after the end",
    "closes the connection by its own close, once, and sends no more",
    /a send afterwards: succeeded/,
    sessions((session) => ({ send: (messages) => Effect.ignore(session.send(messages)) }))
  ),
  mutant(
    "does not close",
    "closes the connection by its own close, once, and sends no more",
    "hangs",
    sessions(() => ({ close: () => undefined }))
  )
]

const rulesMutants: ReadonlyArray<ProtocolMutant> = [
  mutant(
    "keeps the caller's bytes",
    "decodes headers as they are, and owns what it keeps",
    /header of level 1: saw .*"bytes":0x0000/,
    rules((one) => ({
      decodeHeader: (bytes) => {
        const header = one.decodeHeader(bytes)
        return typeof header === "string" ? header : { ...header, bytes }
      }
    }))
  ),
  mutant(
    "takes a header with a byte too many",
    "takes no header for another one",
    /not so: wrong bytes 3 for the header of level 3/,
    rules((one) => ({ decodeHeader: (bytes) => one.decodeHeader(bytes.length > 113 ? bytes.subarray(0, 113) : bytes) }))
  ),
  mutant(
    "takes all chains for equal",
    "orders chains by their weight",
    /weight of level 1 beside 2: saw 0/,
    rules(() => ({ compareWeight: () => 0 }))
  ),
  mutant(
    "takes the lighter chain for the heavier one",
    "orders chains by their weight",
    /weight of level 1 beside 2: saw 1, expected -1/,
    rules((one) => ({ compareWeight: (a, b) => one.compareWeight(b, a) }))
  ),
  mutant(
    "links anything",
    "links a child to its parent, and to nothing else",
    /a parent on top of its child is refused/,
    rules(() => ({ checkLink: () => undefined }))
  ),
  mutant(
    "links a child that is no heavier",
    "links a child to its parent, and to nothing else",
    /a child no heavier than its parent is refused/,
    rules((one) => ({
      checkLink: (child, parent) => {
        const fault = one.checkLink(child, parent)
        return fault === "not heavier than its parent" ? undefined : fault
      }
    }))
  ),
  mutant(
    "takes the future for now",
    "takes headers of now and of the past, and none of the future",
    /an hour ahead is refused/,
    rules(() => ({ checkAlone: () => undefined }))
  ),
  mutant(
    "takes units in any order",
    "takes a whole body, and none that is altered, short or out of order",
    /another order is refused/,
    rules((one) => ({
      verifyBody: (header, units) => {
        const turns = units.map((_, at) => [...units.slice(at), ...units.slice(0, at)])
        return turns.some((each) => one.verifyBody(header, each) === undefined) ? undefined : "no order fits"
      }
    }))
  ),
  mutant(
    "declares no items",
    "declares limits that can be kept",
    /one item at least/,
    rules(() => ({ itemsPerRequest: 0 }))
  )
]

/** All protocols with a fault, each with the check that must reject it. */
export const chainProtocolMutants: ReadonlyArray<ProtocolMutant> = [
  ...openings,
  ...asking,
  ...serving,
  ...flow,
  ...rulesMutants
]
