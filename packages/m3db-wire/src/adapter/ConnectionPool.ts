/**
 * At most `size` connections to one peer, each used by one call at a time because a large answer blocks all others behind
 * it. Callers wait in the order in which they came.
 */
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import { type CallFailure, callFailure } from "../engine/PendingCall.ts"
import type { PeerConnection } from "./PeerConnection.ts"

/** A connection for one call, and when its turn came (before a dial, after the waiting). */
export interface Lease {
  readonly connection: PeerConnection
  readonly beganMillis: number
}

export interface PoolOptions {
  readonly size: number
  readonly maxWaitingCalls: number
  readonly dial: Effect.Effect<PeerConnection, CallFailure>
  readonly nowMillis: () => number
}

export class ConnectionPool {
  private readonly options: PoolOptions
  private readonly permits: Semaphore.Semaphore
  private readonly idle: Array<PeerConnection> = []
  private callers = 0

  constructor(options: PoolOptions) {
    this.options = options
    this.permits = Semaphore.makeUnsafe(options.size)
  }

  /**
   * Lends a connection, idle or newly dialled within `dialLimitMillis`. It goes back unless its session has ended or takes
   * no further calls.
   */
  use<A, E>(dialLimitMillis: number, call: (lease: Lease) => Effect.Effect<A, E>): Effect.Effect<A, E | CallFailure> {
    return Effect.suspend((): Effect.Effect<A, E | CallFailure> => {
      const { maxWaitingCalls, size } = this.options
      if (this.callers >= size + maxWaitingCalls) {
        return Effect.fail(callFailure("local", `${maxWaitingCalls} calls wait for a connection already`))
      }
      this.callers++
      return Effect.onExit(this.permits.withPermit(this.lend(dialLimitMillis, call)), () =>
        Effect.sync(() => {
          this.callers--
        }))
    })
  }

  private lend<A, E>(
    dialLimitMillis: number,
    call: (lease: Lease) => Effect.Effect<A, E>
  ): Effect.Effect<A, E | CallFailure> {
    return Effect.uninterruptibleMask((restore) => {
      const beganMillis = this.options.nowMillis()
      const idle = this.takeIdle()
      const connection = idle === undefined
        ? restore(Effect.timeoutOrElse(this.options.dial, {
          duration: dialLimitMillis,
          orElse: () => Effect.fail(callFailure("timeout", `no connection in ${dialLimitMillis} ms`))
        }))
        : Effect.succeed(idle)
      return Effect.flatMap(
        connection,
        (connection) => Effect.onExit(restore(call({ connection, beganMillis })), () => this.giveBack(connection))
      )
    })
  }

  private takeIdle(): PeerConnection | undefined {
    for (let connection = this.idle.pop(); connection !== undefined; connection = this.idle.pop()) {
      if (connection.session.usable) return connection
      connection.close("it takes no further calls")
    }
    return undefined
  }

  private giveBack(connection: PeerConnection): Effect.Effect<void> {
    return Effect.sync(() => {
      if (connection.session.usable) this.idle.push(connection)
      else connection.close("it takes no further calls")
    })
  }
}
