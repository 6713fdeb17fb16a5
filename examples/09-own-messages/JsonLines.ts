/** Typed messages over any connection: a line of JSON each, checked by a Schema. What is malformed ends the connection, and is said. */
import type { CloseReason, Connection, ConnectionClosed } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

export interface MessagesEnd {
  readonly kind: CloseReason["kind"] | "malformed"
  readonly message: string
}

export interface Messages<A> {
  /** Completes when all have been written. */
  send(messages: ReadonlyArray<A>): Effect.Effect<void, ConnectionClosed>
  /** Installs the consumer, in place of the one before. False pauses until `resume`, or until another consumer comes. */
  receive(consumer: (message: A) => boolean): void
  resume(): void
  close(reason: string): void
  readonly closed: Effect.Effect<MessagesEnd>
}

/** The longest line unless told otherwise: nobody may make us keep more than that of a message that never ends. */
const defaultLineChars = 2 ** 20

export const jsonLines = <A>(
  connection: Connection,
  schema: Schema.Codec<A, unknown>,
  maxLineChars = defaultLineChars
): Messages<A> => {
  const decode = Schema.decodeUnknownResult(Schema.fromJsonString(schema))
  const encode = Schema.encodeSync(Schema.fromJsonString(schema))
  const text = new TextDecoder()
  const lines: Array<string> = []
  let rest = ""
  let consumer: ((message: A) => boolean) | undefined
  let malformed: MessagesEnd | undefined
  let isPaused = true
  let isDelivering = false

  const refuse = (message: string): false => {
    malformed = { kind: "malformed", message }
    connection.close(message)
    return false
  }
  const deliver = (): boolean => {
    while (lines.length > 0 && !isPaused) {
      const found = decode(lines.shift()!)
      if (found._tag === "Failure") return refuse(found.failure.message)
      // A resume during the call, or another consumer, takes back the pause which that call asks for.
      isPaused = true
      isDelivering = true
      const wantsMore = consumer!(found.success)
      isDelivering = false
      if (wantsMore) isPaused = false
    }
    return !isPaused
  }
  const resume = () => {
    isPaused = false
    if (!isDelivering && deliver()) connection.resume()
  }
  connection.receive((chunk) => {
    const [first, ...others] = text.decode(chunk, { stream: true }).split("\n")
    rest += first
    for (const line of others) {
      lines.push(rest)
      rest = line
    }
    if (rest.length > maxLineChars) return refuse(`a line of more than ${maxLineChars} characters`)
    return deliver()
  })
  return {
    send: (messages) =>
      connection.write([new TextEncoder().encode(messages.map((one) => `${encode(one)}\n`).join(""))]),
    receive: (next) => {
      consumer = next
      resume()
    },
    resume,
    close: (reason) => connection.close(reason),
    closed: Effect.map(connection.closed, (end) => malformed ?? end)
  }
}

/** The first message, for a handshake; nothing more is read until there is another consumer. */
export const firstOf = <A>(
  messages: Messages<A>,
  timeoutMillis: number
): Effect.Effect<A, MessagesEnd | { readonly kind: "timeout"; readonly message: string }> =>
  Effect.raceFirst(
    Effect.callback<A>((resume) => messages.receive((message) => (resume(Effect.succeed(message)), false))),
    Effect.flatMap(messages.closed, (end) => Effect.fail(end))
  ).pipe(Effect.timeoutOrElse({
    duration: timeoutMillis,
    orElse: () => Effect.fail({ kind: "timeout", message: `nothing was said within ${timeoutMillis} ms` } as const)
  }))
