// Two nodes over the memory transport: every message both ways, refusals, foreign chains, locators that cannot be, bytes that mean nothing.
import { assert, describe, it } from "@effect/vitest"
import type { Answer, HeaderFacts, Incoming, LocatorSource, Outgoing, Request } from "@peerstrap/chain-bootstrap"
import { HandshakeFailed } from "@peerstrap/chain-bootstrap"
import { makeTezosRules, type Network } from "@peerstrap/tezos-bootstrap"
import {
  buildPaths,
  encodeHash,
  encodeHeader,
  encodePeerMessage,
  handshake,
  operationListListHash,
  type PeerMessage,
  type Session,
  SessionLimits
} from "@peerstrap/tezos-wire"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import { joinOperations, listHashes } from "../src/engine/OperationList.ts"
import { bytes, chainFacts, crypto, facts, genesisId } from "./chains.ts"
import { connect, dialled, identityOf, listenTo, openPair, protocolOf, speakers, welcome } from "./speakers.ts"

const network: Network = {
  ...chainFacts,
  name: "test",
  chainName: "TEZOS_TEST",
  chainId: "NetXdQprcVkpaWU",
  chainIdBytes: bytes("7a06a770"),
  proofOfWork: 0,
  peers: [],
  blocksPerCycle: 100,
  blockTimeSeconds: 6
}
const rules = makeTezosRules(crypto, network)

const operation = (fill: number, size = 50): Uint8Array => new Uint8Array(size).fill(fill)
const units = [[operation(1), operation(2)], [], [operation(3, 32)], []].map(joinOperations)
const unitHashes = listHashes(crypto, units) as ReadonlyArray<Uint8Array>
const unitPaths = buildPaths(crypto, unitHashes)

/** Levels 1 … 40, all with the same operations. */
const chain: ReadonlyArray<HeaderFacts> = Array.from({ length: 40 }).reduce<Array<HeaderFacts>>((blocks, _, i) => {
  blocks.push(
    facts(
      rules,
      encodeHeader({
        level: i + 1,
        proto: 1,
        predecessor: bytes(blocks.at(-1)?.id ?? genesisId),
        timestamp: 1_000 + i,
        validationPass: 4,
        operationsHash: operationListListHash(crypto, unitHashes),
        fitness: [Uint8Array.of(2), Uint8Array.of(0, 0, 0, i + 1)],
        context: new Uint8Array(32).fill(i),
        protocolData: new Uint8Array(8)
      })
    )
  )
  return blocks
}, [])
const head = chain[39]!
const idAt = (level: number): string => level === 0 ? genesisId : chain[level - 1]!.id
const source: LocatorSource = { head, lowestLevel: 0, idAt }
const peerText = encodeHash("peer", identityOf(3).peerId)

const requests: ReadonlyArray<Request> = [
  { kind: "get-branch" },
  { kind: "get-head" },
  { kind: "get-headers", ids: [idAt(1), idAt(40)] },
  { kind: "get-ancestor", of: idAt(40), offset: 7 },
  { kind: "get-units", items: [{ block: idAt(3), unit: 0 }, { block: idAt(3), unit: 3 }] },
  { kind: "get-peers" },
  { kind: "swap-request", point: "1.2.3.4:5", id: peerText }
]

const replies: ReadonlyArray<readonly [Outgoing, Answer]> = [
  [{ kind: "head", header: head }, { kind: "head", header: head }],
  [{ kind: "header", header: chain[4]! }, { kind: "header", header: chain[4]! }],
  [
    { kind: "ancestor", of: idAt(9), offset: 3, header: chain[5]! },
    { kind: "ancestor", of: idAt(9), offset: 3, header: chain[5]! }
  ],
  ...units.map((body, unit): readonly [Outgoing, Answer] => [
    { kind: "unit", block: idAt(3), unit, units },
    { kind: "unit", block: idAt(3), unit, body, proof: unitPaths[unit]! }
  ]),
  [{ kind: "peers", points: ["1.2.3.4:5", "[::1]:6", "no point"] }, {
    kind: "peers",
    points: ["1.2.3.4:5", "[::1]:6"]
  }],
  [{ kind: "peers", points: [] }, { kind: "peers", points: [] }],
  [{ kind: "swap-ack", point: "[::1]:6", id: peerText }, { kind: "swap-ack", point: "[::1]:6", id: peerText }]
]

describe("TezosProtocol", () => {
  it.effect("says who is who", () =>
    Effect.gen(function*() {
      const [near, far] = yield* speakers({ network, far: { ownPort: 9999 } })
      assert.deepStrictEqual([near.protocol.name, near.protocol.chainId], ["tezos TEZOS_TEST", "NetXdQprcVkpaWU"])
      assert.strictEqual(near.protocol.ownId, encodeHash("peer", identityOf(1).peerId))
      assert.strictEqual(near.session.id, far.protocol.ownId)
      assert.strictEqual(far.session.id, near.protocol.ownId)
      assert.strictEqual(near.session.point, dialled)
      assert.isUndefined(far.session.point)
      assert.isTrue(near.session.ancestors && far.session.ancestors)
    }))

  it.effect("requests, both ways", () =>
    Effect.gen(function*() {
      const [near, far] = yield* speakers({ network })
      for (const [from, to] of [[near, far], [far, near]] as const) {
        yield* from.session.send(requests)
        for (const request of requests) {
          assert.deepStrictEqual(yield* Queue.take(to.heard), { kind: "request", request })
        }
      }
    }))

  it.effect("replies, both ways, owned by who gets them", () =>
    Effect.gen(function*() {
      const [near, far] = yield* speakers({ network })
      for (const [from, to] of [[near, far], [far, near]] as const) {
        yield* from.session.send(replies.map(([reply]) => reply))
        const heard: Array<Incoming> = []
        for (const _ of replies) heard.push(yield* Queue.take(to.heard))
        assert.deepStrictEqual(heard, replies.map(([, answer]) => answer))
        for (const answer of heard) {
          if (answer.kind === "unit") {
            assert.isUndefined(rules.verifyUnit(chain[2]!, answer.unit, answer.body, answer.proof))
          }
        }
      }
    }))

  it.effect("branches: entries with their levels, the last one inexact", () =>
    Effect.gen(function*() {
      const [near, far] = yield* speakers({ network })
      for (const [from, to] of [[near, far], [far, near]] as const) {
        yield* from.session.send([{ kind: "branch", chain: source }, {
          kind: "branch",
          chain: { ...source, lowestLevel: 25 }
        }])
        for (const lowest of [0, 25]) {
          const answer = yield* Queue.take(to.heard)
          if (answer.kind !== "branch") return assert.fail(answer.kind)
          assert.deepStrictEqual(answer.head, head)
          assert.deepStrictEqual(answer.entries[0], { id: head.id, level: 40, exact: true })
          assert.isAbove(answer.entries.length, 11)
          for (const entry of answer.entries.slice(0, -1)) {
            assert.isTrue(entry.exact)
            assert.strictEqual(entry.id, idAt(entry.level!))
          }
          const last = answer.entries.at(-1)!
          assert.deepStrictEqual([last.id, last.exact], [idAt(lowest), false])
          assert.isAtMost(last.level!, lowest)
        }
      }
    }))

  it.effect("an empty node sends the genesis header, or nothing", () =>
    Effect.gen(function*() {
      const genesis = facts(
        rules,
        encodeHeader({
          level: 0,
          proto: 0,
          predecessor: bytes(genesisId),
          timestamp: 900,
          validationPass: 0,
          operationsHash: operationListListHash(crypto, []),
          fitness: [],
          context: new Uint8Array(32),
          protocolData: new Uint8Array(0)
        })
      )
      const [near, far] = yield* speakers({ network })
      const empty = { head: genesis, lowestLevel: 0, idAt }
      const unknown = { ...empty, head: { ...genesis, bytes: new Uint8Array(0) } }
      yield* near.session.send([{ kind: "branch", chain: unknown }, { kind: "head", header: unknown.head }])
      yield* near.session.send([{ kind: "branch", chain: empty }])
      assert.deepStrictEqual(yield* Queue.take(far.heard), {
        kind: "branch",
        head: genesis,
        entries: [{ id: genesisId, level: 0, exact: true }]
      })
    }))

  it.effect("what a peer cannot be told is not said", () =>
    Effect.gen(function*() {
      const [near, far] = yield* speakers({ network })
      const tooLarge = [[operation(1, 131_073)], [], [], []].map(joinOperations)
      yield* near.session.send([
        { kind: "unit", block: idAt(3), unit: 4, units },
        { kind: "unit", block: idAt(3), unit: 0, units: tooLarge },
        { kind: "get-headers", ids: [] },
        { kind: "get-units", items: [] },
        { kind: "swap-request", point: "nowhere", id: peerText },
        { kind: "swap-ack", point: "1.2.3.4:5", id: "idnobody" }
      ])
      yield* near.session.send([{ kind: "get-peers" }])
      assert.deepStrictEqual(yield* Queue.take(far.heard), { kind: "request", request: { kind: "get-peers" } })
    }))

  it.effect("a consumer that says no is left alone until resume", () =>
    Effect.gen(function*() {
      const opened = yield* openPair({ network })
      const [near, far] = [yield* Effect.fromResult(opened.near), yield* Effect.fromResult(opened.far)]
      const heard = yield* Queue.unbounded<Incoming>()
      near.receive((message) => {
        Queue.offerUnsafe(heard, message)
        return false
      })
      yield* far.send([{ kind: "get-head" }, { kind: "get-peers" }])
      yield* Queue.take(heard)
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* Queue.size(heard), 0)
      near.resume()
      assert.deepStrictEqual(yield* Queue.take(heard), { kind: "request", request: { kind: "get-peers" } })
    }))
})

/** Our protocol as the acceptor, and a bare wire session that may say anything. */
const rawPeer = Effect.fnUntraced(function*(ddb: ReadonlyArray<number> = [0, 1, 2]) {
  const { far, near } = yield* connect
  const protocol = yield* protocolOf({ network, identity: identityOf(1) })
  const [raw, ours] = yield* Effect.all([
    handshake(near, {
      crypto,
      identity: identityOf(2),
      chainName: network.chainName,
      side: "initiator",
      powDifficulty: 0,
      port: 4321,
      versions: { distributedDb: ddb, p2p: [0, 1] }
    }),
    protocol.open(far, { side: "incoming", dialled: undefined, ...welcome })
  ], { concurrency: 2 })
  return { raw, ours, heard: yield* listenTo(ours) }
})

const says = (raw: Session, ...messages: ReadonlyArray<PeerMessage>) => raw.send(messages.map(encodePeerMessage))
const fields = (header: HeaderFacts) =>
  ({ raw: header.bytes }) as Extract<PeerMessage, { _tag: "BlockHeader" }>["header"]
const hash = (level: number) => bytes(idAt(level))
const chainId = network.chainIdBytes
const foreign = bytes("af1864d9")
const empty = { knownValid: [], pending: [] }

describe("messages of a peer", () => {
  it.effect("other chains and what is of no use here", () =>
    Effect.gen(function*() {
      const { heard, raw } = yield* rawPeer()
      const branch = { _tag: "CurrentBranch", header: fields(head), history: [] } as const
      yield* says(
        raw,
        { _tag: "GetCurrentBranch", chainId: foreign },
        { ...branch, chainId: foreign },
        { _tag: "GetCurrentHead", chainId: foreign },
        { _tag: "CurrentHead", chainId: foreign, header: fields(head), mempool: empty },
        { _tag: "Deactivate", chainId: foreign }
      )
      for (let i = 0; i < 5; i++) assert.deepStrictEqual(yield* Queue.take(heard), { kind: "other-chain" })
      const useless: ReadonlyArray<PeerMessage> = [
        { _tag: "Deactivate", chainId },
        { _tag: "GetOperations", hashes: [hash(1)] },
        { _tag: "Operation", operation: operation(1) },
        { _tag: "GetProtocols", hashes: [hash(1)] },
        { _tag: "Protocol", environmentVersion: 1, components: [] },
        { _tag: "GetCheckpoint", chainId },
        { _tag: "Checkpoint", chainId, header: fields(head) },
        { _tag: "GetProtocolBranch", chainId, proto: 1 },
        { _tag: "ProtocolBranch", chainId, proto: 1, header: fields(head), history: [] }
      ]
      yield* says(raw, ...useless)
      for (const { _tag } of useless) assert.deepStrictEqual(yield* Queue.take(heard), { kind: "ignored", what: _tag })
      const idle: ReadonlyArray<PeerMessage> = [
        { _tag: "GetBlockHeaders", hashes: [] },
        { _tag: "GetOperationsForBlocks", items: [] },
        { _tag: "GetPredecessorHeader", block: hash(1), offset: -1 },
        { _tag: "SwapRequest", point: "example.org:1", peerId: identityOf(3).peerId },
        { _tag: "SwapAck", point: "1.2.3.4:0", peerId: identityOf(3).peerId }
      ]
      yield* says(raw, ...idle)
      for (const { _tag } of idle) assert.strictEqual((yield* Queue.take(heard)).kind, "ignored", _tag)
      // A mempool although we announced that we want none: no use, and no fault that a score should know.
      yield* says(raw, {
        _tag: "CurrentHead",
        chainId,
        header: fields(head),
        mempool: { knownValid: [hash(1)], pending: [] }
      })
      assert.deepStrictEqual(yield* Queue.take(heard), { kind: "head", header: head })
    }))

  it.effect("branches and heads that cannot be", () =>
    Effect.gen(function*() {
      const { heard, raw } = yield* rawPeer()
      const below = (count: number) => Array.from({ length: count }, (_, i) => hash(39 - i))
      const strange = encodeHeader({
        level: -5,
        proto: 0,
        predecessor: hash(1),
        timestamp: 1,
        validationPass: 4,
        operationsHash: hash(1),
        fitness: [],
        context: hash(1),
        protocolData: new Uint8Array(0)
      })
      const rows: ReadonlyArray<readonly [RegExp, Uint8Array, ReadonlyArray<Uint8Array>]> = [
        [/first entry is not the predecessor/, head.bytes, below(9).slice(1)],
        [/repeated/, head.bytes, [...below(5), hash(38)]],
        [/among its own ancestors/, head.bytes, [...below(3), hash(40)]],
        [/would lie below level 0/, chain[1]!.bytes, [hash(1), hash(7), hash(8), hash(9), hash(10)]],
        [/the head: level -5/, strange, []]
      ]
      for (const [detail, header, history] of rows) {
        yield* says(raw, { _tag: "CurrentBranch", chainId, header: { raw: header } as never, history })
        const answer = yield* Queue.take(heard)
        if (answer.kind !== "bogus") return assert.fail(`${answer.kind}: ${String(detail)}`)
        assert.strictEqual(answer.what, "branch")
        assert.match(answer.detail, detail)
      }
      yield* says(raw, { _tag: "CurrentHead", chainId, header: { raw: strange } as never, mempool: empty })
      assert.deepStrictEqual(yield* Queue.take(heard), {
        kind: "bogus",
        what: "head",
        detail: "level -5: levels begin at 0"
      })
    }))

  it.effect("a header that no chain has ends the session with the proof", () =>
    Effect.gen(function*() {
      const { heard, ours, raw } = yield* rawPeer()
      const other = new Uint8Array(head.bytes)
      new DataView(other.buffer).setInt32(0, 0)
      yield* says(raw, { _tag: "BlockHeader", header: { raw: other } as never })
      const end = yield* ours.closed
      assert.strictEqual(end.kind, "malformed")
      assert.match(end.message, /^BlockHeader: level 0 of a chain that begins with B/)
      assert.strictEqual(yield* Queue.size(heard), 0)
    }))

  const undecodable: ReadonlyArray<readonly [string, ReadonlyArray<number>, RegExp]> = [
    ["an unknown tag", [0x00, 0x50], /message cannot be decoded: byte 0 of its frame: no message has the tag 0x0050/],
    ["trailing bytes", [0x00, 0x02, 0x07], /Bootstrap cannot be decoded: byte 2 of its frame/],
    ["a cut chain id", [0x00, 0x10, 1, 2], /GetCurrentBranch cannot be decoded: byte 2 of its frame/],
    ["a count for a length", [0x00, 0x20, 0, 0, 0, 1, ...hash(1)], /GetBlockHeaders cannot be decoded/],
    ["a negative pass", [0x00, 0x60, 0, 0, 0, 33, ...hash(1), 0xff], /pass -1 is negative/]
  ]
  for (const [name, frame, proof] of undecodable) {
    it.effect(`${name} ends the session with what and where`, () =>
      Effect.gen(function*() {
        const { ours, raw } = yield* rawPeer()
        yield* raw.send([Uint8Array.from(frame)])
        const end = yield* ours.closed
        assert.strictEqual(end.kind, "malformed")
        assert.match(end.message, proof)
        yield* raw.closed
        assert.match((yield* Effect.flip(ours.send([{ kind: "get-head" }]))).message, /local/)
      }))
  }

  it.effect("Disconnect is an end in order; our own close says it", () =>
    Effect.gen(function*() {
      const { heard, ours, raw } = yield* rawPeer()
      yield* says(raw, { _tag: "Disconnect" }, { _tag: "Bootstrap" })
      assert.deepStrictEqual(yield* ours.closed, { kind: "farewell", message: "the peer said Disconnect" })
      assert.strictEqual(yield* Queue.size(heard), 0)
      const [near, far] = yield* speakers({ network })
      near.session.close("enough")
      assert.deepStrictEqual(yield* near.session.closed, { kind: "local", message: "enough" })
      const end = yield* far.session.closed
      assert.deepStrictEqual(end, { kind: "farewell", message: "the peer said Disconnect" })
    }))

  it.effect("a peer of the first distributed db is never asked for ancestors", () =>
    Effect.gen(function*() {
      const { heard, ours, raw } = yield* rawPeer([0])
      assert.isFalse(ours.ancestors)
      const tags: Array<number> = []
      const two = Promise.withResolvers<void>()
      raw.receive((body) => {
        tags.push(body[0]! << 8 | body[1]!)
        if (tags.length === 2) two.resolve()
        return true
      })
      yield* ours.send([
        { kind: "get-branch" },
        { kind: "get-ancestor", of: idAt(9), offset: 3 },
        { kind: "ancestor", of: idAt(9), offset: 3, header: chain[5]! },
        { kind: "get-peers" }
      ])
      yield* Effect.promise(() => two.promise)
      assert.deepStrictEqual(tags, [0x10, 0x02])
      assert.strictEqual(yield* Queue.size(heard), 0)
    }))
})

const failed = (opened: Result.Result<unknown, HandshakeFailed>): HandshakeFailed => {
  if (Result.isFailure(opened)) return opened.failure
  throw new Error("the handshake did not fail")
}

describe("handshakes that fail", () => {
  const farId = encodeHash("peer", identityOf(2).peerId)
  const nearId = encodeHash("peer", identityOf(1).peerId)

  const refusals = [
    ["too-many", /too many connections/, ["1.2.3.4:5"]],
    ["already-connected", /already connected/, []],
    ["banned", /no reason given/, []]
  ] as const
  for (const [reason, message, points] of refusals) {
    it.effect(`${reason} is told, with points`, () =>
      Effect.gen(function*() {
        const asked: Array<string> = []
        const opened = yield* openPair({
          network,
          acceptFar: (id) => {
            asked.push(id)
            return { reason, points: [...points, ...(points.length === 0 ? [] : ["no point"])] }
          }
        })
        const [near, far] = [failed(opened.near), failed(opened.far)]
        assert.deepStrictEqual(asked, [nearId])
        assert.deepStrictEqual([far.reason, far.id], ["refused", nearId])
        assert.deepStrictEqual([near.reason, near.id], ["nacked", farId])
        assert.match(near.message, message)
        assert.deepStrictEqual(near.points, points)
      }).pipe(Effect.scoped))
  }

  it.effect("another network, and ourselves", () =>
    Effect.gen(function*() {
      // Both refuse, and both wait a while for the other to read why.
      const fiber = yield* Effect.forkChild(openPair({ network, farNetwork: { ...network, chainName: "TEZOS_OTHER" } }))
      while (fiber.pollUnsafe() === undefined) {
        yield* TestClock.adjust(SessionLimits.nackLingerMillis / 10)
        yield* Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))
      }
      const opened = yield* Fiber.join(fiber)
      assert.strictEqual(failed(opened.near).reason, "refused")
      assert.match(failed(opened.near).message, /it is on "TEZOS_OTHER", we are on "TEZOS_TEST"/)
      const self = yield* openPair({ network, far: { identity: identityOf(1) } })
      assert.deepStrictEqual([failed(self.near).reason, failed(self.near).id], ["self", nearId])
    }))

  it.effect("no work, no handshake at all, no answer", () =>
    Effect.gen(function*() {
      const lazy = yield* openPair({ network, near: { powDifficulty: 60 } })
      const refused = failed(lazy.near)
      assert.strictEqual(refused.reason, "malformed")
      assert.match(refused.message, /work.*bytes [0-9a-f]+/)
      const { far, near } = yield* connect
      const protocol = yield* protocolOf({ network, identity: identityOf(1), handshakeTimeoutMillis: 5_000 })
      const open = { side: "outgoing", dialled, ...welcome } as const
      yield* far.write([new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n")])
      assert.strictEqual((yield* Effect.flip(protocol.open(near, open))).reason, "malformed")
      const silent = yield* connect
      const fiber = yield* Effect.forkChild(Effect.flip(protocol.open(silent.near, open)))
      yield* TestClock.adjust(5_000)
      assert.strictEqual((yield* Fiber.join(fiber)).reason, "timeout")
      const cut = yield* connect
      cut.far.close("no")
      assert.strictEqual((yield* Effect.flip(protocol.open(cut.near, open))).reason, "closed")
    }))
})
