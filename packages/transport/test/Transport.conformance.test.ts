// The kit over every implementation of `Transport` in this package, and over its mutants. The simulated one is checked beside the simulator.
import { describe, it } from "@effect/vitest"
import { mutantSuiteOf } from "@peerstrap/conformance"
import { Faulty, Memory, Tcp } from "@peerstrap/transport"
import { transportKit, transportSuite } from "@peerstrap/transport/testing"
import * as Layer from "effect/Layer"

const chopped = Faulty.layer({ rule: { inbound: { chopBytes: 9_999 }, outbound: { chopBytes: 7_777 } } })
const all = { capabilities: {}, test: it }

describe("the contract of Transport", () => {
  transportSuite("Tcp", Tcp.layer, all)
  transportSuite("Memory", Memory.layer, all)
  transportSuite("Faulty without faults over Memory", Layer.provide(Faulty.layer(), Memory.layer), all)
  transportSuite("Faulty, chopping, over Memory", Layer.provide(chopped, Memory.layer), all)
  transportSuite("Faulty, chopping, over Tcp", Layer.provide(chopped, Tcp.layer), all)
})

describe("the kit of Transport", () => mutantSuiteOf(transportKit, it))
