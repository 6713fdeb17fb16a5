/** Every plugin of every package and of the examples keeps the contract of plugins, and leaves no socket, process or file open. */
import { afterAll, assert, describe, it } from "@effect/vitest"
import { type AnyPlugin, isPlugin } from "@peerstrap/plugin-host"
import { filesOpenBelow, pluginSuite, processHandles } from "@peerstrap/plugin-host/testing"
import { simulatedRun } from "@peerstrap/simulator"
import * as Effect from "effect/Effect"
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { subjectsIn } from "./plugins/Subjects.ts"
import { root } from "./tidy/Repository.ts"

const listed = (folder: string): ReadonlyArray<string> => existsSync(folder) ? readdirSync(folder) : []

/** Those of each package, and modules of the examples: programs there begin with a lower-case letter. */
const files = [
  ...listed(join(root, "packages")).map((name) => join(root, "packages", name, "src", "plugin", "index.ts")),
  ...listed(join(root, "examples")).flatMap((name) =>
    /^\d\d-/.test(name)
      ? listed(join(root, "examples", name)).filter((file) => /^[A-Z].*\.ts$/.test(file))
        .map((file) => join(root, "examples", name, file))
      : []
  )
].filter((file) => existsSync(file))

const pluginsOf = async (file: string): Promise<ReadonlyArray<AnyPlugin>> => {
  const found: Readonly<Record<string, unknown>> = await import(pathToFileURL(file).href)
  return Object.values(found).flat().filter(isPlugin)
}

const plugins = [...new Set((await Promise.all(files.map(pluginsOf))).flat())].toSorted((a, b) => a.id < b.id ? -1 : 1)

const inProcess = new Set([
  "memory.bounded",
  "consistency.settable",
  "files.memory",
  "kv.memory",
  "log.settable",
  "m3db.merge.most-replicas",
  "m3db.peers.tchannel",
  "m3db.sink.discard",
  "rate.settable",
  "selection.throughput-weighted",
  "transport.memory"
])

const folder = mkdtempSync(join(tmpdir(), "peerstrap-plugins-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const subjects = subjectsIn(folder)
const handles = Effect.zipWith(processHandles, filesOpenBelow(folder), (resources, files) => resources + files)

describe("every plugin of this repository", () => {
  it("has what it is checked with", () => {
    assert.deepStrictEqual(plugins.map(({ id }) => id), Object.keys(subjects).toSorted())
  })

  // This file's tests run one after the other: what the process holds open is counted.
  for (const plugin of plugins) {
    pluginSuite(plugin, {
      ...subjects[plugin.id],
      handles,
      capabilities: { "counts-handles": true },
      test: it
    })
  }

  // The same in virtual time, for those that need nothing from outside of the process.
  for (const plugin of plugins.filter(({ id }) => inProcess.has(id))) {
    pluginSuite(
      plugin,
      {
        ...subjects[plugin.id],
        capabilities: { "counts-handles": false },
        test: (name, run) => it(`simulated ${name}`, run),
        run: simulatedRun({ seed: 7 })
      }
    )
  }
})
