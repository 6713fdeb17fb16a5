// Tests that need the Go peer: where it cannot be had they are not there, and the test file says why.
import { describe, it } from "@effect/vitest"
import { Tcp, type Transport } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { goPeerMissing } from "./GoPeer.ts"

const testTimeoutMillis = 120_000

export const describeGo = (name: string, tests: () => void): void => {
  if (goPeerMissing === undefined) describe(name, tests)
}

/** One test inside `describeGo`. */
export const goTest = (
  name: string,
  test: () => Effect.Effect<void, unknown, Transport | Scope.Scope>,
  transport: Layer.Layer<Transport> = Tcp.layer
): void => it.live(name, () => test().pipe(Effect.scoped, Effect.provide(transport)), testTimeoutMillis)
