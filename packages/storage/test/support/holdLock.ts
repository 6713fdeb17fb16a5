/** Says `ready`; told to `reach` it takes the lock of its argument and says `held` or why not, told to `free` it gives it back. Ends when it is killed. */
import { NodeFileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { createInterface } from "node:readline"

const path = process.argv[2]!
const say = (word: string): void => void process.stdout.write(`${word}\n`)

say("ready")
let held = Scope.makeUnsafe()
for await (const word of createInterface({ input: process.stdin })) {
  if (word === "free") {
    await Effect.runPromise(Scope.close(held, Exit.void))
    held = Scope.makeUnsafe()
    say("free")
  } else {
    const taken = Effect.match(NodeFileSystem.fileSystem.lock(path), {
      onSuccess: () => "held",
      onFailure: ({ message }) => message
    })
    say(await Effect.runPromise(Scope.provide(taken, held)))
  }
}
