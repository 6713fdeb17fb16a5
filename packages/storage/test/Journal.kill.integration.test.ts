// A process that is killed in the middle of its appends, again and again, on the machine's own disk.
import { assert, describe, it } from "@effect/vitest"
import { FileJournal, NodeFileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { spawn } from "node:child_process"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { temporaryDirectory } from "./support/TemporaryDirectory.ts"

const program = fileURLToPath(new URL("support/appendForEver.ts", import.meta.url))

/** Runs the program until it has told of so many appends, kills it, and gives what it told. */
const killAfter = async (directory: string, appends: number): Promise<ReadonlyArray<string>> => {
  const child = spawn(process.execPath, ["--conditions=@peerstrap/source", program, directory], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  const told: Array<string> = []
  for await (const line of createInterface({ input: child.stdout })) {
    told.push(line)
    if (told.length === appends) child.kill("SIGKILL")
  }
  return told
}

const allOf = (directory: string) =>
  Effect.scoped(Effect.gen(function*() {
    const journal = yield* FileJournal.open({ directory })
    const pages = yield* Stream.runCollect(journal.replay())
    return pages.flatMap(({ first, records }) =>
      records.map((record, i) => `${first + i} ${new TextDecoder().decode(record)}`)
    )
  })).pipe(Effect.provide(NodeFileSystem.layer))

describe("a journal whose process is killed", () => {
  it.live("has every append that returned, and every batch whole", () =>
    Effect.gen(function*() {
      const directory = join(yield* temporaryDirectory, "journal")
      const told: Array<string> = []
      for (const appends of [1, 40, 151]) {
        told.push(...(yield* Effect.promise(() => killAfter(directory, appends))))
        const all = yield* allOf(directory)
        const found = new Set(all)
        for (const line of told) {
          const [first, name] = line.split(" ")
          assert.isTrue(found.has(`${first} ${name}a`) && found.has(`${Number(first) + 1} ${name}b`), line)
        }
        assert.isTrue(all.every((line, i) => line.endsWith("a") ? all[i + 1]?.endsWith("b") : line.endsWith("b")))
        assert.strictEqual(all.length % 2, 0)
      }
      assert.isAtLeast(told.length, 192)
    }))
})
