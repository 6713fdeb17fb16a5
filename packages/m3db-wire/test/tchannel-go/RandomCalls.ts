// A few hundred calls each way with random sizes, cuts and pieces of TCP; the seed and how to replay it stand in the name.
import { assert } from "@effect/vitest"
import { Faulty, Tcp } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ascii } from "../bytes.ts"
import { seeded } from "../captures.ts"
import { allChecksums, first, maxFrameBytes, seed } from "./Bytes.ts"
import { connected, echoes } from "./Echo.ts"
import { describeGo, goTest } from "./GoTest.ts"
import { answered, serve, sizedCall } from "./SizedServer.ts"

/** A length that is often small or just around the edge of a frame. */
const someLength = (random: () => number): number => {
  const kind = random()
  if (kind < 0.4) return Math.floor(random() * 40)
  if (kind < 0.7) return Math.floor(random() * 5_000)
  return kind < 0.95 ? maxFrameBytes - 200 + Math.floor(random() * 220) : Math.floor(random() * 300_000)
}

const someCuts = (random: () => number, length: number): ReadonlyArray<number> =>
  Array.from({ length: Math.floor(random() * 4) }, () => Math.floor(random() * (length + 1))).toSorted((a, b) => a - b)

/** TCP whose bytes come and go in pieces of sizes that change all the time. */
const pieces = (random: () => number) => {
  const chopBytes = () => random() < 0.01 ? 1 + Math.floor(random() * 60) : 2_000 + Math.floor(random() * 68_000)
  const rule = () => ({ inbound: { chopBytes: chopBytes() }, outbound: { chopBytes: chopBytes() } })
  return Layer.provide(Faulty.layer({ seed, rule }), Tcp.layer)
}

const replay = `PEERSTRAP_SEED=${seed} npx vitest run packages/m3db-wire/test/TChannelGo`

describeGo(`random sizes, cuts and pieces, seed ${seed}: ${replay}`, () => {
  const numCalls = 200

  goTest("ours calls the Go library", () =>
    Effect.gen(function*() {
      const { client, go } = yield* connected
      const random = seeded(seed)
      for (let i = 0; i < numCalls; i++) {
        const arg3 = first(someLength(random))
        const checksumType = allChecksums[Math.floor(random() * 3)]!
        const maxFrameBytes = random() < 0.5 ? 65_535 : Math.floor(300 + random() ** 3 * 65_000)
        if (random() < 0.5) {
          yield* echoes(client, { arg2: first(someLength(random) % 60_000), arg3, checksumType, maxFrameBytes })
        } else {
          const cuts = JSON.stringify({ arg2: someCuts(random, 100), arg3: someCuts(random, arg3.length) })
          yield* echoes(client, { arg2: ascii(cuts.padEnd(100)), arg3, checksumType, maxFrameBytes }, "Node::cut")
        }
      }
      assert.deepStrictEqual(go.complaints(), [])
    }), pieces(seeded(seed + 1)))

  goTest("the Go library calls ours", () =>
    Effect.gen(function*() {
      const { count, go, to } = yield* serve()
      const random = seeded(seed)
      for (let done = 0; done < numCalls; done += 20) {
        const sizes = Array.from({ length: 20 }, () => [someLength(random), someLength(random)] as const)
        const calls = sizes.map(([idBytes, answerBytes]) => {
          const arg2 = first(someLength(random) % 60_000)
          const call = sizedCall(idBytes, answerBytes, { arg2 })
          return { ...call, cuts: { arg2: someCuts(random, arg2.length), arg3: someCuts(random, call.arg3.length) } }
        })
        const results = yield* go.call(to, random() < 0.5 ? "crc32" : "crc32c", calls)
        for (const [i, [idBytes, answerBytes]] of sizes.entries()) answered(results[i]!, idBytes, answerBytes)
      }
      assert.strictEqual(count("rejected"), 0)
    }), pieces(seeded(seed + 2)))
})
