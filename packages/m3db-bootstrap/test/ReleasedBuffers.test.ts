/** An answer's buffer goes back when the sink has written what lay in it, never before, and nobody sees anything through it afterwards. */
import { assert, describe, it } from "@effect/vitest"
import {
  encodeBlocksAnswer,
  encodeBlocksRequest,
  makeAnswerBuffers,
  readUsualAnswer,
  requestElements
} from "@peerstrap/m3db-wire"
import { adler32, adler32OfPieces } from "@peerstrap/m3tsz"
import { makePackedGrouping } from "@peerstrap/metadata-grouping"
import { CollectedBatch } from "../src/engine/CollectedBatch.ts"
import { makeDataset, makeReplica, replicaOf, Simulation } from "./support/SimulatedCluster.ts"

describe("an answer's buffer", () => {
  it("is whole at the sink, and empty for a sink that keeps looking at it", () => {
    const dataset = makeDataset({ seed: 3, series: 60, blocks: 2, numShards: 4 })
    const replicas = ["A", "B", "C"].map((id) => makeReplica(id, replicaOf(dataset)))
    const simulation = new Simulation({ seed: 3, replicas, numShards: 4, blocks: 2, sinkDelay: 20 })
    const kept: Array<Uint8Array> = []
    let delivered = 0
    simulation.onAction = (action) => {
      if (action._tag !== "deliver") return
      for (const [i, pieces] of action.batch.data.entries()) {
        assert.strictEqual(adler32OfPieces(pieces), action.batch.checksums[i])
        delivered++
        kept.push(...pieces)
      }
    }
    simulation.play()
    assert.strictEqual(simulation.run.outcome?._tag, "complete")
    assert.strictEqual(delivered, 120)
    assert.deepStrictEqual(new Set(kept.map((piece) => piece.length)), new Set([0]))
    assert.strictEqual(simulation.ledger.used, 0)
  })

  it("cannot be looked at through a batch that was not looked at in time", () => {
    const text = new TextEncoder()
    const grouping = makePackedGrouping({ peerCount: 1, maxGroups: 10 })
    const id = text.encode("series")
    const group = grouping.report(0, id, 0, id.length, 0, 0, 1, 2, 4, 5)
    const request = { namespace: id, shard: 0, ids: [id], startHi: Int32Array.of(1), startLo: Int32Array.of(2) }
    const [head, tail] = [text.encode("head"), text.encode("tail")]
    const checksum = adler32(text.encode("headtail"))
    const start = (1n << 32n) | 2n
    const arg3 = encodeBlocksAnswer([{ id, blocks: [{ start, merged: { head, tail }, checksum }] }])
    const { elements, items } = requestElements(request, encodeBlocksRequest(request))
    const buffer = makeAnswerBuffers(1 << 20).take({ elements, items, maxAnswerBytes: arg3.length })!
    buffer.answer.set(arg3)
    const answer = readUsualAnswer(buffer.answer, elements, items, buffer)!
    const batch = () => {
      const made = new CollectedBatch({ shard: 0, blockStart: start }, grouping)
      made.addRow(group, answer, 0, checksum)
      return made
    }
    const [inTime, late] = [batch(), batch()]
    assert.deepStrictEqual(inTime.data[0]!.map((piece) => new TextDecoder().decode(piece)), ["head", "tail"])
    assert.deepStrictEqual([inTime.bytes, [...inTime.checksums]], [8, [checksum]])
    answer.release!()
    assert.deepStrictEqual(inTime.data[0]!.map((piece) => piece.length), [0, 0])
    assert.throws(() => late.data, TypeError)
  })
})
