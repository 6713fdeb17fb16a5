/** The program: every command, in the order of the help. */
import { type Command, type Program, versionOfPackage } from "@peerstrap/command-line"
import { bootstrap } from "./Bootstrap.ts"
import { diff } from "./Diff.ts"
import { digest } from "./Digest.ts"
import { exportCommand } from "./Export.ts"
import { inspect } from "./Inspect.ts"
import { ls } from "./Ls.ts"
import { plan } from "./Plan.ts"
import { pluginsAmong } from "./Plugins.ts"
import { report } from "./Report.ts"
import { set } from "./Set.ts"
import { setLevel } from "./SetLevel.ts"
import { status } from "./Status.ts"
import { verify } from "./Verify.ts"
import { why } from "./Why.ts"

export const commands: ReadonlyArray<Command> = [
  plan,
  bootstrap,
  report,
  verify,
  ls,
  inspect,
  diff,
  digest,
  exportCommand,
  status,
  why,
  setLevel,
  set,
  pluginsAmong(() => commands.map(({ name }) => name))
]

export const program: Program = {
  name: "peerstrap-m3db",
  summary: "brings the blocks of an M3DB namespace from its replicas into filesets, and looks at filesets",
  version: versionOfPackage(import.meta.url),
  commands
}
