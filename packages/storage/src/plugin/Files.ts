/** File systems as plugins of kind `files`. */
import { definePlugin, one } from "@peerstrap/plugin-host"
import * as Schema from "effect/Schema"
import * as MemoryFileSystem from "../adapter/MemoryFileSystem.ts"
import * as NodeFileSystem from "../adapter/NodeFileSystem.ts"
import { FileSystem } from "../contract/FileSystem.ts"
/** Kind `files`: files with fsync and atomic replace. */
export const filesKind = one("files", FileSystem, { summary: "Files with fsync and atomic replace." })

/** Plugin `files.node`: the files of this machine. */
export const nodeFiles = definePlugin({
  id: "files.node",
  version: "0.1.0",
  stability: "stable",
  summary: "Files of this machine.",
  provides: [filesKind],
  requires: [],
  config: Schema.Struct({}),
  layer: () => NodeFileSystem.layer
})

/** Plugin `files.memory`: files in this process's memory. */
export const memoryFiles = definePlugin({
  id: "files.memory",
  version: "0.1.0",
  stability: "stable",
  summary: "Files in this process's memory, for tests and simulations.",
  provides: [filesKind],
  requires: [],
  config: Schema.Struct({}),
  layer: () => MemoryFileSystem.layer
})

/** All plugins of kind `files`. */
export const filesPlugins = [nodeFiles, memoryFiles]
