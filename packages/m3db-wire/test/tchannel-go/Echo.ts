// Calls of the Go peer's echoing methods on bare frames.
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { ChecksumType } from "../../src/index.ts"
import { maxFrameBytes, sameBytes } from "./Bytes.ts"
import { type FrameCall, type FrameClient, frameClient } from "./FrameClient.ts"
import { startGoPeer } from "./GoPeer.ts"

/** Calls an echoing method and checks that everything came back. */
export const echoes = Effect.fnUntraced(
  function*(client: FrameClient, call: Omit<FrameCall, "method">, method = "Node::echo") {
    const answer = yield* client.call({ ...call, method })
    const what = `arg2 ${call.arg2?.length ?? 2}, arg3 ${call.arg3.length}, frames of ${
      call.maxFrameBytes ?? maxFrameBytes
    }`
    sameBytes(answer.arg2, call.arg2 ?? new Uint8Array(2), `${what}: arg2`)
    sameBytes(answer.arg3, call.arg3, `${what}: arg3`)
    assert.strictEqual(answer.arg1.length, 0)
    assert.strictEqual(answer.checksumType, call.checksumType ?? ChecksumType.crc32)
    return answer
  }
)

/** A Go peer and a connection to it. */
export const connected = Effect.gen(function*() {
  const go = yield* startGoPeer
  return { go, client: yield* frameClient(go.address) }
})
