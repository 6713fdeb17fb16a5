/**
 * Wraps any `Transport` and injects faults by rule and seed: latency, jitter, limited rate, chopping, cuts, silence, flipped
 * bits, refused dials, per direction, changeable while running. Time is Effect's `Clock`.
 *
 * ```
 *   your code ◄── Inbox ◄── FaultLine (arriving) ◄── inner connection
 *             ──────────►   FaultLine (leaving)  ──►
 * ```
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import type { ConnectionFacts, ConnectionFaults, FaultRule } from "../contract/Faults.ts"
import {
  type Address,
  type Connection,
  DialError,
  type DialOptions,
  formatAddress,
  Transport
} from "../contract/Transport.ts"
import { connectionScope } from "./Accepting.ts"
import { FaultyConnection } from "./FaultyConnection.ts"

/** Changes the faults of a `Faulty` transport while it runs. All members are synchronous. */
export class FaultControl extends Context.Service<FaultControl, {
  /** From now on these faults, or this rule, hold for all connections, existing ones included. */
  set(rule: ConnectionFaults | FaultRule): void
  /** Breaks the live connections that match (default: all). Returns how many. */
  cut(matches?: (connection: ConnectionFacts) => boolean): number
  /** The connections that are alive, in the order in which they began. */
  connections(): ReadonlyArray<ConnectionFacts>
}>()("@peerstrap/transport/FaultControl") {}

/** Which faults at first, and the seed of chance. */
export interface FaultyOptions {
  /** The same seed gives the same jitter and the same flipped bits. Default 1. */
  readonly seed?: number
  /** Faults to start with. Default: none. */
  readonly rule?: ConnectionFaults | FaultRule
}

class Registry {
  private readonly live = new Map<number, FaultyConnection>()
  private readonly seed: number
  private rule: FaultRule = () => ({})
  private nextIndex = 0

  constructor(options: FaultyOptions) {
    this.seed = options.seed ?? 1
    this.set(options.rule ?? {})
  }

  set(rule: ConnectionFaults | FaultRule): void {
    this.rule = typeof rule === "function" ? rule : () => rule
  }

  begin(remote: string, side: ConnectionFacts["side"]): ConnectionFacts {
    return { index: this.nextIndex++, remote, side }
  }

  faultsOf(facts: ConnectionFacts): ConnectionFaults {
    return this.rule(facts)
  }

  wrap(inner: Connection, facts: ConnectionFacts, clock: Clock.Clock): FaultyConnection {
    const seed = (Math.imul(facts.index + 1, 0x9e3779b1) ^ this.seed) >>> 0
    const connection = new FaultyConnection(inner, facts, () => this.rule(facts), seed, clock)
    this.live.set(facts.index, connection)
    return connection
  }

  ended(facts: ConnectionFacts): void {
    this.live.delete(facts.index)
  }

  cut(matches: (connection: ConnectionFacts) => boolean): number {
    const chosen = [...this.live.values()].filter((connection) => matches(connection.facts))
    for (const connection of chosen) connection.cut("connection reset (injected fault)")
    return chosen.length
  }

  connections(): ReadonlyArray<ConnectionFacts> {
    return [...this.live.values()].map((connection) => connection.facts)
  }
}

const refused = (address: Address, reason: DialError["reason"]): DialError =>
  new DialError({
    address: formatAddress(address),
    reason,
    fault: "unknown",
    message: `dial of ${formatAddress(address)}: ${reason} (injected fault)`
  })

const make = Effect.fnUntraced(function*(options: FaultyOptions) {
  const inner = yield* Transport
  const layerScope = yield* Effect.scope
  const registry = new Registry(options)

  const dial = (address: Address, dialOptions?: DialOptions) =>
    Effect.uninterruptibleMask(Effect.fnUntraced(function*(restore) {
      const facts = registry.begin(formatAddress(address), "dialled")
      const refusal = registry.faultsOf(facts).refuseDial
      if (refusal !== undefined) return yield* refused(address, refusal)
      // The inner connection outlives the caller's scope until what was written has left.
      const lifetime = yield* Scope.fork(layerScope)
      const connection = yield* restore(Scope.provide(inner.dial(address, dialOptions), lifetime)).pipe(
        Effect.onExit((exit) => Exit.isFailure(exit) ? Scope.close(lifetime, exit) : Effect.void)
      )
      const faulty = registry.wrap(connection, facts, yield* Clock.Clock)
      const { release } = yield* connectionScope((reason) => faulty.close(reason))
      faulty.onEnd(() => {
        registry.ended(facts)
        release()
      })
      yield* Effect.forkIn(
        Effect.ensuring(Effect.interruptible(faulty.run), Scope.close(lifetime, Exit.void)),
        layerScope
      )
      return faulty as Connection
    }))

  const serve = (onConnection: (connection: Connection) => Effect.Effect<void>) =>
    Effect.fnUntraced(function*(connection: Connection) {
      const facts = registry.begin(connection.remote, "accepted")
      const faulty = registry.wrap(connection, facts, yield* Clock.Clock)
      faulty.onEnd(() => registry.ended(facts))
      yield* Effect.forkIn(faulty.run, layerScope)
      yield* Effect.ensuring(
        Effect.suspend(() => onConnection(faulty)),
        Effect.sync(() => faulty.close("the listener's fiber ended"))
      )
      // What was written may still be under way.
      yield* connection.closed
    })

  return Context.make(
    Transport,
    Transport.of({ dial, listen: (address, onConnection) => inner.listen(address, serve(onConnection)) })
  ).pipe(Context.add(
    FaultControl,
    FaultControl.of({
      set: (rule) => registry.set(rule),
      cut: (matches = () => true) => registry.cut(matches),
      connections: () => registry.connections()
    })
  ))
})

/** A `Transport` with faults over the one given; `FaultControl` changes them while it runs. */
export const layer = (options: FaultyOptions = {}): Layer.Layer<Transport | FaultControl, never, Transport> =>
  Layer.effectContext(make(options))
