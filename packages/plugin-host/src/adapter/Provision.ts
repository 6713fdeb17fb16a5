/** Starts the parts of a composition, providers first; one that does not start, or gives up meanwhile, is named. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { type PluginFatalError, PluginStartError } from "../contract/HostErrors.ts"
import { hostLimits } from "../contract/Limits.ts"
import type { GraphNode } from "../engine/Graph.ts"
import { type LivePart, type Running, wordsOf } from "./Running.ts"

class StartTimeout extends Data.TaggedError("StartTimeout")<{ readonly millis: number }> {
  override get message(): string {
    return `did not start within ${this.millis} ms`
  }
}

/** A plugin that is wrong in itself: its layer does not do what the plugin says. */
class BrokenPlugin extends Data.TaggedError("BrokenPlugin")<{ readonly message: string }> {}

const errorOf = (cause: Cause.Cause<unknown>): unknown =>
  // Nobody else interrupts a start that the host still waits for.
  Cause.hasInterruptsOnly(cause)
    ? new BrokenPlugin({ message: "interrupted itself while it started" })
    : Cause.squash(cause)

/** Keeps the services that the layer gave; says what is wrong with them. */
const keepServices = ({ node, services }: LivePart, context: Context.Context<unknown>): BrokenPlugin | undefined => {
  for (const { id, multiplicity, tag } of node.plugin.provides) {
    const given = Context.getOption(context, tag)
    if (Option.isNone(given)) return new BrokenPlugin({ message: `its layer gives no ${id}, though it provides ${id}` })
    if (multiplicity === "many" && !Array.isArray(given.value)) {
      return new BrokenPlugin({ message: `its layer gives ${id} as something else than a list` })
    }
    services.set(id, given.value)
  }
  return undefined
}

/** Its scope is known before anything in it is opened, so that an interrupted start is stopped, too. */
const provision = Effect.fnUntraced(function*(running: Running, node: GraphNode) {
  const { board, options } = running
  const { index, name, plugin } = node
  const live: LivePart = {
    node,
    scope: yield* Scope.make(),
    services: new Map(),
    drains: [],
    building: undefined,
    waits: () => [],
    drained: ""
  }
  running.live.set(index, live)
  board.move(index, "starting", "starts", running.now)
  const millis = options.startMillis ?? hostLimits.startMillis
  const layer = Effect.suspend(() =>
    Layer.buildWithScope(
      Layer.provide(Layer.fresh(plugin.layer(node.config as never)), Layer.succeedContext(running.contextOf(live))),
      live.scope
    )
  )
  const building = yield* Effect.forkDetach(layer as Effect.Effect<Context.Context<unknown>, unknown>)
  live.building = building
  const built = yield* Fiber.await(building).pipe(
    Effect.timeoutOrElse({
      duration: millis,
      orElse: () => Effect.succeed(Exit.fail(new StartTimeout({ millis })))
    }),
    // What does not let itself be interrupted is waited for at the stop, within its time.
    Effect.onExit(() => Effect.sync(() => building.interruptUnsafe()))
  )
  const cause = Exit.isFailure(built) ? errorOf(built.cause) : keepServices(live, built.value)
  if (cause !== undefined) {
    const message = wordsOf(cause)
    // One that has reported `fatal` stays so, with its own words.
    if (board.get(index).status !== "fatal") board.move(index, "permanent", message, running.now)
    return yield* new PluginStartError({ plugin: name, message: `${name}: ${message}`, cause })
  }
  // What the plugin said of itself while it started stands.
  if (board.get(index).status === "starting") board.move(index, "ok", "", running.now)
})

/** A plugin that gives up is heard at once: nothing that fails after it is the cause. */
const startError = (error: PluginStartError | PluginFatalError): PluginStartError => {
  if (error._tag === "PluginStartError") return error
  const { message, plugin } = error
  return new PluginStartError({ plugin, message: `${plugin}: ${message}`, cause: error })
}

/** Starts all parts; ends as soon as one of them does not start or reports `fatal`. */
export const provisionAll = (running: Running): Effect.Effect<void, PluginStartError> => {
  const { nodes, order } = running.graph
  return Effect.forEach(order, (at) => provision(running, nodes[at]!), { discard: true }).pipe(
    Effect.raceFirst(running.fatal),
    // The last of them may have given up in the moment in which it started.
    Effect.andThen(Effect.suspend(() => running.gaveUp === undefined ? Effect.void : Effect.fail(running.gaveUp))),
    Effect.mapError((error) => startError(error))
  )
}
