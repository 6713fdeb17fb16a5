/** Every plugin of this package keeps the contract of plugins: processes and files that it opens are closed when it stops, wherever it is interrupted. */
import { afterAll, describe, it } from "@effect/vitest"
import { filesOpenBelow, pluginSuite, processHandles } from "@peerstrap/plugin-host/testing"
import { nodeFiles } from "@peerstrap/storage/plugin"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import {
  appliedBranchesStrategy,
  archiveApplier,
  boundedMemory,
  cachedTailStrategy,
  commandApplier,
  fileStore,
  fixedBase,
  memoryStore,
  simulatorApplier,
  storedBase
} from "../src/plugin/index.ts"
import { makeSyntheticChain } from "../src/testing/SyntheticChain.ts"
import { syntheticPlugin } from "./SyntheticPlugin.ts"

const { base } = makeSyntheticChain({ seed: 5, levels: 1 })
const folder = mkdtempSync(join(tmpdir(), "chain-plugin-kit-"))
const beginning = [syntheticPlugin({}), fixedBase({ id: base.id })]
const uncounted = { capabilities: { "counts-handles": false }, test: it }
const counted = { capabilities: { "counts-handles": true }, test: it }

/** A child that says hello and then only listens: it starts at once. */
const command = `echo '{"protocol":"peerstrap-applier/1"}'; exec cat > /dev/null`

// One after the other: what is open is counted.
describe("plugins keep the contract:", { concurrent: false }, () => {
  afterAll(() => rmSync(folder, { recursive: true }))
  pluginSuite(boundedMemory, { config: { bytes: "64MiB" }, ...uncounted })
  pluginSuite(fixedBase, { config: { id: base.id }, ...uncounted })
  pluginSuite(storedBase, uncounted)
  pluginSuite(memoryStore, { providers: beginning, ...uncounted })
  pluginSuite(fileStore, {
    config: { directory: join(folder, "store") },
    providers: [...beginning, nodeFiles({})],
    handles: filesOpenBelow(folder),
    ...counted
  })
  pluginSuite(archiveApplier, uncounted)
  pluginSuite(simulatorApplier, { providers: [...beginning, memoryStore({})], ...uncounted })
  pluginSuite(commandApplier, { config: { command }, handles: processHandles, ...counted })
  pluginSuite(cachedTailStrategy, uncounted)
  pluginSuite(appliedBranchesStrategy, { providers: [archiveApplier({})], ...uncounted })
})
