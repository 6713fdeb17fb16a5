/** `ls`: the filesets of a directory. */
import { command, ExitCode } from "@peerstrap/command-line"
import { NodeFileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import { scanData } from "../inspect/DataDirectory.ts"
import { directoryFlags, directoryOperand, planFilter } from "../inspect/DirectoryFlags.ts"
import { listingJson, listingText } from "../inspect/Listing.ts"

export const ls = command({
  name: "ls",
  summary: "List the filesets of a directory: namespaces, shards, blocks",
  details: [
    "STATE is complete (a node reads it), superseded (a higher volume of the block is complete, too), incomplete (no whole " +
    "checkpoint file: a node ignores it) or damaged (digests or info file do not open). Only names, checkpoints and info files " +
    "are read; verify reads everything."
  ],
  operands: { name: "DIR", least: 0, most: 1, help: `${directoryOperand}. Default: the current directory.` },
  flags: directoryFlags,
  examples: [
    { args: "ls /var/lib/m3db", says: "Everything that a node's data directory holds" },
    { args: "ls /var/lib/m3db --namespace metrics --shards 0-7 --json", says: "Eight shards of a namespace, as JSON" }
  ],
  check: (settings, _operands, _context, problem) => planFilter(settings, problem),
  run: ({ operands, plan }) =>
    Effect.map(scanData(operands[0] ?? ".", plan), (namespaces) => ({
      exitCode: ExitCode.done,
      text: listingText(namespaces),
      json: { namespaces: listingJson(namespaces) }
    })).pipe(Effect.provide(NodeFileSystem.layer))
})
