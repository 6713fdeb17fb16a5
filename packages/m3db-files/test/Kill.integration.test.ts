/** A real process, a real disk, SIGKILL: what is published is whole, what is not has no checkpoint, and a new writer goes on. */
import { assert, describe, it } from "@effect/vitest"
import { FilesetWriter, scanDirectory, verifyFileset } from "@peerstrap/m3db-files"
import { NodeFileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** Kills the writer after `lines` published filesets plus `chunks` turns of the event loop; answers what it has printed. */
const killAfter = (prefix: string, lines: number, turns: number): Promise<ReadonlyArray<number>> =>
  new Promise((resolve, reject) => {
    const script = join(import.meta.dirname, "KilledWriter.ts")
    const child = spawn(process.execPath, ["--conditions=@peerstrap/source", script, prefix], {
      stdio: ["ignore", "pipe", "inherit"]
    })
    let printed = ""
    const kill = (left: number): void => {
      if (left === 0) child.kill("SIGKILL")
      else setImmediate(() => kill(left - 1))
    }
    child.stdout.on("data", (chunk) => {
      const before = printed.split("\n").length - 1
      printed += chunk
      if (before < lines && printed.split("\n").length - 1 >= lines) kill(turns)
    })
    child.on("error", reject)
    child.on("close", () => resolve(printed.split("\n").slice(0, -1).map(Number)))
  })

describe("a writer that is killed", () => {
  it.effect("leaves whole filesets and unfinished ones, nothing between", () =>
    Effect.gen(function*() {
      const prefix = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "filesets-"))),
        (path) => Effect.sync(() => rmSync(path, { recursive: true }))
      )
      for (const [round, turns] of [0, 40, 400].entries()) {
        const directory = join(prefix, `${round}`)
        const printed = yield* Effect.promise(() => killAfter(directory, 2, turns))
        assert.isAtLeast(printed.length, 2)
        const [namespace] = yield* scanDirectory(directory)
        const filesets = namespace!.shards[0]!.filesets
        const complete = filesets.filter((one) => one.complete).map((one) =>
          Number(one.blockStart / BigInt("7200000000000"))
        )
        assert.includeMembers(complete, [...printed])
        for (const { blockStart, volume } of filesets.filter((one) => one.complete)) {
          const key = { prefix: directory, namespace: "ns", shard: 0, blockStart, volume }
          const { entries, problems } = yield* verifyFileset(key)
          assert.deepStrictEqual([problems, entries], [[], 2000])
        }
        for (const { blockStart, complete } of filesets) {
          if (complete) continue
          const key = { prefix: directory, namespace: "ns", shard: 0, blockStart, volume: 0 }
          const writer = yield* FilesetWriter.open({ ...key, blockSize: BigInt("7200000000000") })
          yield* writer.finish
          assert.isTrue((yield* verifyFileset(key)).ok)
        }
      }
    }).pipe(Effect.provide(NodeFileSystem.layer)), 60_000)
})
