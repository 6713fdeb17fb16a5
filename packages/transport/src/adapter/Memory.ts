/**
 * An in-process network of named `host:port` with bounded windows and real back-pressure: no sockets, no clock. Bytes move
 * in turns of Effect's scheduler, so that a `TestClock` waits for them.
 *
 * A delivered chunk is overwritten as soon as the consumer returns: who keeps one instead of copying it is found out here.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scheduler from "effect/Scheduler"
import { Limits } from "../contract/Limits.ts"
import {
  type Address,
  type Connection,
  DialError,
  formatAddress,
  ListenError,
  Transport
} from "../contract/Transport.ts"
import { acceptor, connectionScope } from "./Accepting.ts"
import { type MemoryConnection, memoryPair } from "./MemoryConnection.ts"

const firstEphemeralPort = 49_152

class Network {
  private readonly listeners = new Map<string, (connection: MemoryConnection) => void>()
  private nextPort = firstEphemeralPort

  listener(address: Address): ((connection: MemoryConnection) => void) | undefined {
    return this.listeners.get(formatAddress(address))
  }

  /** Takes an address, with a free port for port 0; undefined when it is taken. */
  bind(address: Address, accept: (connection: MemoryConnection) => void): Address | undefined {
    let bound = address
    while (bound.port === 0 || (address.port === 0 && this.listeners.has(formatAddress(bound)))) {
      bound = { host: address.host, port: this.nextPort++ }
    }
    const key = formatAddress(bound)
    if (this.listeners.has(key)) return undefined
    this.listeners.set(key, accept)
    return bound
  }

  release(address: Address): void {
    this.listeners.delete(formatAddress(address))
  }

  /** A name for the dialling side of a connection. */
  nextDialler(): string {
    return formatAddress({ host: "dialler", port: this.nextPort++ })
  }
}

const make = Effect.map(Scheduler.Scheduler, (scheduler) => {
  const network = new Network()
  const dispatcher = scheduler.makeDispatcher()
  const defer = (task: () => void) => dispatcher.scheduleTask(task, 0)

  const dial = Effect.fnUntraced(function*(address: Address) {
    yield* Effect.yieldNow
    const accept = network.listener(address)
    if (accept === undefined) {
      return yield* new DialError({
        address: formatAddress(address),
        reason: "refused",
        fault: "unknown",
        message: `nothing listens on ${formatAddress(address)} in this memory network`
      })
    }
    const [near, far] = memoryPair(
      formatAddress(address),
      network.nextDialler(),
      Limits.memoryWindowBytes,
      defer
    )
    const { release } = yield* connectionScope((reason) => near.close(reason))
    near.onEnd(release)
    accept(far)
    return near as Connection
  })

  const listen = Effect.fnUntraced(function*(
    address: Address,
    onConnection: (connection: Connection) => Effect.Effect<void>
  ) {
    const accept = yield* acceptor(onConnection)
    const bound = network.bind(address, accept)
    if (bound === undefined) {
      return yield* new ListenError({
        address: formatAddress(address),
        message: `${formatAddress(address)} is taken in this memory network`
      })
    }
    yield* Effect.addFinalizer(() => Effect.sync(() => network.release(bound)))
    return { address: bound }
  })

  return Transport.of({ dial: (address) => Effect.uninterruptible(dial(address)), listen })
})

/** `Transport` within the process. Everyone who is given the same layer is on the same network. */
export const layer: Layer.Layer<Transport> = Layer.effect(Transport, make)
