/**
 * Runs an Effect program in virtual time over a simulated network, by seed. Everything that waits through Effect (sleeps,
 * timeouts, queues, connections) is an event of one scheduler; the run ends when the program does.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import { Limits } from "../contract/Limits.ts"
import type { LinkShape } from "../engine/Link.ts"
import { Network } from "../engine/Network.ts"
import { Random } from "../engine/Random.ts"
import { Scheduler } from "../engine/Scheduler.ts"
import { simulatedContext } from "./SimulatedRuntime.ts"

/** What a program under simulation may use. */
export interface Simulated {
  readonly seed: number
  readonly scheduler: Scheduler
  readonly random: Random
  readonly network: Network
}

/** Seed, links and bounds of a simulation. */
export interface SimulateOptions {
  readonly seed: number
  /** The shape of links that nobody sets. Default: 1 ms of latency. */
  readonly link?: LinkShape
  /** Unix time at which virtual time starts. Default 0. */
  readonly startMillis?: number
  /** A program that has not ended by this virtual time is interrupted and counts as stuck. Default: no limit. */
  readonly maxVirtualMillis?: number
  /** Default `Limits.maxEvents`. */
  readonly maxEvents?: number
  /** Shuffle what happens at the same instant. Default true. */
  readonly shuffle?: boolean
  /** Called with every event before it runs, to print a trace. */
  readonly onEvent?: (atMillis: number, label: string) => void
}

/** How the program ended, and what happened meanwhile. */
export interface SimulationResult<A, E> {
  readonly exit: Exit.Exit<A, E>
  /** Digest of all events, in order: equal for equal seeds. */
  readonly hash: string
  readonly events: number
  readonly virtualMillis: number
}

/** The program waits for something that no event will bring, or that did not come within the limits. */
export class SimulationStuck extends Error {
  override readonly name = "SimulationStuck"
}

const turnOfTheRealLoop = () => new Promise<void>((resolve) => setImmediate(resolve))

/**
 * Runs `program` to its end in virtual time. A failure, a defect or being stuck is in `exit`; only a livelock rejects.
 *
 * Work outside of the simulation (a file, a thread, a promise) is waited for only when nothing else is left to happen, and then
 * for `Limits.idleTurns` turns of the real event loop: virtual timeouts come before it. Keep it out of programs that race it
 * against time or whose hashes are compared.
 */
export const simulate = async <A, E>(
  options: SimulateOptions,
  program: (simulated: Simulated) => Effect.Effect<A, E, Scope.Scope>
): Promise<SimulationResult<A, E>> => {
  const random = Random.make(options.seed)
  const scheduler = new Scheduler({
    random,
    ...(options.shuffle === undefined ? {} : { shuffle: options.shuffle }),
    ...(options.maxEvents === undefined ? {} : { maxEvents: options.maxEvents }),
    ...(options.onEvent === undefined ? {} : { onEvent: options.onEvent })
  })
  const network = new Network({ scheduler, random, ...(options.link === undefined ? {} : { link: options.link }) })
  const limit = options.maxVirtualMillis ?? Infinity
  const context = simulatedContext(scheduler, random, options.startMillis)
  const fiber = Effect.runForkWith(context)(
    Effect.scoped(
      Effect.suspend(() => program({ seed: options.seed, scheduler, random: random.fork("program"), network }))
    )
  )
  const result = (exit: Exit.Exit<A, E>): SimulationResult<A, E> => ({
    exit,
    hash: scheduler.hash,
    events: scheduler.events,
    virtualMillis: scheduler.now
  })
  for (let idle = 0; idle < Limits.idleTurns; idle++) {
    const before = scheduler.events
    const outcome = scheduler.runUntilCondition(() => fiber.pollUnsafe() !== undefined, limit)
    const exit = fiber.pollUnsafe()
    if (exit !== undefined) return result(exit)
    if (outcome === "time") break
    if (scheduler.events > before) idle = 0
    await turnOfTheRealLoop()
  }
  const why = scheduler.pending > 0
    ? `not ended after ${limit} ms of virtual time`
    : `nothing is left to happen at ${scheduler.now} ms of virtual time, and the program still waits`
  fiber.interruptUnsafe()
  scheduler.runUntilCondition(() => fiber.pollUnsafe() !== undefined)
  return result(Exit.die(new SimulationStuck(`${why} (seed ${options.seed}, ${scheduler.events} events)`)))
}

/** As `simulate`, but throws what the program failed with. */
export const simulateOrThrow = async <A, E>(
  options: SimulateOptions,
  program: (simulated: Simulated) => Effect.Effect<A, E, Scope.Scope>
): Promise<SimulationResult<A, E> & { readonly value: A }> => {
  const result = await simulate(options, program)
  if (Exit.isFailure(result.exit)) throw Cause.squash(result.exit.cause)
  return { ...result, value: result.exit.value }
}
