/** The program: every command, in the order of the help. */
import { type Command, type Program, versionOfPackage } from "@peerstrap/command-line"
import { decode } from "./Decode.ts"
import { exportChain } from "./Export.ts"
import { identity } from "./Identity.ts"
import { peers } from "./Peers.ts"
import { pluginsAmong } from "./Plugins.ts"
import { serve } from "./Serve.ts"
import { set } from "./Set.ts"
import { status } from "./Status.ts"
import { sync } from "./Sync.ts"
import { verify } from "./Verify.ts"
import { why } from "./Why.ts"

export const commands: ReadonlyArray<Command> = [
  sync,
  status,
  why,
  peers,
  set,
  verify,
  exportChain,
  serve,
  identity,
  decode,
  pluginsAmong(() => commands.map(({ name }) => name))
]

export const program: Program = {
  name: "peerstrap-chain",
  summary: "syncs a Tezos chain from its peers under a quorum, verifies, exports and serves it",
  version: versionOfPackage(import.meta.url),
  commands
}
