// The kit over every implementation of `Transport`.
import { describe, it } from "@effect/vitest"
import { Faulty, Memory, Tcp } from "@peerstrap/transport"
import { transportSuite } from "@peerstrap/transport/testing"
import * as Layer from "effect/Layer"

const chopped = Faulty.layer({ rule: { inbound: { chopBytes: 9_999 }, outbound: { chopBytes: 7_777 } } })

describe("the contract of Transport", () => {
  transportSuite("Tcp", Tcp.layer, it)
  transportSuite("Memory", Memory.layer, it)
  transportSuite("Faulty without faults over Memory", Layer.provide(Faulty.layer(), Memory.layer), it)
  transportSuite("Faulty, chopping, over Memory", Layer.provide(chopped, Memory.layer), it)
  transportSuite("Faulty, chopping, over Tcp", Layer.provide(chopped, Tcp.layer), it)
})
