/** What every transport does with a connection beyond its bytes: the fibers of a listener, and the scope of a dialled one. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberSet from "effect/FiberSet"
import * as Scope from "effect/Scope"
import type { Connection } from "../contract/Transport.ts"

/**
 * Returns a function that runs `onConnection` in a fiber of the current scope. When the fiber ends, for whatever reason,
 * so does the connection; when the scope closes, so do the fibers.
 */
export const acceptor = Effect.fnUntraced(function*(onConnection: (connection: Connection) => Effect.Effect<void>) {
  const fibers = yield* FiberSet.make<void>()
  const run = yield* FiberSet.runtime(fibers)<never>()
  return (connection: Connection): void => {
    run(Effect.ensuring(
      Effect.suspend(() => onConnection(connection)),
      Effect.sync(() => connection.close("the listener's fiber ended"))
    ))
  }
})

/**
 * Ties a connection to the current scope by a scope of its own, so that a connection that ends early leaves nothing
 * behind in a long-lived scope. Call `release` only when it has ended: from then on the scope no longer calls `close`.
 */
export const connectionScope = Effect.fnUntraced(function*(close: (reason: string) => void) {
  const scope = yield* Scope.fork(yield* Effect.scope)
  yield* Scope.addFinalizer(scope, Effect.sync(() => close("scope closed")))
  return { scope, release: () => void Scope.closeUnsafe(scope, Exit.void) }
})
