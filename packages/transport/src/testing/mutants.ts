/**
 * Transports that are wrong in one way each, over `Memory`. The kit must reject every one of them: a check that no mutant
 * fails, and a mutant that no check fails, are both findings about the kit.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Memory from "../adapter/Memory.ts"
import {
  type CloseReason,
  type Connection,
  ConnectionClosed,
  DialError,
  formatAddress,
  Transport
} from "../contract/Transport.ts"
import { copyBytes } from "../engine/copyBytes.ts"

/** A transport that is wrong in one way, and the check that must reject it. */
export interface TransportMutant {
  readonly name: string
  /** The name of a check that must not pass; others may fail, too. */
  readonly rejectedBy: string
  readonly layer: Layer.Layer<Transport>
}

type Alter = (connection: Connection) => Connection

/** A connection with some members replaced. */
const over = (inner: Connection, changes: Partial<Connection>): Connection => ({
  remote: inner.remote,
  closed: inner.closed,
  receive: (consumer) => inner.receive(consumer),
  resume: () => inner.resume(),
  write: (chunks) => inner.write(chunks),
  close: (reason) => inner.close(reason),
  ...changes
})

const altered = (alter: Alter): Layer.Layer<Transport> =>
  Layer.effect(
    Transport,
    Effect.map(Transport, (inner) =>
      Transport.of({
        dial: (address, options) => Effect.map(inner.dial(address, options), alter),
        listen: (address, onConnection) => inner.listen(address, (connection) => onConnection(alter(connection)))
      }))
  ).pipe(Layer.provide(Memory.layer))

const mutant = (name: string, rejectedBy: string, alter: Alter): TransportMutant => ({
  name,
  rejectedBy,
  layer: altered(alter)
})

/** Calls the consumer whether or not it is paused. */
const ignoresPause: Alter = (inner) =>
  over(inner, {
    receive: (consumer) =>
      inner.receive((chunk) => {
        consumer(chunk)
        return true
      })
  })

/** Reads on during a pause and throws away what comes. */
const dropsUnderPause: Alter = (inner) => {
  let paused = false
  return over(inner, {
    receive: (consumer) =>
      inner.receive((chunk) => {
        if (!paused) paused = !consumer(chunk)
        return true
      }),
    resume: () => {
      paused = false
    }
  })
}

/** Buffers without bound instead of making the other side wait. */
const buffersWithoutBound: Alter = (inner) => {
  const held: Array<Uint8Array> = []
  let paused = true
  let consume: ((chunk: Uint8Array) => boolean) | undefined
  const pump = () => {
    while (!paused && held.length > 0) paused = !consume!(held.shift()!)
  }
  inner.receive((chunk) => {
    held.push(copyBytes(chunk))
    pump()
    return true
  })
  return over(inner, {
    receive: (consumer) => {
      if (consume !== undefined) throw new Error("a consumer is already installed")
      consume = consumer
      paused = false
      pump()
    },
    resume: () => {
      paused = false
      pump()
    }
  })
}

const forgetsEarlyBytes: Alter = (inner) => {
  let consume: ((chunk: Uint8Array) => boolean) | undefined
  inner.receive((chunk) => consume === undefined || consume(chunk))
  return over(inner, {
    receive: (consumer) => {
      if (consume !== undefined) throw new Error("a consumer is already installed")
      consume = consumer
    }
  })
}

/** Joins two chunks before delivering them, without copying the first: by then its memory has been reused. */
const keepsChunkMemory: Alter = (inner) => {
  let first: Uint8Array | undefined
  return over(inner, {
    receive: (consumer) =>
      inner.receive((chunk) => {
        if (first === undefined && chunk.length > 1) {
          first = chunk
          return true
        }
        const more = first === undefined || consumer(first)
        first = undefined
        return consumer(chunk) && more
      })
  })
}

/** Completes writes at once and sends from the caller's memory later. */
const sendsFromCallersMemory: Alter = (inner) => {
  let queue: Array<Uint8Array> = []
  return over(inner, {
    write: (chunks) => {
      queue.push(...chunks)
      return queue.length < 16 ? Effect.void : Effect.suspend(() => {
        const all = queue
        queue = []
        return inner.write(all)
      })
    }
  })
}

const reordersChunks: Alter = (inner) => over(inner, { write: (chunks) => inner.write(chunks.toReversed()) })

const mixesWriters: Alter = (inner) =>
  over(inner, {
    write: (chunks) =>
      Effect.forEach(chunks, (chunk) => Effect.andThen(Effect.yieldNow, inner.write([chunk])), { discard: true })
  })

const neverCompletesWrites: Alter = (inner) =>
  over(inner, { write: (chunks) => Effect.andThen(inner.write(chunks), Effect.never) })

const hangsOnEmptyWrites: Alter = (inner) =>
  over(inner, { write: (chunks) => chunks.length === 0 ? Effect.never : inner.write(chunks) })

/** Says that it is closed, and goes on delivering. */
const deliversAfterClose: Alter = (inner) => {
  let closedHere: CloseReason | undefined
  return over(inner, {
    close: (reason) => {
      closedHere ??= { kind: "local", message: reason }
    },
    closed: Effect.suspend(() => closedHere === undefined ? inner.closed : Effect.succeed(closedHere)),
    write: (chunks) =>
      closedHere === undefined
        ? inner.write(chunks)
        : Effect.fail(new ConnectionClosed({ remote: inner.remote, reason: closedHere.message }))
  })
}

const endsByItself: Alter = (inner) => over(inner, { closed: Effect.succeed({ kind: "end", message: "too early" }) })

/** Reads ahead, so that `closed` completes with the last byte read instead of the last one consumed. */
const closesBeforeConsumption: Alter = buffersWithoutBound

const losesTheLastBytes: Alter = (inner) => {
  let last: Uint8Array | undefined
  return over(inner, {
    write: (chunks) => {
      const before = last === undefined ? [] : [last]
      last = chunks.at(-1)?.slice()
      return inner.write([...before, ...chunks.slice(0, -1)])
    }
  })
}

/** Lets what a consumer throws pass as if nothing had happened. */
const swallowsDefects: Alter = (inner) =>
  over(inner, {
    receive: (consumer) =>
      inner.receive((chunk) => {
        try {
          return consumer(chunk)
        } catch {
          return true
        }
      })
  })

const renamesTheClose: Alter = (inner) => {
  let last = ""
  return over(inner, {
    close: (reason) => {
      last = reason
      inner.close(reason)
    },
    closed: Effect.map(inner.closed, (reason) => reason.kind === "local" ? { ...reason, message: last } : reason)
  })
}

const writesIntoTheVoid: Alter = (inner) => over(inner, { write: (chunks) => Effect.ignore(inner.write(chunks)) })

const hangsOnClosed: Alter = (inner) =>
  over(inner, { write: (chunks) => Effect.catch(inner.write(chunks), () => Effect.never) })

const callsEveryEndAnError: Alter = (inner) =>
  over(inner, {
    closed: Effect.map(inner.closed, (reason) => reason.kind === "end" ? { ...reason, kind: "error" } : reason)
  })

const replacesTheConsumer: Alter = (inner) => {
  let consume: ((chunk: Uint8Array) => boolean) | undefined
  return over(inner, {
    receive: (consumer) => {
      if (consume === undefined) inner.receive((chunk) => consume!(chunk))
      consume = consumer
    }
  })
}

/** Loses a `resume` that comes while the consumer runs. */
const losesEarlyResume: Alter = (inner) => {
  let inside = false
  return over(inner, {
    receive: (consumer) =>
      inner.receive((chunk) => {
        inside = true
        const more = consumer(chunk)
        inside = false
        return more
      }),
    resume: () => {
      if (!inside) inner.resume()
    }
  })
}

const flipsABit: Alter = (inner) => {
  let position = 0
  return over(inner, {
    receive: (consumer) =>
      inner.receive((chunk) => {
        const copy = copyBytes(chunk)
        if (position < 40_000 && position + copy.length > 40_000) copy[40_000 - position]! ^= 1
        position += copy.length
        return consumer(copy)
      })
  })
}

const deliversEmptyChunks: Alter = (inner) =>
  over(inner, {
    receive: (consumer) => inner.receive((chunk) => consumer(chunk.subarray(0, 0)) && consumer(chunk))
  })

const misnamesTheRemote: Alter = (inner) => over(inner, { remote: "somewhere" })

const memoryWith = (change: (inner: Transport["Service"]) => Transport["Service"]): Layer.Layer<Transport> =>
  Layer.effect(Transport, Effect.map(Transport, change)).pipe(Layer.provide(Memory.layer))

const wholeTransports: ReadonlyArray<TransportMutant> = [
  {
    name: "reports a refused dial as a timeout",
    rejectedBy: "refuses a dial where nobody listens",
    layer: memoryWith((inner) => ({
      ...inner,
      dial: (address, options) =>
        Effect.mapError(
          inner.dial(address, options),
          (error) =>
            new DialError({
              address: formatAddress(address),
              reason: "timeout",
              fault: "unknown",
              message: error.message
            })
        )
    }))
  },
  {
    name: "leaves dialled connections open when their scope closes",
    rejectedBy: "ends a dialled connection with its scope",
    layer: memoryWith((inner) => ({
      ...inner,
      dial: (address, options) => Scope.provide(inner.dial(address, options), Scope.makeUnsafe())
    }))
  },
  {
    name: "leaves accepted connections open when their fiber ends",
    rejectedBy: "ends an accepted connection with its fiber",
    layer: memoryWith((inner) => ({
      ...inner,
      listen: (address, onConnection) => inner.listen(address, (c) => Effect.andThen(onConnection(c), Effect.never))
    }))
  },
  {
    name: "leaves the fibers of a listener running",
    rejectedBy: "ends accepted connections, and interrupts their fibers, with the listener's scope",
    layer: memoryWith((inner) => ({
      ...inner,
      listen: (address, onConnection) =>
        inner.listen(address, (c) => Effect.asVoid(Effect.andThen(Effect.forkDetach(onConnection(c)), c.closed)))
    }))
  }
]

/** All transports that are wrong in one way. */
export const transportMutants: ReadonlyArray<TransportMutant> = [
  mutant("reorders chunks", "carries bytes in order in both directions at once", reordersChunks),
  mutant("flips a bit", "carries bytes in order in both directions at once", flipsABit),
  mutant("never completes writes", "carries bytes in order in both directions at once", neverCompletesWrites),
  mutant("mixes writers", "keeps the chunks of one write together when several fibers write", mixesWriters),
  mutant("hangs on empty writes", "completes an empty write and never delivers an empty chunk", hangsOnEmptyWrites),
  mutant("delivers empty chunks", "completes an empty write and never delivers an empty chunk", deliversEmptyChunks),
  mutant("sends from the caller's memory", "has taken over the bytes when a write completes", sendsFromCallersMemory),
  mutant("keeps chunk memory across calls", "carries bytes in order in both directions at once", keepsChunkMemory),
  mutant("forgets bytes before `receive`", "keeps bytes that arrive before `receive`", forgetsEarlyBytes),
  mutant("ignores pause", "delivers nothing during a pause and loses nothing by it", ignoresPause),
  mutant("drops bytes under pause", "delivers nothing during a pause and loses nothing by it", dropsUnderPause),
  mutant(
    "loses a resume during the call",
    "takes a `resume` during the consumer's call as the end of that pause",
    losesEarlyResume
  ),
  mutant("buffers without bound", "makes writers wait while the other side does not read", buffersWithoutBound),
  mutant("delivers after close", "a local close is final, idempotent and named", deliversAfterClose),
  mutant("lets a second close rename the first", "a local close is final, idempotent and named", renamesTheClose),
  mutant("accepts writes after the end", "a local close is final, idempotent and named", writesIntoTheVoid),
  mutant(
    "loses the last bytes",
    "delivers what was written before the other side closed, then ends with kind `end`",
    losesTheLastBytes
  ),
  mutant(
    "calls an orderly end an error",
    "delivers what was written before the other side closed, then ends with kind `end`",
    callsEveryEndAnError
  ),
  mutant("ends by itself", "makes writers wait while the other side does not read", endsByItself),
  mutant(
    "closes before consumption",
    "completes `closed` only after everything received has been consumed",
    closesBeforeConsumption
  ),
  mutant(
    "hangs writes after the end",
    "fails a write that waits when the connection ends, on either side",
    hangsOnClosed
  ),
  mutant("replaces the consumer", "refuses a second consumer", replacesTheConsumer),
  mutant(
    "swallows a consumer's defects",
    "survives a consumer that throws: the connection ends as an error",
    swallowsDefects
  ),
  mutant(
    "misnames the remote",
    "chooses a port, names the remote, and serves many connections on one listener",
    misnamesTheRemote
  ),
  ...wholeTransports
]
