/** Only listing and grouping: which series do two replicas hold, and of which do their checksums differ? No data is moved. */
import { makeNodeClient, type NodeClient } from "@peerstrap/m3db-wire"
import { SeededReplica, seededSpec, startReplica } from "@peerstrap/m3db-wire/testing"
import { type Grouping, makePackedGrouping } from "@peerstrap/metadata-grouping"
import { Memory } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import assert from "node:assert/strict"

const spec = seededSpec({ series: 200, numShards: 1 })

/** Lists one shard of one peer page by page into the grouping. */
const list = Effect.fnUntraced(function*(client: NodeClient, peer: number, grouping: Grouping) {
  const request = { namespace: new TextEncoder().encode(spec.namespace), shard: 0, limit: 4096 }
  const range = { rangeStart: spec.start, rangeEnd: spec.start + spec.blockSize }
  let pageToken: Uint8Array | undefined
  do {
    const page = yield* client.fetchBlocksMetadata({ ...request, ...range, pageToken })
    grouping.reportPage(peer, page)
    pageToken = page.nextPageToken
  } while (pageToken !== undefined)
  grouping.finish(peer)
})

const compare = Effect.scoped(Effect.gen(function*() {
  const variations = [{ lackSeries: { every: 10, remainder: 0 } }, { otherValues: { every: 10, remainder: 1 } }]
  const grouping = makePackedGrouping({ peerCount: 2, maxGroups: 100_000 })
  yield* Effect.forEach(variations, (variation, peer) =>
    Effect.gen(function*() {
      const { address } = yield* startReplica({ data: new SeededReplica(spec, variation) })
      yield* list(yield* makeNodeClient({ peer: `replica ${peer}`, address }), peer, grouping)
    }), { concurrency: 2 })
  const ready: Array<number> = []
  grouping.drainReady(ready)
  const both = ready.filter((group) => grouping.reporters(group) === 2)
  const different = both.filter((group) => grouping.checksum(group, 0) !== grouping.checksum(group, 1))
  return { listed: ready.length, alone: ready.length - both.length, different: different.length }
}))

const { alone, different, listed } = await Effect.runPromise(Effect.provide(compare, Memory.layer))
assert.equal(listed, 200)
assert.ok(alone > 0 && different > 0 && alone + different < listed)
console.log(`${listed} series: ${alone} on one replica only, ${different} differ`)
