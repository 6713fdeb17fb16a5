/** A session of the synthetic wire over any connection: frames cut and translated, reading paused with its consumer, a farewell at the end. */
import type { Connection } from "@peerstrap/transport"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { type PeerSession, type SessionEnd, SessionEndError } from "../contract/ChainProtocol.ts"
import type { ChainRules } from "../contract/ChainRules.ts"
import type { Incoming, Outgoing } from "../contract/PeerMessage.ts"
import { encodeFrame, fromWire, SyntheticFrames, toWire } from "./SyntheticWire.ts"

/** A peer has so long to take our farewell. */
const farewellMillis = 200

export interface SyntheticSessionParts {
  readonly connection: Connection
  readonly rules: ChainRules
  readonly proofOf: (units: ReadonlyArray<Uint8Array>) => Uint8Array
  readonly fork: (effect: Effect.Effect<unknown>) => unknown
}

/** Messages in both directions before and after the handshake. Installs itself as the connection's one consumer. */
export class SyntheticSession implements PeerSession {
  id = ""
  point: string | undefined = undefined
  ancestors = false
  readonly closed: Effect.Effect<SessionEnd>
  private readonly parts: SyntheticSessionParts
  private readonly frames = new SyntheticFrames()
  private readonly ended = Deferred.makeUnsafe<SessionEnd>()
  private readonly early: Array<(value: unknown) => void> = []
  private consumer: ((message: Incoming) => boolean) | undefined
  private paused = false
  private ending: SessionEnd | undefined
  /** Messages that were read. */
  read = 0

  constructor(parts: SyntheticSessionParts) {
    this.parts = parts
    this.closed = Deferred.await(this.ended)
    const { connection } = parts
    parts.fork(Effect.map(connection.closed, ({ kind, message }) => {
      Deferred.doneUnsafe(this.ended, Effect.succeed(this.ending ?? { kind, message }))
    }))
    connection.receive((chunk) => {
      this.frames.push(chunk)
      return this.cut()
    })
  }

  /** The next message as it came, of the handshake. One call at a time. */
  get hears(): Effect.Effect<unknown> {
    return Effect.callback<unknown>((resume) => {
      this.early.push((value) => resume(Effect.succeed(value)))
      this.goOn()
    })
  }

  /** Any value, well formed or not; `false` when the session has ended. */
  say(values: ReadonlyArray<unknown>): Effect.Effect<boolean> {
    return Effect.match(this.parts.connection.write(values.map(encodeFrame)), {
      onFailure: () => false,
      onSuccess: () => true
    })
  }

  send(messages: ReadonlyArray<Outgoing>): Effect.Effect<void, SessionEndError> {
    return Effect.suspend(() => {
      if (this.ending !== undefined) return Effect.fail(new SessionEndError({ message: this.ending.message }))
      const frames = messages.map((message) => encodeFrame(toWire(message, this.parts.proofOf)))
      return Effect.mapError(
        this.parts.connection.write(frames),
        ({ reason }) => new SessionEndError({ message: reason })
      )
    })
  }

  /** `send` from plain code; `then` runs when it is written, or cannot be. */
  tell(messages: ReadonlyArray<Outgoing>, then: () => void = () => {}): void {
    this.parts.fork(Effect.ensuring(Effect.ignore(this.send(messages)), Effect.sync(then)))
  }

  /** `say` from plain code. */
  shout(values: ReadonlyArray<unknown>): void {
    this.parts.fork(this.say(values))
  }

  receive(consumer: (message: Incoming) => boolean): void {
    this.consumer = consumer
    this.goOn()
  }

  resume(): void {
    this.paused = false
    this.goOn()
  }

  close(reason: string): void {
    this.finish({ kind: "local", message: reason }, [{ farewell: reason }])
  }

  /** Ends it without a word, as a process does that is killed. */
  break(reason: string): void {
    this.finish({ kind: "local", message: reason }, [])
  }

  private goOn(): void {
    if (this.cut()) this.parts.connection.resume()
  }

  private finish(end: SessionEnd, words: ReadonlyArray<unknown>): void {
    if (this.ending !== undefined) return
    this.ending = end
    const { connection, fork } = this.parts
    if (words.length === 0) return connection.close(end.message)
    fork(
      Effect.andThen(
        Effect.timeoutOption(this.say(words), farewellMillis),
        Effect.sync(() => connection.close(end.message))
      )
    )
  }

  /** Works off what has been read; whether more may be read. */
  private cut(): boolean {
    while (!this.paused && (this.consumer !== undefined || this.early.length > 0)) {
      if (this.ending !== undefined) return true
      const next = this.frames.next()
      if (next === undefined) return true
      if (typeof next === "string") this.finish({ kind: "malformed", message: next }, [])
      else this.one(next.value)
    }
    return false
  }

  private one(value: unknown): void {
    this.read++
    const first = this.early.shift()
    if (first !== undefined) return first(value)
    if (typeof value === "object" && value !== null && "farewell" in value) {
      return this.finish({ kind: "farewell", message: `the peer leaves: ${String(value.farewell)}` }, [])
    }
    const message = fromWire(this.parts.rules, value)
    if (typeof message === "string") return this.finish({ kind: "malformed", message }, [])
    if (this.consumer?.(message) === false) this.paused = true
  }
}
