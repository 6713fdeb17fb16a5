/**
 * The real client against the scripted replica over a simulated network, in virtual time: what the model of the matrix says a behaviour does to a
 * call is what the client makes of it.
 */
import { assert, describe, it } from "@effect/vitest"
import { type CallErrorReason, makeNodeClient, type MetadataRequest, type NodeClient } from "@peerstrap/m3db-wire"
import { startReplica } from "@peerstrap/m3db-wire/testing"
import { Random, seedsFor, SimulatedTransport, simulateOrThrow } from "@peerstrap/simulator"
import { Transport } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import { BehavedReplica } from "../support/BehavedReplica.ts"
import { blockSize, firstBlock } from "../support/SimulatedCluster.ts"
import { faultRows } from "./Behaviours.ts"
import type { FaultRow } from "./FaultRow.ts"
import { makeTruth, smallSize, type Truth } from "./FaultRun.ts"

const truths = seedsFor("fault-stack", 1).map((seed) => makeTruth(seed, smallSize))

const namespace = new TextEncoder().encode("ns")

const listingOf = (truth: Truth, shard: number): MetadataRequest => ({
  namespace,
  shard,
  rangeStart: firstBlock,
  rangeEnd: firstBlock + BigInt(truth.size.blocks) * blockSize,
  limit: 10
})

const blocksOf = (truth: Truth, shard: number) => {
  const ids = [...truth.expected.get(`${shard}/${firstBlock}`)!.keys()].map((id) =>
    Uint8Array.from(Buffer.from(id, "hex"))
  )
  return {
    namespace,
    shard,
    ids,
    startHi: Int32Array.from(ids, () => Number(firstBlock >> 32n)),
    startLo: Int32Array.from(ids, () => Number(BigInt.asIntN(32, firstBlock)))
  }
}

type Said = CallErrorReason | "answered"

const maxAnswerBytes = 1 << 20

/** First a page, then blocks, of each shard in turn; one after the other, so that counts of calls mean the same. */
const askClient = Effect.fnUntraced(function*(truth: Truth, client: NodeClient) {
  const said: Array<Said> = []
  const note = <A>(call: Effect.Effect<A, { readonly reason: CallErrorReason }>) =>
    Effect.match(call, {
      onSuccess: () => void said.push("answered"),
      onFailure: ({ reason }) => void said.push(reason)
    })
  for (let shard = 0; shard < truth.size.shards; shard++) {
    yield* note(client.fetchBlocksMetadata(listingOf(truth, shard), { maxAnswerBytes }))
    yield* note(client.fetchBlocks(blocksOf(truth, shard), { maxAnswerBytes }))
  }
  return said
})

const realClient = (truth: Truth, { behaviours = "", isDown, variation = {} }: FaultRow) =>
  simulateOrThrow({ seed: truth.seed }, ({ network }) =>
    Effect.gen(function*() {
      const replica = yield* startReplica({
        data: truth.holding(variation),
        behaviours,
        address: { host: "replica", port: 9000 }
      }).pipe(Effect.provideService(Transport, SimulatedTransport.make(network, "replica")))
      if (isDown === true) yield* replica.stop
      const client = yield* makeNodeClient({ peer: "A", address: replica.address }).pipe(
        Effect.provideService(Transport, SimulatedTransport.make(network, "origin"))
      )
      return yield* askClient(truth, client)
    }))

/** The same calls of the model. */
const modelled = (truth: Truth, { behaviours = "", isDown, variation = {} }: FaultRow): ReadonlyArray<Said> => {
  const said: Array<Said> = []
  const agenda: Array<{ readonly at: number; readonly run: () => void }> = []
  let now = 0
  const replica = new BehavedReplica({
    data: truth.holding(variation),
    behaviours,
    shape: { latencyMillis: 1, jitterMillis: 0, bytesPerSecond: 1e9 },
    ports: {
      nowMillis: () => now,
      after: (millis, run) => void agenda.push({ at: now + millis, run }),
      random: Random.make(truth.seed),
      ours: { bytesPerSecond: 1e9, freeAtMillis: 0 }
    }
  })
  replica.link.isDown = isDown === true
  const settled = () => {
    const before = said.length
    while (said.length === before) {
      agenda.sort((a, b) => a.at - b.at)
      const next = agenda.shift()
      if (next === undefined) throw new Error("the model forgot a call")
      now = Math.max(now, next.at)
      next.run()
    }
  }
  const tell = {
    answered: () => void said.push("answered"),
    failed: (reason: CallErrorReason) => void said.push(reason)
  }
  for (let shard = 0; shard < truth.size.shards; shard++) {
    replica.serve({ kind: "list", request: listingOf(truth, shard), maxAnswerBytes, ...tell })
    settled()
    replica.serve({ kind: "fetch", request: blocksOf(truth, shard), maxAnswerBytes, ...tell })
    settled()
  }
  return said
}

describe("the model of the matrix fails calls as the real client does", { timeout: 60_000 }, () => {
  // The network between is the model's own; the scripted replica has no such faults.
  for (const row of faultRows.filter(({ diesAt, faults }) => diesAt === undefined && faults === undefined)) {
    it(row.name, async () => {
      for (const truth of truths) {
        const { value } = await realClient(truth, row)
        assert.deepStrictEqual(modelled(truth, row), value)
      }
    })
  }
})
