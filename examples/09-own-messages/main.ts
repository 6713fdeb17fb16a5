/** Two ends in this process: one doubles numbers, the other asks, goes too fast, and at last says something that is no message. */
import { Memory, Transport } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import assert from "node:assert/strict"
import { jsonLines } from "./JsonLines.ts"

const Message = Schema.Union([
  Schema.Struct({ ask: Schema.Int }),
  Schema.Struct({ answer: Schema.Int })
])

const program = Effect.scoped(Effect.gen(function*() {
  const transport = yield* Transport
  const { address } = yield* transport.listen({ host: "server", port: 1 }, (connection) =>
    Effect.gen(function*() {
      const messages = jsonLines(connection, Message)
      const run = Effect.runForkWith(yield* Effect.context<never>())
      messages.receive((message) => {
        if (!("ask" in message)) return true
        // One at a time: nothing more is read while an answer is on its way.
        const answer = Effect.ignore(messages.send([{ answer: message.ask * 2 }]))
        run(Effect.ensuring(answer, Effect.sync(messages.resume)))
        return false
      })
      console.log(`the server saw: ${(yield* messages.closed).message.split("\n")[0]}`)
    }))

  const connection = yield* transport.dial(address)
  const messages = jsonLines(connection, Message)
  const answers: Array<number> = []
  const all = Effect.callback<void>((resume) =>
    messages.receive((message) => {
      if ("answer" in message) answers.push(message.answer)
      if (answers.length === 100) resume(Effect.void)
      return true
    })
  )
  yield* messages.send(Array.from({ length: 100 }, (_, at) => ({ ask: at })))
  yield* all
  assert.deepEqual(answers, Array.from({ length: 100 }, (_, at) => at * 2))
  console.log(`${answers.length} answers in order, the last is ${answers.at(-1)}`)

  yield* connection.write([new TextEncoder().encode("{ \"ask\": \"no number\" }\n")])
  const { kind } = yield* messages.closed
  assert.equal(kind, "end")
}))
await Effect.runPromise(Effect.provide(program, Memory.layer))
