// A request written in place is, to the byte, the one that its columns encode to, and reads as they do.
import { assert, describe, it } from "@effect/vitest"
import {
  type BlocksRequest,
  BlocksRequestWriter,
  encodeBlocksRequest,
  Limits,
  requestElements
} from "@peerstrap/m3db-wire"
import { ascii } from "./bytes.ts"
import { Sampler } from "./samples.ts"

const write = (request: BlocksRequest): BlocksRequest => {
  const idBytes = request.ids.reduce((sum, id) => sum + id.length, 0)
  const writer = new BlocksRequestWriter(request.namespace, request.shard, request.ids.length, idBytes)
  for (const [item, id] of request.ids.entries()) {
    const at = writer.item(id.length, request.startHi[item]!, request.startLo[item]!)
    for (const [i, byte] of id.entries()) writer.view.setUint8(at + i, byte)
  }
  return writer.finish()
}

describe("a request written in place", () => {
  it("is the one that its columns encode to", () => {
    for (let seed = 1; seed <= 100; seed++) {
      const sampler = new Sampler(seed)
      const request = sampler.blocksRequest(sampler.below(20))
      const written = write(request)
      assert.deepStrictEqual(written.arg3, encodeBlocksRequest(request), `seed ${seed}`)
      assert.strictEqual(encodeBlocksRequest(written), written.arg3)
      const { ids, namespace, shard, startHi, startLo } = written
      assert.deepStrictEqual({ ids, namespace, shard, startHi, startLo }, request)
      assert.strictEqual(requestElements(written, written.arg3!).items, request.ids.length)
    }
  })

  it("refuses to end with fewer items, other ids or more bytes than announced, and to grow above the largest", () => {
    const few = new BlocksRequestWriter(ascii("ns"), 1, 2, 4)
    few.item(4, 0, 0)
    assert.throws(() => few.finish(), /for 2 items in 81 bytes got 1/)
    const short = new BlocksRequestWriter(ascii("ns"), 1, 1, 4)
    short.item(3, 0, 0)
    assert.throws(() => short.finish(), /got 1, up to/)
    const long = new BlocksRequestWriter(ascii("ns"), 1, 1, 4)
    assert.throws(() => long.item(60, 0, 0), RangeError)
    assert.throws(() => new BlocksRequestWriter(ascii("ns"), 1, 1, Limits.maxRequestBytes), RangeError)
  })
})
