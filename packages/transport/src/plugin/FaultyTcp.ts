/** TCP with faults by a rule and a seed, as the plugin `transport.faulty`: to rehearse a run on a bad network. */
import { configDefault, configOptional, definePlugin, Type } from "@peerstrap/plugin-host"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Faulty from "../adapter/Faulty.ts"
import * as Tcp from "../adapter/Tcp.ts"
import type { DirectionFaults } from "../contract/Faults.ts"
import { Transport } from "../contract/Transport.ts"
import { transportKind } from "./Kind.ts"

const maxUint32 = 4_294_967_295
const position = Type.integer(0, Number.MAX_SAFE_INTEGER, 150_000)

const Direction = Schema.Struct({
  latency: configOptional(Type.millis("20ms"), "Each piece arrives this much later."),
  jitter: configOptional(Type.millis("5ms"), "Up to this much is added to the latency."),
  bytesPerSecond: configOptional(Type.bytes(1, 2 ** 40, "200KB"), "The direction carries no more."),
  chopBytes: configOptional(Type.bytes(1, 2 ** 30, "1KiB"), "Bytes come in pieces of at most this size."),
  cutAfterBytes: configOptional(position, "The connection breaks after so many bytes."),
  silenceAfterBytes: configOptional(position, "What follows so many bytes never arrives."),
  flipBitAtByte: configOptional(position, "One bit of this byte is inverted.")
})

const faultsOf = ({ jitter, latency, ...rest }: typeof Direction.Type): DirectionFaults => ({
  ...rest,
  ...(latency === undefined ? {} : { latencyMillis: latency }),
  ...(jitter === undefined ? {} : { jitterMillis: jitter })
})

/** Plugin `transport.faulty`: TCP with faults by a seed. */
export const faultyTcp = definePlugin({
  id: "transport.faulty",
  version: "0.1.0",
  stability: "stable",
  summary: "Connections over TCP with faults by a seed, to rehearse a bad network.",
  provides: [transportKind],
  requires: [],
  config: Schema.Struct({
    inbound: Schema.optionalKey(Direction).annotate({ description: "Faults on the way to this process." }),
    outbound: Schema.optionalKey(Direction).annotate({ description: "Faults on the way from this process." }),
    seed: configDefault(Type.integer(0, maxUint32, 1), 1, "The same seed gives the same jitter and the same bits.")
  }),
  layer: ({ inbound = {}, outbound = {}, seed }) => {
    const rule = { inbound: faultsOf(inbound), outbound: faultsOf(outbound) }
    const faulty = Layer.build(Layer.provide(Faulty.layer({ seed, rule }), Tcp.layer))
    // The rule is the config's: nobody gets the control of it.
    return Layer.effect(Transport, Effect.map(faulty, (context) => Context.get(context, Transport)))
  }
})
