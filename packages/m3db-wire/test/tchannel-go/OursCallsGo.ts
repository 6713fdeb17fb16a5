// Our codec calls the Go library: every size, cut, checksum type and kind of frame.
import { assert } from "@effect/vitest"
import { formatAddress } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import { emptyArguments, encodeFrame, ErrorCode, FrameType, initValue } from "../../src/index.ts"
import { ascii } from "../bytes.ts"
import { seeded } from "../captures.ts"
import { allChecksums, around, continuationRoom, cutsAround, first, maxFrameBytes, sameBytes, seed } from "./Bytes.ts"
import { connected, echoes } from "./Echo.ts"
import { type FrameAnswer, requestFrames } from "./FrameClient.ts"
import { describeGo, goTest } from "./GoTest.ts"

const text = (answer: FrameAnswer): string => Buffer.from(answer.arg3).toString()

describeGo("ours calls the Go library: frames", () => {
  goTest("both sides understand the handshake and the head of a call", () =>
    Effect.gen(function*() {
      const { client, go } = yield* connected
      assert.strictEqual(initValue(client.init!, "process_name"), "interop-peer")
      assert.strictEqual(initValue(client.init!, "host_port"), formatAddress(go.address))
      assert.strictEqual(initValue(client.init!, "tchannel_language"), "go")
      const answer = yield* client.call({ method: "Node::caller", arg3: emptyArguments() })
      assert.deepStrictEqual(JSON.parse(text(answer)), {
        caller: "Client",
        ephemeral: true,
        format: "thrift",
        language: "node",
        process: "frames",
        service: "Node"
      })
      assert.deepStrictEqual(answer.head, { kind: "response", code: 0, headers: [["as", "thrift"]] })
    }))

  goTest("payloads from nothing to 5 MB come back with every checksum type", () =>
    Effect.gen(function*() {
      const { client, go } = yield* connected
      for (const checksumType of allChecksums) {
        for (const length of [0, 1, 2, 255, 256, 65_519, 65_535, 65_536, 200_000, 5_000_000]) {
          const { frames } = yield* echoes(client, { arg3: first(length), checksumType })
          assert.strictEqual(frames.length, Math.max(1, Math.ceil(length / 65_500)), `frames of ${length} bytes`)
        }
      }
      assert.deepStrictEqual(go.complaints(), [])
    }))

  goTest(
    "payloads that end at, before and after the edge of each side's frames come back",
    () =>
      Effect.gen(function*() {
        const { client } = yield* connected
        const emptyRequest = requestFrames(2, { method: "Node::echo", arg3: new Uint8Array(0) })[0]!.length
        const emptyAnswer = 16 + (yield* echoes(client, { arg3: new Uint8Array(0) })).frames[0]!
        for (const empty of [emptyRequest, emptyAnswer]) {
          for (const continuations of [0, 1, 2]) {
            const edge = maxFrameBytes - empty + continuations * continuationRoom
            for (const length of around(edge)) {
              const { frames } = yield* echoes(client, { arg3: first(length) })
              if (empty === emptyAnswer) {
                assert.strictEqual(frames.length, continuations + (length <= edge ? 1 : 2), `frames of ${length} bytes`)
              }
            }
          }
        }
      })
  )

  goTest(
    "an arg2 that ends at, before and after the edge of a frame comes back, whatever follows",
    () =>
      Effect.gen(function*() {
        const { client } = yield* connected
        const emptyRequest = requestFrames(2, {
          method: "Node::echo",
          arg2: new Uint8Array(0),
          arg3: new Uint8Array(0)
        })[0]!
        const emptyAnswer = 16 +
          (yield* echoes(client, { arg2: new Uint8Array(0), arg3: new Uint8Array(0) })).frames[0]!
        for (const empty of [emptyRequest.length, emptyAnswer]) {
          const edge = maxFrameBytes - empty
          for (const length of around(edge)) {
            for (const arg3 of [0, 1, 70_000]) yield* echoes(client, { arg2: first(length), arg3: first(arg3) })
          }
        }
      })
  )

  goTest("requests cut at every place of all three arguments arrive whole", () =>
    Effect.gen(function*() {
      const { client, go } = yield* connected
      for (const checksumType of allChecksums) {
        // Smallest frame: the head, one chunk of one byte; the largest holds the whole call.
        const call = { arg2: first(9), arg3: first(21), checksumType }
        const whole = requestFrames(2, { ...call, method: "Node::echo" })[0]!.length
        const head = whole - (2 + 10) - (2 + 9) - (2 + 21)
        for (let size = head + 3; size <= whole; size++) yield* echoes(client, { ...call, maxFrameBytes: size })
      }
      assert.deepStrictEqual(go.complaints(), [])
    }))

  goTest("answers that the library cuts around the ends of arg2 and arg3 are read whole", () =>
    Effect.gen(function*() {
      const { client } = yield* connected
      for (const length of [0, 1, 7]) {
        for (const arg3 of cutsAround(length)) {
          const plain = Buffer.from(JSON.stringify({ arg2: [], arg3 }))
          const { frames } = yield* echoes(client, { arg2: plain, arg3: first(length) }, "Node::cut")
          assert.strictEqual(frames.length, arg3.length + 1)
        }
      }
      for (const arg2 of cutsAround(40)) {
        for (const arg3 of [[], [0], [0, 0], [5], [5, 5]]) {
          const padded = Buffer.from(JSON.stringify({ arg2, arg3 }).padEnd(40))
          const { frames } = yield* echoes(client, { arg2: padded, arg3: first(5) }, "Node::cut")
          assert.strictEqual(frames.length, arg2.length + arg3.length + 1)
        }
      }
    }))

  goTest("frames of many calls shuffled into each other are told apart by both sides", () =>
    Effect.gen(function*() {
      const { client, go } = yield* connected
      const random = seeded(seed)
      const calls = Array.from({ length: 60 }, (_, i) => {
        const arg3 = first(1 + Math.floor(random() * 40_000)).map((byte) => byte ^ i)
        const call = { method: "Node::echo", arg3, checksumType: allChecksums[i % 3]!, maxFrameBytes: 4_000 }
        const id = client.takeId()
        return { id, arg3, frames: requestFrames(id, call) }
      })
      const answers = yield* Effect.forkChild(
        Effect.forEach(calls, ({ id }) => client.expect(id), { concurrency: "unbounded" }),
        { startImmediately: true }
      )
      const queues = calls.map(({ frames }) => [...frames])
      const order: Array<Uint8Array> = []
      while (queues.length > 0) {
        const at = Math.floor(random() * queues.length)
        order.push(queues[at]!.shift()!)
        if (queues[at]!.length === 0) queues.splice(at, 1)
      }
      yield* client.send(order)
      const got = yield* Fiber.join(answers)
      for (const [i, { arg3 }] of got.entries()) sameBytes(arg3, calls[i]!.arg3, `call ${i} of seed ${seed}`)
      assert.deepStrictEqual(go.complaints(), [])
    }))

  goTest(
    "pings are answered, a cancel is ignored, a wrong checksum is noticed and costs that call alone",
    () =>
      Effect.gen(function*() {
        const { client, go } = yield* connected
        const id = client.takeId()
        yield* client.send([encodeFrame(FrameType.pingRequest, id)])
        assert.deepStrictEqual(yield* Queue.take(client.others), [FrameType.pingResponse, id])
        assert.isAtLeast(Number(text(yield* client.call({ method: "Node::pings", arg3: emptyArguments() }))), 3)
        assert.isAtLeast(client.pings, 3)
        const broken = (frame: number) => {
          const frames = requestFrames(client.takeId(), { method: "Node::echo", arg3: first(70_000) })
          frames[frame]![1_000]! ^= 1
          return frames
        }
        const complaints = [
          [[encodeFrame(FrameType.cancel, id, new Uint8Array(31))], /Received unexpected frame/],
          [broken(0), /Couldn't read method.*checksum/],
          [broken(1), /reading the request: .*checksum/]
        ] as const
        for (const [frames, says] of complaints) {
          const complaint = yield* Effect.forkChild(go.complaint, { startImmediately: true })
          yield* client.send(frames)
          assert.match(yield* Fiber.join(complaint), says)
        }
        yield* echoes(client, { arg3: first(100) })
      })
  )

  goTest("every error frame of the library is read; a TTL arrives as it was sent", () =>
    Effect.gen(function*() {
      const { client } = yield* connected
      for (const name of ["timeout", "cancelled", "busy", "declined", "unexpected", "badRequest", "network"] as const) {
        const arg2 = ascii(name === "badRequest" ? "bad-request" : name)
        const error = yield* Effect.flip(client.call({ method: "Node::fail", arg2, arg3: ascii(`it is ${name}`) }))
        assert.deepStrictEqual(error, { code: ErrorCode[name], message: `it is ${name}` })
      }
      const declared = yield* client.call({ method: "Node::fail", arg2: ascii("declared"), arg3: first(70_000) })
      assert.strictEqual(declared.head.kind === "response" ? declared.head.code : undefined, 1)
      sameBytes(declared.arg3, first(70_000), "declared error")
      const unknown = yield* Effect.flip(client.call({ method: "Node::nothing", arg3: emptyArguments() }))
      assert.strictEqual(unknown.code, ErrorCode.badRequest)
      assert.match(unknown.message, /Node.*Node::nothing/)
      for (const ttlMillis of [20_000, 3_600_000, 2 ** 31]) {
        const left = Number(text(yield* client.call({ method: "Node::ttl", arg3: emptyArguments(), ttlMillis })))
        assert.isAtMost(left, ttlMillis)
        assert.isAbove(left, ttlMillis - 15_000)
      }
    }))
})
