/** Faults of this side that keep a run from beginning or end it: what failed, what to do, exit code. */
import type { ApplierFailed, StoreError, SyncDefect } from "@peerstrap/chain-bootstrap"
import { CommandError, ExitCode } from "@peerstrap/command-line"
import type { ListenError } from "@peerstrap/transport"
import { storeFault } from "../store/OpenStore.ts"

export type RunFault = StoreError | ApplierFailed | SyncDefect | ListenError

export const runFault = (error: RunFault): CommandError => {
  switch (error._tag) {
    case "StoreError":
      return storeFault(error)
    case "ApplierFailed":
      return new CommandError({
        exitCode: ExitCode.local,
        message: error.message.startsWith(error.applier) ? error.message : `applier ${error.applier}: ${error.message}`,
        remedy:
          "see why in the applier's own output, then run the same command again: it goes on behind the last block that the applier has done"
      })
    case "ListenError":
      return new CommandError({
        exitCode: ExitCode.local,
        message: `--listen: ${error.message}`,
        remedy: "give another address or port with --listen (port 0 = any free one), or leave it out"
      })
    case "SyncDefect":
      return new CommandError({
        exitCode: ExitCode.defect,
        message: `a defect of this program: ${error.message}`,
        remedy: "please report it with these lines and the command line; what is stored stays valid"
      })
  }
}
