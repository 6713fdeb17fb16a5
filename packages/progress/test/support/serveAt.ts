/** Serves at the path that it is told on a line and says `listens` or why not; the next line ends that. */
import { serveControl } from "@peerstrap/progress"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { createInterface } from "node:readline"

const say = (text: string): void => void process.stdout.write(`${text}\n`)

let scope = Scope.makeUnsafe()
say("ready")
for await (const line of createInterface({ input: process.stdin })) {
  await Effect.runPromise(Scope.close(scope, Exit.void))
  scope = Scope.makeUnsafe()
  if (line === "") say("ended")
  else {
    const serving = serveControl(line, { who: () => Effect.succeed(process.pid) })
    const tried = Effect.match(Scope.provide(serving, scope), {
      onSuccess: () => "listens",
      onFailure: ({ message, reason }) => `${reason} ${message}`
    })
    say(await Effect.runPromise(tried))
  }
}
