/** How nodes of the toy chain talk: lines of JSON, a hello first. Nobody proves who they are: a protocol for real use signs its hello. */
import * as Chain from "@peerstrap/chain-bootstrap"
import { protocolKind } from "@peerstrap/chain-bootstrap/plugin"
import { configValue, definePlugin, Type } from "@peerstrap/plugin-host"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { firstOf, jsonLines } from "../09-own-messages/JsonLines.ts"
import { toyRules } from "./ToyChain.ts"

const Unit = { block: Schema.String, unit: Schema.Int }
const Entry = { id: Schema.String, level: Schema.Int, exact: Schema.Boolean }
const Bytes = Schema.Uint8ArrayFromHex
const Request = Schema.Union([
  Schema.Struct({ kind: Schema.Literals(["get-branch", "get-head", "get-peers"]) }),
  Schema.Struct({ kind: Schema.Literal("get-headers"), ids: Schema.Array(Schema.String) }),
  Schema.Struct({ kind: Schema.Literal("get-units"), items: Schema.Array(Schema.Struct(Unit)) })
])
const Message = Schema.Union([
  Schema.Struct({ kind: Schema.Literal("hello"), id: Schema.NonEmptyString, chain: Schema.String }),
  Request,
  Schema.Struct({ kind: Schema.Literal("branch"), header: Bytes, entries: Schema.Array(Schema.Struct(Entry)) }),
  Schema.Struct({ kind: Schema.Literals(["head", "header"]), header: Bytes }),
  Schema.Struct({ kind: Schema.Literal("unit"), ...Unit, body: Bytes })
])
const isRequest = Schema.is(Request)

const heard = (message: typeof Message.Type): Chain.Incoming => {
  if (isRequest(message)) return { kind: "request", request: message }
  if (message.kind === "hello") return { kind: "ignored", what: "a second hello" }
  if (message.kind === "unit") return { ...message, proof: new Uint8Array() }
  const header = toyRules.decodeHeader(message.header)
  if (typeof header === "string") return { kind: "bogus", what: "head", detail: header }
  return message.kind === "branch" ? { ...message, head: header } : { kind: message.kind, header }
}

/** What there are words for. A branch is told by its head and every eighth block. */
const said = (message: Chain.Outgoing): ReadonlyArray<typeof Message.Type> => {
  if (isRequest(message)) return [message]
  if (message.kind === "unit") return [{ ...message, body: message.units[message.unit]! }]
  if (message.kind === "head" || message.kind === "header") return [{ ...message, header: message.header.bytes }]
  if (message.kind !== "branch") return []
  const { head, idAt, lowestLevel } = message.chain
  const entries = [{ id: head.id, level: head.level, exact: true }]
  for (let level = head.level - 8; level > lowestLevel; level -= 8) {
    entries.push({ id: idAt(level), level, exact: true })
  }
  return [{ kind: "branch", header: head.bytes, entries }]
}

const openAs = (ownId: string): Chain.ChainProtocol["Service"]["open"] =>
  Effect.fnUntraced(function*(connection, { accept, dialled: point }) {
    const messages = jsonLines(connection, Message)
    yield* Effect.addFinalizer(() => Effect.sync(() => messages.close("the session's scope has ended")))
    const failed = (reason: Chain.HandshakeFailed["reason"], message: string, id?: string) =>
      new Chain.HandshakeFailed({ remote: connection.remote, reason, id, points: [], message })
    yield* Effect.ignore(messages.send([{ kind: "hello", id: ownId, chain: "toy" }]))
    const hello = yield* Effect.mapError(
      firstOf(messages, 5_000),
      ({ kind, message }) => failed(kind === "malformed" || kind === "timeout" ? kind : "closed", message)
    )
    if (hello.kind !== "hello") return yield* failed("malformed", `${hello.kind} instead of a hello`)
    const { chain, id } = hello
    if (id === ownId) return yield* failed("self", "that is ourselves", id)
    const refusal = chain === "toy" ? accept(id)?.reason : `it is of chain ${chain}`
    if (refusal !== undefined) return yield* failed("refused", refusal, id)
    const send = (all: ReadonlyArray<Chain.Outgoing>) =>
      Effect.mapError(messages.send(all.flatMap(said)), ({ reason }) => new Chain.SessionEndError({ message: reason }))
    const receive = (take: (message: Chain.Incoming) => boolean) => messages.receive((message) => take(heard(message)))
    return { ...messages, id, point, ancestors: false, send, receive }
  })

export const toyProtocol = definePlugin({
  id: "chain.protocol.toy",
  version: "1.0.0",
  stability: "experimental",
  summary: "A toy chain in lines of JSON.",
  provides: [protocolKind],
  requires: [],
  config: Schema.Struct({ id: configValue(Type.text("NAME", "a name", "alice"), "Who we say we are.") }),
  layer: ({ id: ownId }) =>
    Layer.succeed(Chain.ChainProtocol, { name: "toy", chainId: "toy", ownId, rules: toyRules, open: openAs(ownId) })
})
