/** Transports that are wrong in one way each, over `Memory`. The kit must reject every one of them, for its reason. */
import type { Mutant } from "@peerstrap/conformance"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Memory from "../adapter/Memory.ts"
import { DialError, formatAddress, Transport } from "../contract/Transport.ts"
import {
  type Alter,
  buffersWithoutBound,
  callsEveryEndAnError,
  closesBeforeConsumption,
  deliversAfterClose,
  deliversEmptyChunks,
  dropsUnderPause,
  endsByItself,
  flipsABit,
  flipsABitAfterPauses,
  forgetsEarlyBytes,
  hangsOnClosed,
  hangsOnEmptyWrites,
  ignoresPause,
  keepsChunkMemory,
  losesEarlyResume,
  losesTheLastBytes,
  misnamesTheRemote,
  mixesWriters,
  neverCompletesWrites,
  renamesTheClose,
  reordersChunks,
  replacesTheConsumer,
  sendsFromCallersMemory,
  sendsInHalves,
  swallowsDefects,
  takesAtMost1024Chunks,
  writesIntoTheVoid
} from "./BrokenConnections.ts"

type TransportMutant = Mutant<Transport>

const altered = (alter: Alter): Layer.Layer<Transport> =>
  Layer.effect(
    Transport,
    Effect.map(Transport, (inner) =>
      Transport.of({
        dial: (address, options) => Effect.map(inner.dial(address, options), alter),
        listen: (address, onConnection) => inner.listen(address, (connection) => onConnection(alter(connection)))
      }))
  ).pipe(Layer.provide(Memory.layer))

const mutant = (
  name: string,
  rejectedBy: string,
  because: TransportMutant["because"],
  alter: Alter
): TransportMutant => ({
  name,
  rejectedBy,
  because,
  layer: altered(alter)
})

const memoryWith = (change: (inner: Transport["Service"]) => Transport["Service"]): Layer.Layer<Transport> =>
  Layer.effect(Transport, Effect.map(Transport, change)).pipe(Layer.provide(Memory.layer))

const wholeTransports: ReadonlyArray<TransportMutant> = [
  {
    name: "reports a refused dial as a timeout",
    rejectedBy: "refuses a dial where nobody listens",
    because: /reason of the refusal: saw "timeout", expected "refused"/,
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
    because: "hangs",
    layer: memoryWith((inner) => ({
      ...inner,
      dial: (address, options) => Scope.provide(inner.dial(address, options), Scope.makeUnsafe())
    }))
  },
  {
    name: "leaves accepted connections open when their fiber ends",
    rejectedBy: "ends an accepted connection with its fiber",
    because: "hangs",
    layer: memoryWith((inner) => ({
      ...inner,
      listen: (address, onConnection) => inner.listen(address, (c) => Effect.andThen(onConnection(c), Effect.never))
    }))
  },
  {
    name: "leaves the fibers of a listener running",
    rejectedBy: "ends accepted connections, and interrupts their fibers, with the listener's scope",
    because: /fibers interrupted: saw 0, expected 1/,
    layer: memoryWith((inner) => ({
      ...inner,
      listen: (address, onConnection) =>
        inner.listen(address, (c) => Effect.asVoid(Effect.andThen(Effect.forkDetach(onConnection(c)), c.closed)))
    }))
  },
  {
    name: "leaks the connection of a dial that is interrupted",
    rejectedBy: "a dial that is interrupted, at each step, leaves no connection behind",
    because: "hangs",
    layer: memoryWith((inner) => ({
      ...inner,
      dial: Effect.fnUntraced(function*(address, options) {
        const connection = yield* Scope.provide(inner.dial(address, options), Scope.makeUnsafe())
        yield* Effect.yieldNow
        yield* Effect.addFinalizer(() => Effect.sync(() => connection.close("the scope is over")))
        return connection
      })
    }))
  },
  {
    name: "keeps the port of a `listen` that is interrupted",
    rejectedBy: "a `listen` that is interrupted, at each step, leaves its port free",
    because: /is taken in this memory network/,
    layer: memoryWith((inner) => ({
      ...inner,
      listen: Effect.fnUntraced(function*(address, onConnection) {
        const scope = Scope.makeUnsafe()
        const listener = yield* Scope.provide(inner.listen(address, onConnection), scope)
        yield* Effect.yieldNow
        yield* Effect.addFinalizer((exit) => Scope.close(scope, exit))
        return listener
      })
    }))
  }
]

/** All transports that are wrong in one way. */
export const transportMutants: ReadonlyArray<TransportMutant> = [
  mutant(
    "reorders chunks",
    "carries bytes in order in both directions at once",
    /bytes to the listener differ/,
    reordersChunks
  ),
  mutant("flips a bit", "carries bytes in order in both directions at once", /bytes to the listener differ/, flipsABit),
  mutant(
    "never completes writes",
    "carries bytes in order in both directions at once",
    "hangs",
    neverCompletesWrites
  ),
  mutant(
    "mixes writers",
    "keeps the chunks of one write together when several fibers write",
    /the batches of four writers are mixed/,
    mixesWriters
  ),
  mutant(
    "hangs on empty writes",
    "completes an empty write and never delivers an empty chunk",
    "hangs",
    hangsOnEmptyWrites
  ),
  mutant(
    "delivers empty chunks",
    "completes an empty write and never delivers an empty chunk",
    /an empty chunk was delivered/,
    deliversEmptyChunks
  ),
  mutant(
    "sends from the caller's memory",
    "has taken over the bytes when a write completes",
    /later writes changed earlier bytes/,
    sendsFromCallersMemory
  ),
  mutant(
    "keeps chunk memory across calls",
    "carries bytes in order in both directions at once",
    "hangs",
    keepsChunkMemory
  ),
  mutant("forgets bytes before `receive`", "keeps bytes that arrive before `receive`", "hangs", forgetsEarlyBytes),
  mutant(
    "ignores pause",
    "delivers nothing during a pause and loses nothing by it",
    /chunks were delivered during a pause/,
    ignoresPause
  ),
  mutant(
    "drops bytes under pause",
    "delivers nothing during a pause and loses nothing by it",
    "hangs",
    dropsUnderPause
  ),
  mutant(
    "loses a resume during the call",
    "takes a `resume` during the consumer's call as the end of that pause",
    "hangs",
    losesEarlyResume
  ),
  mutant(
    "buffers without bound",
    "makes writers wait while the other side does not read",
    /a writer got rid of 50331648 bytes that nobody read/,
    buffersWithoutBound
  ),
  mutant(
    "delivers after close",
    "a local close is final, idempotent and named",
    /bytes were delivered after close/,
    deliversAfterClose
  ),
  mutant(
    "lets a second close rename the first",
    "a local close is final, idempotent and named",
    /a second close renames the first/,
    renamesTheClose
  ),
  mutant(
    "accepts writes after the end",
    "a local close is final, idempotent and named",
    /a write after the close: succeeded/,
    writesIntoTheVoid
  ),
  mutant(
    "loses the last bytes",
    "delivers what was written before the other side closed, then ends with kind `end`",
    /the last bytes are missing/,
    losesTheLastBytes
  ),
  mutant(
    "calls an orderly end an error",
    "delivers what was written before the other side closed, then ends with kind `end`",
    /kind of the end: saw "error", expected "end"/,
    callsEveryEndAnError
  ),
  mutant(
    "ends by itself",
    "makes writers wait while the other side does not read",
    /bytes before the end: saw \d+, expected \d+/,
    endsByItself
  ),
  mutant(
    "closes before consumption",
    "completes `closed` only after everything received has been consumed",
    /closed before the last bytes were consumed/,
    closesBeforeConsumption
  ),
  mutant(
    "hangs writes after the end",
    "fails a write that waits when the connection ends, on either side",
    "hangs",
    hangsOnClosed
  ),
  mutant("replaces the consumer", "refuses a second consumer", /a second consumer is accepted/, replacesTheConsumer),
  mutant(
    "swallows a consumer's defects",
    "survives a consumer that throws: the connection ends as an error",
    "hangs",
    swallowsDefects
  ),
  mutant(
    "misnames the remote",
    "chooses a port, names the remote, and serves many connections on one listener",
    /remote: saw "somewhere"/,
    misnamesTheRemote
  ),
  mutant(
    "flips a bit after a few pauses",
    "delivers what is sent in any order of writes, pauses and resumes, in both directions",
    /^seed 1: first byte that differs: saw \d+/,
    flipsABitAfterPauses
  ),
  mutant(
    "takes at most 1024 chunks a write",
    "takes one chunk above any buffer, and many small ones in one write",
    "hangs",
    takesAtMost1024Chunks
  ),
  mutant(
    "sends a write in halves",
    "a write that is interrupted, at each step, is sent whole or not at all, and the next ones follow",
    /values in the batch at byte \d+: saw 2, expected 1/,
    sendsInHalves
  ),
  ...wholeTransports
]
