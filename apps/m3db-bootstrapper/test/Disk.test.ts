/** A disk that is full or read-only, in memory: the run ends with exit code 4, the remedy, and no half-written fileset. */
import { assert, describe, it } from "@effect/vitest"
import { scanDirectory } from "@peerstrap/m3db-files"
import { compose, definePlugin } from "@peerstrap/plugin-host"
import { MemoryFileSystem } from "@peerstrap/storage"
import { filesKind } from "@peerstrap/storage/plugin"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { join } from "node:path"
import { temporaryDirectory } from "./support/InspectProgram.ts"
import { peerArguments, spec, startReplicas } from "./support/Replicas.ts"
import { runWith } from "./support/RunParts.ts"

const runOn = (disk: MemoryFileSystem.MemoryFileSystem, argv: ReadonlyArray<string>) => {
  const files = definePlugin({
    id: "files.disk",
    version: "1.0.0",
    stability: "stable",
    summary: "A disk with faults.",
    provides: [filesKind],
    requires: [],
    config: Schema.Struct({}),
    layer: () => disk.layer
  })
  return runWith(argv, compose(files({}))).pipe(Effect.map(({ result }) => result), Effect.provide(disk.layer))
}

const cases: ReadonlyArray<readonly [string, MemoryFileSystem.MemoryOptions, RegExp]> = [
  ["full", { capacityBytes: 3000 }, /full/],
  ["read-only from the 60th operation on", { faults: [{ at: 60, reason: "read-only", sticky: true }] }, /read-only/],
  ["without permission to create data files", {
    faults: [{ at: 3, operation: "create", reason: "permission", sticky: true }]
  }, /permission|may not/]
]

describe("a disk that is", () => {
  for (const [name, options, expected] of cases) {
    it.live(`${name}: exit code 4, and no half-written fileset`, () =>
      Effect.gen(function*() {
        const disk = MemoryFileSystem.make(options)
        const control = join(yield* temporaryDirectory, "control.sock")
        const replicas = yield* startReplicas([{}, {}])
        const argv = [...peerArguments(replicas), "--out", "/out", "--control", control]
        const { error, exitCode, json } = yield* runOn(disk, argv)
        assert.strictEqual(exitCode, 4)
        assert.match(`${error?.message} ${error?.remedy}`, expected)
        assert.isAbove((json!["report"] as { readonly missing: { readonly total: number } }).missing.total, 0)
        disk.plan([])
        disk.setCapacityBytes(undefined)
        // What is left counts only when it is complete; the next run goes on from there.
        const resumed = yield* runOn(disk, [...argv, "--resume"])
        assert.strictEqual(resumed.exitCode, 0)
        const [scanned] = yield* scanDirectory("/out").pipe(Effect.provide(disk.layer))
        assert.strictEqual(scanned!.shards.flatMap(({ filesets }) => filesets).length, spec.numShards * spec.blocks)
        assert.isTrue(scanned!.shards.every(({ filesets }) => filesets.every(({ complete }) => complete)))
      }), 30_000)
  }
})
