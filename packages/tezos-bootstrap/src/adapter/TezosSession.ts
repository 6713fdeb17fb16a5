/** A wire session in the words of the engine: frames in both directions are translated, what no correct node sends ends it with the proof. */
import {
  type Incoming,
  type OpenOptions,
  type Outgoing,
  type PeerSession,
  type SessionEnd,
  SessionEndError
} from "@peerstrap/chain-bootstrap"
import { encodeHash, encodePeerMessage, pointText, type Session } from "@peerstrap/tezos-wire"
import * as Effect from "effect/Effect"
import { isIP } from "node:net"
import { TezosLimits } from "../contract/TezosLimits.ts"
import { receiveFrame } from "../engine/Incoming.ts"
import { sendFrames } from "../engine/Outgoing.ts"
import type { PeerContext } from "../engine/PeerContext.ts"

/** The address of `host:port` or `[v6]:port`; undefined when it is a name. IPv4 comes from a dual socket in the clothes of IPv6. */
const addressOf = (remote: string): string | undefined => {
  const host = remote.slice(0, remote.lastIndexOf(":")).replace(/^\[(.*)\]$/, "$1").replace(/^::ffff:(?=[0-9.]+$)/i, "")
  return isIP(host) === 0 ? undefined : host
}

/** Where a peer can be dialled: where we did, or at the port that it announced. */
const pointOf = (session: Session, options: OpenOptions): string | undefined => {
  if (options.side === "outgoing") return options.dialled
  const address = addressOf(session.address)
  return session.remote.port === 0 || address === undefined
    ? undefined
    : pointText({ address, port: session.remote.port })
}

const farewell = encodePeerMessage({ _tag: "Disconnect" })

export class TezosSession implements PeerSession {
  readonly id: string
  readonly point: string | undefined
  readonly ancestors: boolean
  readonly closed: Effect.Effect<SessionEnd>
  private readonly session: Session
  private readonly context: PeerContext
  private readonly fork: (effect: Effect.Effect<unknown>) => unknown
  /** How it ended, when a message or we ended it. */
  private ending: SessionEnd | undefined

  constructor(
    session: Session,
    context: PeerContext,
    options: OpenOptions,
    fork: (effect: Effect.Effect<unknown>) => unknown
  ) {
    this.session = session
    this.fork = fork
    this.context = context
    this.id = encodeHash("peer", session.remote.peerId)
    this.point = pointOf(session, options)
    this.ancestors = context.ancestors
    this.closed = Effect.map(session.closed, ({ kind, message }): SessionEnd => this.ending ?? { kind, message })
  }

  send(messages: ReadonlyArray<Outgoing>): Effect.Effect<void, SessionEndError> {
    return Effect.suspend(() => {
      // Nothing is said after a farewell.
      if (this.ending !== undefined) {
        return Effect.fail(new SessionEndError({ message: `local: ${this.ending.message}` }))
      }
      const frames = sendFrames(this.context, messages)
      if (frames.length === 0) return Effect.void
      return Effect.mapError(this.session.send(frames), ({ reason }) => new SessionEndError({ message: reason }))
    })
  }

  receive(consumer: (message: Incoming) => boolean): void {
    this.session.receive((frame) => {
      if (this.ending !== undefined) return true
      const translated = receiveFrame(this.context, frame)
      if ("incoming" in translated) return consumer(translated.incoming)
      this.ending = translated.ending
      this.session.close(translated.ending.message)
      return true
    })
  }

  resume(): void {
    this.session.resume()
  }

  /** Says so first, so that the peer takes it for an end in order; cut off when that is not written soon. */
  close(reason: string): void {
    if (this.ending !== undefined) return
    this.ending = { kind: "local", message: reason }
    if (!this.session.offer([farewell])) return this.session.close(reason)
    this.fork(
      Effect.andThen(
        Effect.timeoutOption(this.session.drained, TezosLimits.farewellMillis),
        Effect.sync(() => this.session.close(reason))
      )
    )
  }
}
