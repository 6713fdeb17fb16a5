/**
 * The simulated variant of a conformance suite: `run: simulatedRun({ seed })` among a suite's options runs each check in virtual time, and
 * `simulatedTransport(node)` is the transport of the network that this check runs in.
 */
import type { Transport } from "@peerstrap/transport"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Network } from "../engine/Network.ts"
import { layer } from "./SimulatedTransport.ts"
import { type SimulateOptions, simulateOrThrow } from "./Simulation.ts"

const CurrentNetwork = Context.Reference<Network | undefined>("@peerstrap/simulator/CurrentNetwork", {
  defaultValue: () => undefined
})

/** Runs an effect in a simulation of its own; rejects with what it failed with, or as `SimulationStuck`. */
export const simulatedRun =
  (options: SimulateOptions) => async (effect: Effect.Effect<void, unknown>): Promise<void> => {
    await simulateOrThrow(options, ({ network }) => Effect.provideService(effect, CurrentNetwork, network))
  }

/** `Transport` of one node in the network of the simulation that `simulatedRun` made; dies outside of one. */
export const simulatedTransport = (node: string): Layer.Layer<Transport> =>
  Layer.unwrap(
    Effect.flatMap(CurrentNetwork, (network) =>
      network === undefined
        ? Effect.die(new TypeError("simulatedTransport: this does not run under simulatedRun"))
        : Effect.succeed(layer(network, node)))
  )
