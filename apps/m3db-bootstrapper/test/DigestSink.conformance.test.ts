/** The digest sink keeps rows and no bytes: the kit asks it what needs no eyes on a store. Its lines have tests of their own. */
import { describe, it } from "@effect/vitest"
import { BlockSink } from "@peerstrap/m3db-bootstrap"
import { blockSinkSuite, SinkStore } from "@peerstrap/m3db-bootstrap/testing"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { makeDigestSink } from "../src/digest/DigestSink.ts"

const digesting = Layer.effect(
  BlockSink,
  Effect.map(
    makeDigestSink({
      namespace: "metrics",
      shards: [3, 4, 5, 6],
      blocksPerShard: 1,
      maxHeldBytes: 1 << 20,
      write: () => Effect.yieldNow,
      onUndecodable: () => undefined
    }),
    ({ sink }) => sink
  )
)

describe("the digest sink", () => {
  blockSinkSuite("digest:", Layer.merge(digesting, Layer.succeed(SinkStore, {})), {
    capabilities: {
      "readable": false,
      "unique-ids": false,
      "write-once": false,
      "power-cut": false,
      "reopens": false,
      "counts-handles": false
    },
    test: it
  })
})
