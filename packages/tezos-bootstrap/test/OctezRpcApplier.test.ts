// The applier against a local server that answers as a node does: applying, forks, restarts, and every way an answer can go wrong.
import { assert, describe, it } from "@effect/vitest"
import type { Block } from "@peerstrap/chain-bootstrap"
import { octezRpc, type OctezRpcOptions, TezosLimits } from "@peerstrap/tezos-bootstrap"
import { encodeHash } from "@peerstrap/tezos-wire"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { bytes, genesisId } from "./chains.ts"
import { blockOn, network } from "./octezBlocks.ts"
import { failure, type OctezServer, startOctez } from "./octezServer.ts"

const chainOf = (
  length: number,
  from: { readonly id: string; readonly level: number } = { id: genesisId, level: 0 },
  round = 0
) => {
  const blocks: Array<Block> = []
  for (let i = 0; i < length; i++) blocks.push(blockOn(blocks.at(-1)?.header ?? from, round))
  return blocks
}

const applierOn = (server: OctezServer, options: Partial<OctezRpcOptions> = {}) =>
  octezRpc({ url: server.url, network, ...options })

const injections = (server: OctezServer) => server.requests.filter(({ path }) => path.startsWith("/injection"))

describe("octez-rpc", () => {
  it.effect("applies blocks in order, with their operations by pass", () =>
    Effect.gen(function*() {
      const server = yield* startOctez
      const applier = applierOn(server)
      assert.deepStrictEqual([applier.name, applier.needsBodies, applier.branches], ["octez-rpc", true, "many"])
      assert.deepStrictEqual(yield* applier.head, { id: genesisId, level: 0 })
      const blocks = chainOf(5)
      assert.deepStrictEqual(yield* applier.apply(blocks), { applied: 5, outcome: "ok", reason: "" })
      assert.deepStrictEqual(yield* applier.head, { id: blocks[4]!.header.id, level: 5 })
      const sent = injections(server)
      assert.isTrue(sent.every(({ path }) => path === "/injection/block?chain=main"))
      const body = JSON.parse(sent[2]!.body)
      assert.strictEqual(body.data, Buffer.from(blocks[2]!.header.bytes).toString("hex"))
      const operation = new Uint8Array(60).fill(3)
      assert.deepStrictEqual(body.operations, [[], [], [], [{
        branch: encodeHash("block", operation.slice(0, 32)),
        data: Buffer.from(operation.slice(32)).toString("hex")
      }]])
    }))

  it.effect("forces only what the node calls unfit; a base path and a password stay in their places", () =>
    Effect.gen(function*() {
      const server = yield* startOctez
      server.intercept = ({ path }, response) => {
        if (!path.startsWith("/node/")) return false
        response.writeHead(404)
        response.end()
        return true
      }
      const applier = applierOn(server, { url: `http://me:secret@127.0.0.1:${server.port}/` })
      const main = chainOf(3)
      yield* applier.apply(main)
      const side = chainOf(3, main[0]!.header, 1)
      yield* applier.rollback({ id: main[0]!.header.id, level: 1 })
      assert.deepStrictEqual((yield* applier.apply(side)).outcome, "ok")
      yield* applier.moveHead({ id: side[2]!.header.id, level: 4 })
      yield* applier.forget(main[2]!.header.id)
      const forced = injections(server).map(({ path }) => path.includes("force=true"))
      // The first of the branch is not fitter than the head at level 3, hence once without and once with force.
      assert.deepStrictEqual(forced, [false, false, false, false, true, false, false])
      assert.strictEqual(server.requests[0]!.authorization, `Basic ${Buffer.from("me:secret").toString("base64")}`)
      const nested = applierOn(server, { url: `http://me:secret@127.0.0.1:${server.port}/node/` })
      const refused = yield* Effect.flip(nested.head)
      assert.match(refused.message, /check the URL/)
      assert.notInclude(refused.message, "secret")
      assert.strictEqual(server.requests.at(-1)!.path, "/node/chains/main/chain_id")
    }))

  it.effect("a node of another chain never gets a block", () =>
    Effect.gen(function*() {
      const server = yield* startOctez
      server.chainId = "NetXnHfVqm9iesp"
      const failed = yield* Effect.flip(applierOn(server).head)
      assert.match(
        failed.message,
        /is on chain NetXnHfVqm9iesp; this run is on NetXdQprcVkpaWU \(TEZOS\): give the URL/
      )
      assert.strictEqual((yield* Effect.flip(applierOn(server).apply(chainOf(1)))).applier, "octez-rpc")
      assert.deepStrictEqual(injections(server), [])
    }))

  it.effect("a known block counts once it shows the same header", () =>
    Effect.gen(function*() {
      const server = yield* startOctez
      const blocks = chainOf(3)
      yield* applierOn(server).apply(blocks.slice(0, 2))
      assert.strictEqual((yield* applierOn(server).apply(blocks.slice(0, 1))).outcome, "ok")
      assert.isFalse(injections(server).some(({ path }) => path.includes("force")))
      server.complainsOfKnown = true
      assert.deepStrictEqual(yield* applierOn(server).apply(blocks), { applied: 3, outcome: "ok", reason: "" })
      const text = encodeHash("block", bytes(blocks[0]!.header.id))
      server.known.set(text, { level: 1, header: "00" })
      const result = yield* applierOn(server).apply(blocks.slice(0, 1))
      assert.deepStrictEqual([result.applied, result.outcome], [0, "transient"])
      assert.match(result.reason, /says that it knows/)
    }))

  it.effect("a verdict ends the batch after what was applied", () =>
    Effect.gen(function*() {
      const server = yield* startOctez
      const blocks = chainOf(4)
      const bad = encodeHash("block", bytes(blocks[2]!.header.id))
      server.intercept = ({ body }, response) => {
        if (!body.includes(Buffer.from(blocks[2]!.header.bytes).toString("hex"))) return false
        response.writeHead(500)
        response.end(JSON.stringify([{
          kind: "permanent",
          id: "validator.invalid_block",
          invalid_block: bad,
          error: "economic_protocol_error"
        }]))
        return true
      }
      const result = yield* applierOn(server).apply(blocks)
      assert.deepStrictEqual([result.applied, result.outcome], [2, "invalid"])
      assert.match(result.reason, /economic_protocol_error/)
    }))

  it.effect("an unknown predecessor may pass; at last the run ends with what to do", () =>
    Effect.gen(function*() {
      const server = yield* startOctez
      const applier = applierOn(server)
      const [, second] = chainOf(2)
      for (let i = 1; i < TezosLimits.unknownPredecessorTries; i++) {
        const result = yield* applier.apply([second!])
        assert.deepStrictEqual([result.applied, result.outcome], [0, "transient"])
        assert.match(result.reason, /does not know B/)
      }
      const failed = yield* Effect.flip(applier.apply([second!]))
      assert.match(failed.message, /has lost B.*head is at level 0.*start the run again/)
    }))

  for (const status of [401, 403, 404, 413]) {
    it.effect(`status ${status} ends the run with a remedy`, () =>
      Effect.gen(function*() {
        const server = yield* startOctez
        server.intercept = ({ path }, response) => {
          if (path !== "/injection/block") return false
          response.writeHead(status)
          response.end()
          return true
        }
        const failed = yield* Effect.flip(applierOn(server).apply(chainOf(1)))
        assert.match(failed.message, new RegExp(`refuses the block \\(status ${status}`))
      }))
  }

  it.effect("a failing node, a cut connection, a huge answer: transient, with what was applied", () =>
    Effect.gen(function*() {
      const server = yield* startOctez
      const blocks = chainOf(2)
      const second = Buffer.from(blocks[1]!.header.bytes).toString("hex")
      const tries: ReadonlyArray<readonly [RegExp, NonNullable<OctezServer["intercept"]>]> = [
        [/status 503/, (_, response) => (response.writeHead(503), response.end("busy"), true)],
        [
          /worker\.closed/,
          (_, response) => (response.writeHead(500), response.end(JSON.stringify([{ id: "worker.closed" }])), true)
        ],
        [
          /Block in the future/,
          (
            _,
            response
          ) => (response.writeHead(500), response.end(JSON.stringify(failure("Block in the future."))), true)
        ],
        [/hang up|reset|ended/i, (_, response) => (response.destroy(), true)],
        [/aborted|ended/i, (_, response) => {
          response.writeHead(200, { "content-length": 1_000 })
          response.write("x", () => response.destroy())
          return true
        }],
        [/more than 1048576 bytes/, (_, response) => {
          response.writeHead(200)
          const more = (): void => {
            if (!response.destroyed) response.write("x".repeat(65_536), more)
          }
          more()
          return true
        }]
      ]
      for (const [reason, intercept] of tries) {
        server.intercept = (request, response) => request.body.includes(second) && intercept(request, response)
        const result = yield* applierOn(server).apply(blocks)
        assert.deepStrictEqual([result.applied, result.outcome], [1, "transient"], String(reason))
        assert.match(result.reason, reason)
      }
      server.intercept = undefined
      assert.strictEqual((yield* applierOn(server).apply(blocks)).outcome, "ok")
    }))

  it.effect("a kept connection that the node has given up is no failure", () =>
    Effect.gen(function*() {
      const server = yield* startOctez
      const applier = applierOn(server)
      yield* applier.head
      let cut = 0
      server.intercept = (_, response) => {
        if (cut++ > 0) return false
        response.destroy()
        return true
      }
      assert.strictEqual((yield* applier.apply(chainOf(2))).outcome, "ok")
      assert.isAbove(cut, 1)
    }))

  it.effect("a slow answer ends at its time, not earlier", () =>
    Effect.gen(function*() {
      const server = yield* startOctez
      const asked = Promise.withResolvers<void>()
      server.intercept = ({ path }) => {
        if (path !== "/injection/block") return false
        asked.resolve()
        return true
      }
      const fiber = yield* Effect.forkChild(applierOn(server, { timeoutMillis: 5_000 }).apply(chainOf(1)))
      yield* Effect.promise(() => asked.promise)
      yield* TestClock.adjust(4_999)
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust(1)
      const result = yield* Fiber.join(fiber)
      assert.deepStrictEqual([result.applied, result.outcome], [0, "transient"])
      assert.match(result.reason, /no answer within 5000 ms/)
    }))

  it.effect("no node: the head cannot be told, applying may be tried again", () =>
    Effect.gen(function*() {
      const url = yield* Effect.scoped(Effect.map(startOctez, (server) => server.url))
      const applier = octezRpc({ url, network })
      assert.match((yield* Effect.flip(applier.head)).message, /does not answer .*: start it, or correct the URL/)
      const result = yield* applier.apply(chainOf(1))
      assert.deepStrictEqual([result.applied, result.outcome], [0, "transient"])
    }))

  it.effect("going back to what the node has dropped ends the run", () =>
    Effect.gen(function*() {
      const server = yield* startOctez
      const applier = applierOn(server)
      const blocks = chainOf(2)
      yield* applier.apply(blocks)
      yield* applier.rollback({ id: genesisId, level: 0 })
      server.known.delete(encodeHash("block", bytes(blocks[0]!.header.id)))
      const failed = yield* Effect.flip(applier.rollback({ id: blocks[0]!.header.id, level: 1 }))
      assert.match(failed.message, /no longer has B.*history/)
    }))

  it.effect("a node that stays elsewhere is waited for, then left alone", () =>
    Effect.gen(function*() {
      const server = yield* startOctez
      const applier = applierOn(server)
      const main = chainOf(2)
      yield* applier.apply(main)
      const [side] = chainOf(1, main[0]!.header, 1)
      const looks: Array<() => void> = []
      const look = () => new Promise<void>((resolve) => looks.push(resolve))
      server.intercept = ({ path }, response) => {
        if (!path.endsWith("blocks/2/hash")) return false
        response.writeHead(200)
        response.end(JSON.stringify(encodeHash("block", bytes(main[1]!.header.id))), () => looks.shift()?.())
        return true
      }
      const first = look()
      const fiber = yield* Effect.forkChild(applier.moveHead({ id: side!.header.id, level: 2 }))
      yield* Effect.promise(() => first)
      while (fiber.pollUnsafe() === undefined) {
        yield* TestClock.adjust(TezosLimits.moveHeadPauseMillis)
        yield* Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))
      }
      yield* Fiber.join(fiber)
      assert.strictEqual(
        server.requests.filter(({ path }) => path.endsWith("/2/hash")).length,
        TezosLimits.moveHeadLooks
      )
    }))

  it("a URL that is none is refused at once", () => {
    for (const url of ["127.0.0.1:8732", "ftp://x", ""]) {
      assert.throws(() => octezRpc({ url, network }), /begins with http:\/\/ or https:\/\//)
    }
  })
})
