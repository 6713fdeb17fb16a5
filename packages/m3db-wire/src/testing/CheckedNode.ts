/** The subject of the kit of node servers: what the kit must know about the node, which is reached over the `Transport` beside it. */
import type { Address } from "@peerstrap/transport"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { NodeFacts } from "./KitCalls.ts"
import { SeededReplica } from "./SeededReplica.ts"
import { seededSpec } from "./SeededSpec.ts"

/** The node that is checked; it is bootstrapped and at rest. */
export class CheckedNode
  extends Context.Service<CheckedNode, NodeFacts>()("@peerstrap/m3db-wire/testing/CheckedNode")
{}

const spec = seededSpec({
  series: 60,
  numShards: 4,
  shards: [0, 1, 2],
  blocks: 3,
  active: 1,
  points: 40,
  tags: -1,
  annotate: 9,
  odd: 7,
  hashSeed: 42
})

/** What is to be known of a node that holds `data`, which has the shape of the kit's own. */
const factsOf = (data: SeededReplica, address: Address): NodeFacts => ({
  address,
  namespace: spec.namespace,
  numShards: spec.numShards,
  hashSeed: spec.hashSeed,
  shard: 1,
  otherShard: 2,
  unownedShard: 3,
  rangeStart: spec.start,
  rangeEnd: data.end,
  blockSize: spec.blockSize
})

/** Made and encoded once, for whoever asks: a kit's proof starts more than a thousand nodes, and none changes what it holds. */
const merged = new SeededReplica(spec)
const inTwoStreams = new SeededReplica(spec, { unmerged: { every: 3, remainder: 0 } })

/** A node that is started with the data of the kit, in the scope of the layer; `unmerged`: some blocks are two streams. */
export const nodeLayer = <E, R>(
  start: (data: SeededReplica) => Effect.Effect<Address, E, R>,
  { unmerged = false }: { readonly unmerged?: boolean } = {}
): Layer.Layer<CheckedNode, E, Exclude<R, Scope.Scope>> =>
  Layer.effect(
    CheckedNode,
    Effect.suspend(() => {
      const data = unmerged ? inTwoStreams : merged
      return Effect.map(start(data), (address) => factsOf(data, address))
    })
  )
