/** Connections that are wrong in one way each: what the mutants of the kit are made of. */
import { turns } from "@peerstrap/conformance"
import * as Effect from "effect/Effect"
import { type CloseReason, type Connection, ConnectionClosed } from "../contract/Transport.ts"
import { copyBytes } from "../engine/copyBytes.ts"

export type Alter = (connection: Connection) => Connection

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

/** Calls the consumer whether or not it is paused. */
export const ignoresPause: Alter = (inner) =>
  over(inner, {
    receive: (consumer) =>
      inner.receive((chunk) => {
        consumer(chunk)
        return true
      })
  })

/** Reads on during a pause and throws away what comes. */
export const dropsUnderPause: Alter = (inner) => {
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
export const buffersWithoutBound: Alter = (inner) => {
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

export const forgetsEarlyBytes: Alter = (inner) => {
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
export const keepsChunkMemory: Alter = (inner) => {
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

/** Completes writes at once and sends from the caller's memory some turns later. */
export const sendsFromCallersMemory: Alter = (inner) =>
  over(inner, {
    write: (chunks) => Effect.asVoid(Effect.forkDetach(Effect.ignore(Effect.andThen(turns(5), inner.write(chunks)))))
  })

export const reordersChunks: Alter = (inner) => over(inner, { write: (chunks) => inner.write(chunks.toReversed()) })

export const mixesWriters: Alter = (inner) =>
  over(inner, {
    write: (chunks) =>
      Effect.forEach(chunks, (chunk) => Effect.andThen(Effect.yieldNow, inner.write([chunk])), { discard: true })
  })

/** After the first ten. */
export const neverCompletesWrites: Alter = (inner) => {
  let left = 10
  return over(inner, {
    write: (chunks) =>
      Effect.andThen(inner.write(chunks), Effect.suspend(() => left-- > 0 ? Effect.void : Effect.never))
  })
}

export const hangsOnEmptyWrites: Alter = (inner) =>
  over(inner, { write: (chunks) => chunks.length === 0 ? Effect.never : inner.write(chunks) })

/** Says that it is closed, and goes on delivering. */
export const deliversAfterClose: Alter = (inner) => {
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

export const endsByItself: Alter = (inner) =>
  over(inner, { closed: Effect.succeed({ kind: "end", message: "too early" }) })

/** Reads ahead, so that `closed` completes with the last byte read instead of the last one consumed. */
export const closesBeforeConsumption: Alter = buffersWithoutBound

export const losesTheLastBytes: Alter = (inner) => {
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
export const swallowsDefects: Alter = (inner) =>
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

export const renamesTheClose: Alter = (inner) => {
  let last = ""
  return over(inner, {
    close: (reason) => {
      last = reason
      inner.close(reason)
    },
    closed: Effect.map(inner.closed, (reason) => reason.kind === "local" ? { ...reason, message: last } : reason)
  })
}

export const writesIntoTheVoid: Alter = (inner) =>
  over(inner, { write: (chunks) => Effect.ignore(inner.write(chunks)) })

export const hangsOnClosed: Alter = (inner) =>
  over(inner, { write: (chunks) => Effect.catch(inner.write(chunks), () => Effect.never) })

export const callsEveryEndAnError: Alter = (inner) =>
  over(inner, {
    closed: Effect.map(inner.closed, (reason) => reason.kind === "end" ? { ...reason, kind: "error" } : reason)
  })

export const replacesTheConsumer: Alter = (inner) => {
  let consume: ((chunk: Uint8Array) => boolean) | undefined
  return over(inner, {
    receive: (consumer) => {
      if (consume === undefined) inner.receive((chunk) => consume!(chunk))
      consume = consumer
    }
  })
}

/** Loses a `resume` that comes while the consumer runs. */
export const losesEarlyResume: Alter = (inner) => {
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

export const flipsABit: Alter = (inner) => {
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

export const deliversEmptyChunks: Alter = (inner) =>
  over(inner, {
    receive: (consumer) => inner.receive((chunk) => consumer(chunk.subarray(0, 0)) && consumer(chunk))
  })

export const misnamesTheRemote: Alter = (inner) => over(inner, { remote: "somewhere" })

/** Flips a bit of what comes after the third pause. */
export const flipsABitAfterPauses: Alter = (inner) => {
  let pauses = 0
  return over(inner, {
    receive: (consumer) =>
      inner.receive((chunk) => {
        const copy = copyBytes(chunk)
        if (pauses === 3) copy[0]! ^= 1
        const more = consumer(copy)
        if (!more || pauses === 3) pauses++
        return more
      })
  })
}

export const takesAtMost1024Chunks: Alter = (inner) =>
  over(inner, { write: (chunks) => inner.write(chunks.slice(0, 1024)) })

/** Sends half, and the other half a turn later. */
export const sendsInHalves: Alter = (inner) =>
  over(inner, {
    write: (chunks) =>
      inner.write(chunks.slice(0, chunks.length / 2)).pipe(
        Effect.andThen(Effect.yieldNow),
        Effect.andThen(inner.write(chunks.slice(chunks.length / 2)))
      )
  })
