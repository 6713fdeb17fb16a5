// The Go library calls our server: every size and cut, both checksums, errors, limits, silence.
import { assert } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { decodeHealthAnswer, emptyArguments, ErrorCode, Method } from "../../src/index.ts"
import { seeded } from "../captures.ts"
import { around, cutsAround, first, largestBytes, maxFrameBytes, sameBytes, seed } from "./Bytes.ts"
import { requestFrames } from "./FrameClient.ts"
import type { GoCall } from "./GoPeer.ts"
import { describeGo, goTest } from "./GoTest.ts"
import { answered, answerHeadBytes, serve, sizedAnswer, sizedCall } from "./SizedServer.ts"

describeGo("the Go library calls our server", () => {
  goTest("the handshake, a ping and health are understood", () =>
    Effect.gen(function*() {
      const { go, to } = yield* serve()
      assert.deepStrictEqual(yield* go.ping(to), { hostPort: to, processName: "peerstrap" })
      const [result] = yield* go.call(to, "crc32", [{ method: Method.health, arg3: emptyArguments() }])
      assert.deepStrictEqual(decodeHealthAnswer(result!.arg3), { ok: true, status: "up", bootstrapped: true })
    }))

  goTest(
    "requests and answers of every size arrive with both checksums that the library sends",
    () =>
      Effect.gen(function*() {
        const { go, to } = yield* serve()
        const sizes = [[0, 0], [1, 1], [40, 200_000], [65_535, largestBytes], [200_000, 70_000], [
          largestBytes,
          1
        ]] as const
        for (const checksum of ["crc32", "crc32c"] as const) {
          for (const [idBytes, answerBytes] of sizes) {
            const [result] = yield* go.call(to, checksum, [sizedCall(idBytes, answerBytes)])
            answered(result!, idBytes, answerBytes)
          }
          const requestEdge = maxFrameBytes - requestFrames(2, sizedCall(0, 3))[0]!.length
          for (const idBytes of around(requestEdge)) {
            const [result] = yield* go.call(to, checksum, [sizedCall(idBytes, 3)])
            answered(result!, idBytes, 3)
          }
          const answerEdge = maxFrameBytes - answerHeadBytes - sizedAnswer(3, 0).length
          const answers = yield* go.call(to, checksum, around(answerEdge).map((length) => sizedCall(3, length)))
          for (const [i, length] of around(answerEdge).entries()) answered(answers[i]!, 3, length)
        }
      })
  )

  goTest(
    "requests that the library cuts around the ends of arg2 and arg3, or at each of their bytes, arrive whole",
    () =>
      Effect.gen(function*() {
        const { go, to } = yield* serve()
        const { length } = sizedCall(3, 10).arg3
        const everywhere = { arg2: [0, 1, 2], arg3: Array.from({ length: length + 1 }, (_, i) => i) }
        const cuts = [
          everywhere,
          ...cutsAround(2).flatMap((arg2) => [[], [0], [length]].map((arg3) => ({ arg2, arg3 }))),
          ...cutsAround(length).map((arg3) => ({ arg2: [], arg3 })),
          ...everywhere.arg3.map((at) => ({ arg2: [2], arg3: [at] }))
        ]
        const results = yield* go.call(to, "crc32", cuts.map((cuts) => sizedCall(3, 10, { cuts })))
        for (const result of results) answered(result, 3, 10)
        const [alone] = requestFrames(2, { ...sizedCall(3, 10), arg2: first(0) })
        const headers = yield* go.call(
          to,
          "crc32",
          around(maxFrameBytes - alone!.length).map((length) => sizedCall(3, 10, { arg2: first(length) }))
        )
        for (const result of headers) answered(result, 3, 10)
      })
  )

  goTest("hundreds of calls at once over one connection are answered each with its own", () =>
    Effect.gen(function*() {
      const { count, go, to } = yield* serve({ maxCallsPerConnection: 1_000 })
      const random = seeded(seed)
      const calls = Array.from({ length: 300 }, () =>
        [
          Math.floor(random() * 3_000),
          random() < 0.1 ? Math.floor(random() * 500_000) : Math.floor(random() * 2_000)
        ] as const)
      const results = yield* go.call(to, "crc32c", calls.map(([id, bytes]) => sizedCall(id, bytes)))
      for (const [i, [id, bytes]] of calls.entries()) answered(results[i]!, id, bytes)
      assert.strictEqual(count("opened"), 1)
      assert.strictEqual(count("rejected"), 0)
    }))

  goTest(
    "what is unknown or too much is refused with its error frame, and the connection goes on",
    () =>
      Effect.gen(function*() {
        const { count, go, to } = yield* serve({ maxRequestBytes: 100_000 })
        const results = yield* go.call(to, "crc32", [
          { method: "Node::nothing", arg3: emptyArguments() },
          { method: "Node::health", service: "Cluster", arg3: emptyArguments() },
          { method: Method.fetchBlocks, arg3: emptyArguments() },
          sizedCall(200_000, 1)
        ])
        assert.deepStrictEqual(results.map(({ error }) => error), Array.from({ length: 4 }, () => "bad-request"))
        assert.match(results[0]!.message, /"Node".*"Node::nothing"/)
        assert.match(results[1]!.message, /"Cluster".*"Node::health"/)
        assert.match(results[2]!.message, /field 1/)
        assert.match(results[3]!.message, /above 100000 bytes/)
        const [next] = yield* go.call(to, "crc32", [sizedCall(10, 10)])
        answered(next!, 10, 10)
        assert.strictEqual(count("opened"), 1)
      })
  )

  goTest("every error frame that we send is understood, and a declared error is one", () =>
    Effect.gen(function*() {
      const codes = [1, 2, 3, 4, 5, 6, 7]
      const { count, go, to } = yield* serve({
        intercept: ({ request }, proceed) => {
          const code = request.kind === "blocks" ? Number(request.request.elements[0]!.starts[0]) : 0
          if (code === 100) return Effect.succeed({ kind: "result", code: 1, arg3: first(70_000) })
          return codes.includes(code)
            ? Effect.succeed({ kind: "error-frame", code, message: `it is ${code}` })
            : proceed
        }
      })
      const results = yield* go.call(to, "crc32", codes.map((code) => sizedCall(1, code)))
      const names = ["timeout", "cancelled", "busy", "declined", "unexpected", "bad-request", "network"]
      assert.deepStrictEqual(results.map(({ error }) => error), names)
      for (const [i, code] of codes.entries()) assert.include(results[i]!.message, `it is ${code}`)
      const [declared] = yield* go.call(to, "crc32", [sizedCall(1, 100)])
      assert.isTrue(declared!.declared)
      sameBytes(declared!.arg3, first(70_000), "declared error")
      assert.strictEqual(count("opened"), 1)
    }))

  goTest("a call that is never answered times out, and its connection goes on", () =>
    Effect.gen(function*() {
      const { count, go, to } = yield* serve({
        intercept: ({ request }, proceed) => request.kind === "health" ? Effect.never : proceed
      })
      const silent: GoCall = { method: Method.health, arg3: emptyArguments(), timeoutMillis: 300 }
      const results = yield* go.call(to, "crc32", [silent, sizedCall(10, 10)])
      assert.strictEqual(results[0]!.error, "timeout")
      answered(results[1]!, 10, 10)
      const [next] = yield* go.call(to, "crc32", [sizedCall(20, 20)])
      answered(next!, 20, 20)
      assert.strictEqual(count("opened"), 1)
    }))

  goTest("a call above the limit of open calls is told busy, the others are answered", () =>
    Effect.gen(function*() {
      const refused = yield* Deferred.make<void>()
      const { go, to } = yield* serve({
        maxCallsPerConnection: 2,
        observe: ({ kind }) => kind === "rejected" && Deferred.doneUnsafe(refused, Effect.void),
        intercept: (_, proceed) => Effect.andThen(Deferred.await(refused), proceed)
      })
      const results = yield* go.call(to, "crc32", [sizedCall(10, 10), sizedCall(10, 10), sizedCall(10, 10)])
      const errors = results.map(({ error }) => error)
      assert.deepStrictEqual(errors.toSorted(), ["", "", "busy"])
      for (const result of results.filter(({ error }) => error === "")) answered(result, 10, 10)
      assert.match(results[errors.indexOf("busy")]!.message, /2 calls are open/)
    }))

  goTest("a fatal error frame ends the connection, and the library dials anew", () =>
    Effect.gen(function*() {
      const { count, go, to } = yield* serve({
        intercept: ({ request }, proceed) =>
          request.kind === "health"
            ? Effect.succeed({ kind: "error-frame", code: ErrorCode.fatal, message: "the end" })
            : proceed
      })
      const [fatal] = yield* go.call(to, "crc32", [{ method: Method.health, arg3: emptyArguments() }])
      assert.notStrictEqual(fatal!.error, "")
      const [next] = yield* go.call(to, "crc32", [sizedCall(10, 10)])
      answered(next!, 10, 10)
      assert.strictEqual(count("opened"), 2)
    }))
})
