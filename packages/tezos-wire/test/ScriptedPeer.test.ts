// The scriptable peer: what an honest one answers, each misbehaviour, commands while it runs, and the audit of its clients.
import { assert, describe, it } from "@effect/vitest"
import {
  chooseVersion,
  HandshakeError,
  headerHash,
  Malformed,
  type PeerMessage,
  readLocator,
  toHex,
  verifyOperations
} from "@peerstrap/tezos-wire"
import {
  makeChain,
  peerBehaviourNames,
  peerBehavioursOf,
  peerBehaviourUsage,
  type ScriptedPeer,
  type ScriptedPeerOptions,
  startScriptedPeer,
  type TestBlock
} from "@peerstrap/tezos-wire/testing"
import { Memory, Tcp, Transport } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { type Client, connect, identity } from "./client.ts"
import { crypto } from "./wire.ts"

const chain = makeChain(crypto, {
  seed: "scripted",
  levels: 80,
  forks: [{ name: "other", at: 70, length: 14 }, { name: "late", at: 80, length: 3 }]
})
const { chainId } = chain

const start = (behaviours = "", changes: Partial<ScriptedPeerOptions> = {}) =>
  startScriptedPeer({ crypto, chain, behaviours, ...changes })

const getBranch: PeerMessage = { _tag: "GetCurrentBranch", chainId }
const getHeaders = (...blocks: ReadonlyArray<TestBlock>): PeerMessage => ({
  _tag: "GetBlockHeaders",
  hashes: blocks.map(({ hash }) => hash)
})
const getOperations = (block: TestBlock, ...passes: ReadonlyArray<number>): PeerMessage => ({
  _tag: "GetOperationsForBlocks",
  items: passes.map((pass) => ({ block: block.hash, pass }))
})

const turns = (count = 300) => Effect.repeat(Effect.yieldNow, { times: count })
const count = (client: Client, name: PeerMessage["_tag"]) => client.received.filter(({ _tag }) => _tag === name).length
const rules = (peer: ScriptedPeer) => peer.stats().violations.map(({ rule }) => rule)

/** A peer with a client that has asked for its branch. */
const met = Effect.fnUntraced(function*(behaviours = "", changes: Partial<ScriptedPeerOptions> = {}) {
  const peer = yield* start(behaviours, changes)
  const client = yield* connect(peer.address, chain)
  yield* client.say(getBranch)
  return { peer, client }
})

const branchOf = Effect.fnUntraced(function*(client: Client) {
  const [branch] = yield* client.wait("CurrentBranch")
  return branch!
})

const inMemory = <A, E>(effect: Effect.Effect<A, E, Transport | import("effect/Scope").Scope>) =>
  effect.pipe(Effect.scoped, Effect.provide(Memory.layer))

describe("an honest peer", () => {
  for (const [name, layer] of [["memory", Memory.layer], ["sockets", Tcp.layer]] as const) {
    it.live(`serves branch, head, headers, operations and predecessors over ${name}`, () =>
      Effect.gen(function*() {
        const { client, peer } = yield* met()
        const branch = yield* branchOf(client)
        assert.strictEqual(toHex(headerHash(crypto, branch.header.raw)), toHex(chain.head().hash))
        const entries = readLocator(crypto, {
          sender: peer.identity.peerId,
          receiver: identity.peerId,
          headHash: chain.head().hash,
          headLevel: 80,
          history: branch.history
        })
        for (const { exact, hash, level } of entries) {
          if (exact) assert.strictEqual(toHex(hash), toHex(chain.at(level!).hash))
        }
        assert.strictEqual(toHex(branch.history.at(-1)!), toHex(chain.genesis.hash))
        yield* client.say(
          { _tag: "GetCurrentHead", chainId },
          getHeaders(chain.at(5), chain.at(80), chain.at(1)),
          getOperations(chain.at(40), 0, 1, 2, 3),
          { _tag: "GetPredecessorHeader", block: chain.at(60).hash, offset: 20 }
        )
        const headers = yield* client.wait("BlockHeader", 3)
        assert.deepStrictEqual(headers.map(({ header }) => header.level), [5, 80, 1])
        const passes = yield* client.wait("OperationsForBlocks", 4)
        for (const { operations, pass, path } of passes) {
          const { operationsHash, validationPass: validationPasses } = chain.at(40).header
          assert.isUndefined(verifyOperations(crypto, { operations, path, pass, operationsHash, validationPasses }))
        }
        const [ancestor] = yield* client.wait("PredecessorHeader")
        assert.strictEqual(ancestor!.header.level, 40)
        const [head] = yield* client.wait("CurrentHead")
        assert.strictEqual(head!.header.level, 80)
        assert.strictEqual(count(client, "GetCurrentBranch"), 1, "it asks as nodes do")
        assert.deepStrictEqual(rules(peer), [])
        assert.strictEqual(peer.stats().sentByName.BlockHeader, 3)
        assert.strictEqual(peer.stats().receivedByName.GetPredecessorHeader, 1)
      }).pipe(Effect.scoped, Effect.provide(layer)))
  }

  it.effect("is silent about what it does not have, and answers GetCurrentHead only after GetCurrentBranch", () =>
    inMemory(Effect.gen(function*() {
      const peer = yield* start()
      const client = yield* connect(peer.address, chain)
      yield* client.say({ _tag: "GetCurrentHead", chainId }, getHeaders(chain.head("other")), {
        _tag: "GetPredecessorHeader",
        block: chain.at(5).hash,
        offset: 6
      })
      yield* client.say(getBranch)
      yield* branchOf(client)
      assert.deepStrictEqual(client.received.map(({ _tag }) => _tag), ["GetCurrentBranch", "CurrentBranch"])
    })))

  it.effect("changes its head on command and announces it to who asked; what it knew stays known", () =>
    inMemory(Effect.gen(function*() {
      const { client, peer } = yield* met()
      yield* branchOf(client)
      client.forget()
      peer.setHead("other")
      peer.announce("branch")
      const branch = yield* branchOf(client)
      assert.strictEqual(branch.header.level, 84)
      peer.setHead(chain.at(82, "late"))
      peer.announce()
      const [head] = yield* client.wait("CurrentHead")
      assert.strictEqual(head!.header.level, 82)
      yield* client.say(getHeaders(chain.head("other"), chain.head("late"), chain.at(81, "late")))
      const headers = yield* client.wait("BlockHeader", 2)
      assert.deepStrictEqual(headers.map(({ header }) => header.level), [84, 81])
    })))

  it.effect("advertises its points, and an empty node sends genesis", () =>
    inMemory(Effect.gen(function*() {
      const { client, peer } = yield* met("", { head: "genesis", points: ["10.0.0.1:9732"] })
      const branch = yield* branchOf(client)
      assert.deepStrictEqual([branch.header.level, branch.history.length], [0, 0])
      yield* client.say({ _tag: "Bootstrap" })
      assert.deepStrictEqual((yield* client.wait("Advertise"))[0]!.points, ["10.0.0.1:9732"])
      peer.setHead(chain.at(1))
      peer.announce()
      assert.strictEqual((yield* client.wait("CurrentHead"))[0]!.header.level, 1)
    })))

  it.effect("dials too, and leaves and comes back on the same address", () =>
    inMemory(Effect.gen(function*() {
      const one = yield* start("", { seed: "one" })
      const two = yield* start("", { seed: "two" })
      const session = yield* one.dial(two.address)
      assert.strictEqual(session.remote.port, two.address.port)
      yield* turns()
      assert.strictEqual(two.stats().receivedByName.GetCurrentBranch, 1)
      assert.strictEqual(one.stats().receivedByName.CurrentBranch, 1)
      assert.deepStrictEqual([...rules(one), ...rules(two)], [])
      yield* two.leave
      assert.strictEqual((yield* session.closed).kind, "end")
      assert.strictEqual((yield* Effect.flip(one.dial(two.address)))._tag, "DialError")
      yield* two.comeBack
      assert.strictEqual((yield* one.dial(two.address)).remote.chainName, chain.chainName)
    })))
})

const bodyOf = (
  name: string,
  behaviours: string,
  body: (met: { peer: ScriptedPeer; client: Client }) => Effect.Effect<void>
) => it.effect(name, () => inMemory(Effect.flatMap(met(behaviours), body)))

describe("behaviours", () => {
  it("parse, print and complain", () => {
    for (const name of peerBehaviourNames) assert.isTrue(peerBehaviourUsage(name).startsWith(name))
    assert.strictEqual(peerBehavioursOf("rolling:40, slow:5 +bad-ops").text, "rolling:40+slow:5+bad-ops:flip:0")
    assert.strictEqual(peerBehavioursOf("honest").text, "")
    assert.deepStrictEqual(peerBehavioursOf("forger:3").get("forger"), { at: 3, length: 0, seed: "a" })
    for (const wrong of ["nonsense", "rolling", "rolling:x", "slow:0", "bad-ops:flop", "reorder:1"]) {
      assert.throws(() => peerBehavioursOf(wrong), RangeError, undefined, wrong)
    }
    assert.strictEqual(chooseVersion([1], 1), 1)
  })

  bodyOf(
    "silent, never-branch, never-headers, never-operations",
    "silent",
    ({ client, peer }) =>
      Effect.gen(function*() {
        for (
          const [behaviours, expected] of [
            ["silent", []],
            ["never-branch", ["BlockHeader", "OperationsForBlocks"]],
            ["never-headers", ["CurrentBranch", "OperationsForBlocks"]],
            ["never-operations", ["CurrentBranch", "BlockHeader"]]
          ] as const
        ) {
          peer.setBehaviours(behaviours)
          client.forget()
          yield* client.say(getBranch, getHeaders(chain.at(9)), getOperations(chain.at(9), 1))
          yield* turns()
          assert.deepStrictEqual(client.received.map(({ _tag }) => _tag as string), [...expected], behaviours)
        }
      })
  )

  bodyOf("slow, in order", "slow:250", ({ client }) =>
    Effect.gen(function*() {
      yield* client.say(getHeaders(chain.at(3)), getHeaders(chain.at(4)))
      yield* turns()
      assert.strictEqual(count(client, "BlockHeader"), 0)
      yield* TestClock.adjust(250)
      const headers = yield* client.wait("BlockHeader", 2)
      assert.deepStrictEqual(headers.map(({ header }) => header.level), [3, 4])
    }))

  bodyOf("reorder and duplicate", "reorder+duplicate", ({ client }) =>
    Effect.gen(function*() {
      yield* client.say(getHeaders(chain.at(3), chain.at(4), chain.at(5)))
      const headers = yield* client.wait("BlockHeader", 6)
      assert.deepStrictEqual(headers.map(({ header }) => header.level), [5, 5, 4, 4, 3, 3])
    }))

  bodyOf("rolling knows only its last levels", "rolling:10", ({ client }) =>
    Effect.gen(function*() {
      const branch = yield* branchOf(client)
      assert.strictEqual(toHex(branch.history.at(-1)!), toHex(chain.at(71).hash))
      yield* client.say(getHeaders(chain.at(70), chain.at(71)), {
        _tag: "GetPredecessorHeader",
        block: chain.head().hash,
        offset: 10
      }, { _tag: "GetPredecessorHeader", block: chain.head().hash, offset: 9 })
      assert.strictEqual((yield* client.wait("PredecessorHeader"))[0]!.header.level, 71)
      assert.deepStrictEqual(client.received.flatMap((each) => each._tag === "BlockHeader" ? each.header.level : []), [
        71
      ])
    }))

  it.effect("forgers of one seed agree with each other, and serve what they forged", () =>
    inMemory(Effect.gen(function*() {
      const heads: Array<string> = []
      for (const behaviours of ["forger:40", "forger:40", "forger:40:0:b"]) {
        const { client } = yield* met(behaviours)
        const { header, history } = yield* branchOf(client)
        assert.strictEqual(header.level, 81)
        heads.push(toHex(header.raw))
        client.forget()
        yield* client.say({ _tag: "GetBlockHeaders", hashes: [history[0]!, chain.at(40).hash, chain.at(41).hash] })
        const headers = yield* client.wait("BlockHeader", 2)
        assert.strictEqual(toHex(headerHash(crypto, headers[0]!.header.raw)), toHex(history[0]!))
      }
      assert.strictEqual(heads[0], heads[1])
      assert.notStrictEqual(heads[0], heads[2])
    })))

  for (const how of ["flip", "wrong", "trail"]) {
    bodyOf(`bad-header:${how}`, `bad-header:${how}`, ({ client }) =>
      Effect.gen(function*() {
        yield* client.say(getHeaders(chain.at(9)))
        const [answer] = yield* client.wait("BlockHeader")
        assert.notStrictEqual(toHex(headerHash(crypto, answer!.header.raw)), toHex(chain.at(9).hash))
      }))
  }

  for (const behaviours of ["bad-ops:flip", "bad-ops:drop", "bad-ops:add", "bad-ops:path", "wrong-pass"]) {
    bodyOf(behaviours, behaviours, ({ client }) =>
      Effect.gen(function*() {
        yield* client.say(getOperations(chain.at(40), 0, 1, 2, 3))
        const { operationsHash, validationPass: validationPasses } = chain.at(40).header
        for (const { operations, pass, path } of yield* client.wait("OperationsForBlocks", 4)) {
          assert.isDefined(verifyOperations(crypto, { operations, path, pass, operationsHash, validationPasses }))
        }
      }))
  }

  bodyOf("bad-ops begins at its level", "bad-ops:flip:50", ({ client }) =>
    Effect.gen(function*() {
      yield* client.say(getOperations(chain.at(49), 3), getOperations(chain.at(50), 3))
      const answers = yield* client.wait("OperationsForBlocks", 2)
      assert.deepStrictEqual(
        answers.map(({ operations, pass, path }, i) => {
          const { operationsHash, validationPass: validationPasses } = chain.at(49 + i).header
          return verifyOperations(crypto, { operations, path, pass, operationsHash, validationPasses }) === undefined
        }),
        [true, false]
      )
    }))

  bodyOf(
    "equivocate, fake-head, future-head, bogus-locator, wrong-chain",
    "equivocate:3",
    ({ client, peer }) =>
      Effect.gen(function*() {
        const ask = Effect.fnUntraced(function*(behaviours: string) {
          peer.setBehaviours(behaviours)
          client.forget()
          yield* client.say(getBranch)
          return yield* branchOf(client)
        })
        yield* branchOf(client)
        const [one, two] = [yield* ask("equivocate:3"), yield* ask("equivocate:3")]
        assert.notStrictEqual(toHex(one.header.raw), toHex(two.header.raw))
        assert.deepStrictEqual([one.header.level, two.header.level], [80, 80])
        const fake = yield* ask("fake-head:500")
        assert.strictEqual(fake.header.level, 580)
        assert.strictEqual(toHex(fake.history[0]!), toHex(fake.header.predecessor))
        yield* client.say({ _tag: "GetBlockHeaders", hashes: fake.history.slice(0, 5) })
        const future = yield* ask("future-head:99")
        assert.strictEqual(future.header.timestamp, chain.head().header.timestamp + 99)
        assert.strictEqual(count(client, "BlockHeader"), 0)
        assert.notStrictEqual(toHex((yield* ask("wrong-chain")).chainId), toHex(chainId))
        const bogus = yield* ask("bogus-locator")
        assert.strictEqual(toHex(bogus.history[1]!), toHex(chain.at(76).hash))
      })
  )

  bodyOf(
    "unsolicited headers, until the connection ends",
    "unsolicited:100",
    ({ client, peer }) =>
      Effect.gen(function*() {
        yield* TestClock.adjust(350)
        yield* client.wait("BlockHeader", 3)
        client.session.close("enough")
        yield* TestClock.adjust(1_000)
        assert.strictEqual(peer.stats().sentByName.BlockHeader, 3)
      })
  )

  bodyOf("stall after two answers, and close-after", "stall:2", ({ client, peer }) =>
    Effect.gen(function*() {
      yield* branchOf(client)
      yield* client.say(getHeaders(chain.at(3), chain.at(4)), getHeaders(chain.at(5)))
      yield* turns()
      assert.strictEqual(count(client, "BlockHeader"), 1)
      peer.setBehaviours("close-after:3")
      yield* client.say(getHeaders(chain.at(3), chain.at(4)))
      assert.strictEqual((yield* client.session.closed).kind, "end")
      assert.strictEqual(count(client, "BlockHeader"), 3)
    }))

  it.effect("nack refuses, with its points", () =>
    inMemory(Effect.gen(function*() {
      const peer = yield* start("nack:1", { points: ["10.0.0.1:9732"] })
      const error = yield* Effect.flip(connect(peer.address, chain))
      assert.instanceOf(error, HandshakeError)
      assert.deepInclude(error, { reason: "nacked", motive: 1 })
      assert.strictEqual(peer.stats().openConnections, 0)
    })))

  it.effect("flap leaves and returns", () =>
    inMemory(Effect.gen(function*() {
      const peer = yield* start("flap:1000:500")
      const client = yield* connect(peer.address, chain)
      yield* TestClock.adjust(1_000)
      assert.strictEqual((yield* client.session.closed).kind, "end")
      assert.strictEqual((yield* Effect.flip(connect(peer.address, chain)))._tag, "DialError")
      yield* TestClock.adjust(500)
      yield* connect(peer.address, chain)
      assert.strictEqual(peer.stats().connections, 2)
    })))
})

describe("the audit", () => {
  const breaches: ReadonlyArray<readonly [string, ReadonlyArray<PeerMessage>]> = [
    ["throttle:GetCurrentBranch", [getBranch]],
    [
      "throttle:GetPredecessorHeader",
      [1, 2].map((offset) => ({
        _tag: "GetPredecessorHeader",
        block: chain.at(9).hash,
        offset
      }))
    ],
    ["never:GetCheckpoint", [{ _tag: "GetCheckpoint", chainId }]],
    ["duplicate-in-request", [getHeaders(chain.at(3), chain.at(3))]],
    ["empty-request", [getHeaders()]],
    ["pass-out-of-range", [getOperations(chain.at(3), 4)]],
    ["genesis-header-requested", [{ _tag: "GetBlockHeaders", hashes: [chain.genesis.hash] }]],
    ["negative-offset", [{ _tag: "GetPredecessorHeader", block: chain.at(9).hash, offset: -1 }]],
    ["wrong-chain", [{ _tag: "GetCurrentHead", chainId: Uint8Array.of(1, 2, 3, 4) }]],
    ["unrequested:BlockHeader", [{ _tag: "BlockHeader", header: chain.at(3).header }]],
    ["mempool-although-disabled", [{
      _tag: "CurrentHead",
      chainId,
      header: chain.at(3).header,
      mempool: { knownValid: [chain.at(3).hash], pending: [] }
    }]],
    ["locator", [{
      _tag: "CurrentBranch",
      chainId,
      header: chain.at(30).header,
      history: [29, 27, 20].map((level) => chain.at(level).hash)
    }]]
  ]
  for (const [rule, messages] of breaches) {
    bodyOf(`notices ${rule}`, "", ({ client, peer }) =>
      Effect.gen(function*() {
        yield* branchOf(client)
        yield* client.say(...messages)
        yield* turns()
        assert.deepStrictEqual(rules(peer), [rule])
      }))
  }

  bodyOf("lets a client be that keeps the spacings", "", ({ client, peer }) =>
    Effect.gen(function*() {
      yield* branchOf(client)
      yield* TestClock.adjust(4_000)
      yield* client.say(getBranch, { _tag: "GetPredecessorHeader", block: chain.at(9).hash, offset: 1 })
      yield* client.wait("CurrentBranch", 2)
      yield* TestClock.adjust(10_000)
      yield* client.say({ _tag: "GetPredecessorHeader", block: chain.at(9).hash, offset: 1 })
      yield* client.wait("PredecessorHeader", 2)
      assert.deepStrictEqual(rules(peer), [])
    }))

  it.effect("notices GetCurrentHead before the branch, versions too old, more than ten items, and nonsense", () =>
    inMemory(Effect.gen(function*() {
      const peer = yield* start()
      const early = yield* connect(peer.address, chain, { versions: { distributedDb: [0], p2p: [0, 1] } })
      yield* early.say({ _tag: "GetCurrentHead", chainId }, {
        _tag: "GetPredecessorHeader",
        block: chain.at(9).hash,
        offset: 1
      })
      yield* turns()
      assert.deepStrictEqual(rules(peer), ["ignored:GetCurrentHead", "ddb-too-low"])
      const many = yield* connect(peer.address, chain)
      const body = new Uint8Array(2 + 4 + 11 * 32)
      body.set([0, 0x20, 0, 0, 1, 96])
      yield* many.session.send([body])
      assert.strictEqual((yield* many.session.closed).kind, "end")
      const odd = yield* connect(peer.address, chain)
      yield* odd.session.send([Uint8Array.of(0xff, 0xff)])
      yield* odd.session.closed
      assert.deepStrictEqual(rules(peer).slice(2), ["too-many-items", "undecodable"])
    })))

  it.effect("keeps what came, in order, with its connection", () =>
    inMemory(Effect.gen(function*() {
      const seen: Array<string> = []
      const { client, peer } = yield* met("", {
        observe: (connection, message, direction) => seen.push(`${connection} ${direction} ${message._tag}`)
      })
      yield* branchOf(client)
      const fiber = yield* Effect.forkChild(client.wait("BlockHeader"))
      yield* client.say(getHeaders(chain.at(1)))
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(peer.stats().received.map(({ connection, message }) => [connection, message._tag]), [
        [1, "GetCurrentBranch"],
        [1, "GetBlockHeaders"]
      ])
      assert.deepStrictEqual(seen, [
        "1 out GetCurrentBranch",
        "1 in GetCurrentBranch",
        "1 out CurrentBranch",
        "1 in GetBlockHeaders",
        "1 out BlockHeader"
      ])
      assert.notInstanceOf(peer.stats().received[0]!.message, Malformed)
    })))
})
