/** The plugins of the examples keep the contract of plugins: what people copy is right. */
import { afterAll, assert, describe, it } from "@effect/vitest"
import { type AnyPlugin, isPlugin } from "@peerstrap/plugin-host"
import { type PluginSubject, pluginSuite } from "@peerstrap/plugin-host/testing"
import { nodeFiles } from "@peerstrap/storage/plugin"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { root } from "./tidy/Repository.ts"

const folder = mkdtempSync(join(tmpdir(), "peerstrap-examples-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** By the plugin's id: a config as in a file, and who provides what it requires. */
const subjects: Readonly<Record<string, PluginSubject>> = {
  "chain.protocol.toy": { config: { id: "alice" } },
  "hoard.peer.http": { config: { id: "A", url: "http://127.0.0.1:1" } },
  "m3db.sink.lines": { config: { out: join(folder, "lines"), maxPoints: 60 }, providers: [nodeFiles({})] },
  "m3db.sink.list": { config: { file: join(folder, "list.txt") } },
  "selection.zone-first": { config: { zone: "eu-1" } },
  "transport.websocket": { config: { handshake: "1s" } }
}

/** Modules begin with a capital letter; a program would run. */
const modules = readdirSync(join(root, "examples"), { recursive: true, encoding: "utf8" })
  .filter((name) => /^\d\d-[^/]+\/[A-Z]\w*\.ts$/.test(name))
  .map((name) => join(root, "examples", name))

const pluginsIn = async (file: string): Promise<ReadonlyArray<AnyPlugin>> => {
  const found: Readonly<Record<string, unknown>> = await import(pathToFileURL(file).href)
  return Object.values(found).filter(isPlugin)
}

const plugins = (await Promise.all(modules.map(pluginsIn))).flat().toSorted((a, b) => a.id < b.id ? -1 : 1)

describe("every plugin of the examples", () => {
  it("has what it is checked with", () => {
    assert.deepStrictEqual(plugins.map(({ id }) => id), Object.keys(subjects))
  })

  for (const plugin of plugins) {
    pluginSuite(plugin, { ...subjects[plugin.id], capabilities: { "counts-handles": false }, test: it })
  }
})
