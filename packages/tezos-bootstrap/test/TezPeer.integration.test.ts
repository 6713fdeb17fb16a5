// The protocol against an independent peer over real sockets, as client and as server, until that peer has nothing to object to.
import { assert, describe, it } from "@effect/vitest"
import type { Answer, PeerSession, Request } from "@peerstrap/chain-bootstrap"
import { type Address, Tcp, Transport } from "@peerstrap/transport"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { sampleChain } from "./chains.ts"
import { type Served, serving } from "./serving.ts"
import { identityOf, protocolOf, welcome } from "./speakers.ts"
import { dialWithTezpeer, startTezpeer, tezpeerMissing } from "./tezpeer.ts"

if (tezpeerMissing !== undefined) console.warn(`TezPeer.integration.test.ts: ${tezpeerMissing}`)
const peerIt = tezpeerMissing === undefined ? it.live : it.live.skip

const addressOf = (text: string): Address => {
  const at = text.lastIndexOf(":")
  return { host: text.slice(0, at), port: Number(text.slice(at + 1)) }
}

/** Answers what the peer asks, and gives the answers to what we ask. */
const converse = Effect.fnUntraced(function*(session: PeerSession, served: Served) {
  const answers = yield* Queue.unbounded<Answer>()
  const asked = yield* Queue.unbounded<Request>()
  session.receive((message) =>
    message.kind === "request" ? Queue.offerUnsafe(asked, message.request) : Queue.offerUnsafe(answers, message)
  )
  yield* Effect.forkScoped(Effect.forever(
    Effect.flatMap(Queue.take(asked), (request) => Effect.ignore(session.send(served.answersTo(request))))
  ))
  return answers
})

const take = <Kind extends Answer["kind"]>(answers: Queue.Queue<Answer>, kind: Kind) =>
  Effect.map(Queue.take(answers), (answer) => {
    assert.strictEqual(answer.kind, kind)
    return answer as Extract<Answer, { readonly kind: Kind }>
  })

const tens = <A>(items: ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> =>
  Array.from({ length: Math.ceil(items.length / 10) }, (_, i) => items.slice(10 * i, 10 * i + 10))

const open = Effect.fnUntraced(function*(address: string, chain: ReturnType<typeof sampleChain>) {
  const transport = yield* Transport
  const connection = yield* Effect.orDie(transport.dial(addressOf(address)))
  const protocol = yield* protocolOf({ network: chain.network, identity: identityOf(7) })
  return yield* protocol.open(connection, { side: "outgoing", dialled: address, ...welcome })
}, Effect.provide(Tcp.layer))

describe("against an independent peer", () => {
  peerIt(
    "as client: branch, every header, operations, ancestors, and nothing that it objects to",
    () =>
      Effect.gen(function*() {
        const chain = sampleChain("linear-300")
        const { rules } = chain
        const served = serving(chain)
        const peer = yield* startTezpeer("linear-300", [
          "--identity",
          "auto:7",
          "--ask",
          "--advertise",
          "127.0.0.1:4000"
        ])
        const session = yield* open(peer.address, chain)
        assert.strictEqual(session.id, peer.id)
        assert.isTrue(session.ancestors)
        const answers = yield* converse(session, served)

        yield* session.send([{ kind: "get-branch" }])
        const branch = yield* take(answers, "branch")
        assert.strictEqual(branch.head.level, 300)
        for (const { exact, id, level } of branch.entries) if (exact) assert.strictEqual(id, served.ids[level!])
        assert.strictEqual(branch.entries.at(-1)!.id, chain.network.genesis.id)

        const ids = served.ids.slice(1)
        yield* session.send(tens(ids).map((some) => ({ kind: "get-headers", ids: some })))
        let parent = rules.genesis!
        for (const id of ids) {
          const { header } = yield* take(answers, "header")
          assert.strictEqual(header.id, id)
          assert.isUndefined(rules.checkLink(header, parent))
          parent = header
        }

        const items = ids.slice(1, 101).flatMap((block) => [0, 1, 2, 3].map((unit) => ({ block, unit })))
        yield* session.send(tens(items).map((some) => ({ kind: "get-units", items: some })))
        for (const { block, unit } of items) {
          const answer = yield* take(answers, "unit")
          assert.deepStrictEqual([answer.block, answer.unit], [block, unit])
          assert.isUndefined(rules.verifyUnit(served.headers.get(block)!, unit, answer.body, answer.proof))
          assert.deepStrictEqual(answer.body, served.unitsOf(block)[unit])
        }

        yield* session.send([{ kind: "get-ancestor", of: ids.at(-1)!, offset: 250 }, { kind: "get-peers" }])
        assert.strictEqual((yield* take(answers, "ancestor")).header.id, served.ids[50])
        assert.deepStrictEqual((yield* take(answers, "peers")).points, ["127.0.0.1:4000"])

        for (const check of ["locator-check", "header-check", "operations-check"]) {
          const line = yield* peer.line(({ ev }) => ev === check)
          assert.isTrue(line["ok"], JSON.stringify(line))
        }
        session.close("all seen")
        yield* peer.line(({ ev }) => ev === "closed")
        peer.command("quit")
        const exit = yield* peer.line(({ ev }) => ev === "exit")
        assert.deepStrictEqual([exit["violations"], exit["undecodable"]], [{}, 0])
      }),
    20_000
  )

  peerIt("a frame of many chunks", () =>
    Effect.gen(function*() {
      const chain = sampleChain("multi-chunk-3")
      const served = serving(chain)
      const peer = yield* startTezpeer("multi-chunk-3", ["--identity", "auto:8"])
      const session = yield* open(peer.address, chain)
      const answers = yield* converse(session, served)
      const block = served.ids[2]!
      yield* session.send([{ kind: "get-units", items: [0, 1, 2, 3].map((unit) => ({ block, unit })) }])
      const bodies: Array<Uint8Array> = []
      for (let unit = 0; unit < 4; unit++) {
        const { body, proof } = yield* take(answers, "unit")
        assert.isUndefined(chain.rules.verifyUnit(served.headers.get(block)!, unit, body, proof))
        bodies.push(body)
      }
      assert.isAbove(bodies[3]!.length, 65_536)
      assert.isUndefined(chain.rules.verifyBody(served.headers.get(block)!, bodies))
    }), 20_000)

  peerIt("refused by it for want of room: a nack with its points", () =>
    Effect.gen(function*() {
      const chain = sampleChain("linear-300")
      const full = yield* startTezpeer("linear-300", ["--max-conns", "0", "--advertise", "127.0.0.1:4000"])
      const noRoom = yield* Effect.flip(open(full.address, chain))
      assert.deepStrictEqual([noRoom.reason, noRoom.id, noRoom.points], ["nacked", full.id, ["127.0.0.1:4000"]])
    }), 20_000)

  peerIt("as server: every check of its holds", () =>
    Effect.gen(function*() {
      const chain = sampleChain("linear-300")
      const served = serving(chain)
      const protocol = yield* protocolOf({ network: chain.network, identity: identityOf(9) })
      const transport = yield* Transport
      const met = yield* Deferred.make<string>()
      const listener = yield* transport.listen({ host: "127.0.0.1", port: 0 }, (connection) =>
        Effect.scoped(Effect.gen(function*() {
          const session = yield* protocol.open(connection, { side: "incoming", dialled: undefined, ...welcome })
          yield* converse(session, served)
          yield* Deferred.succeed(met, session.id)
          yield* session.closed
        })).pipe(Effect.ignore))
      const { code, lines } = yield* dialWithTezpeer(`127.0.0.1:${listener.address.port}`, "linear-300", [
        "--walk",
        "300",
        "--expect-head",
        "main"
      ])
      assert.strictEqual(code, 0, lines.slice(-20).join("\n"))
      assert.match(yield* Deferred.await(met), /^id/)
    }).pipe(Effect.provide(Tcp.layer)), 20_000)
})
