/** What `--applier` stands for. */
import { Appliers, type BlockApplierService, type BlockRef } from "@peerstrap/chain-bootstrap"
import { CommandError, ExitCode, type Reporter } from "@peerstrap/command-line"
import { type Network, octezRpc } from "@peerstrap/tezos-bootstrap"
import * as Effect from "effect/Effect"
import { runFault } from "./RunFaults.ts"
import type { SyncSettings } from "./SyncFlags.ts"

export interface ApplierWanted {
  readonly settings: Pick<SyncSettings, "applier" | "applierCommand" | "octezRpc" | "strategy">
  readonly network: Network
  /** Where a toy state begins: it has none of its own from before. */
  readonly head: BlockRef
  readonly reporter: Reporter
}

/** A command gets the shell that people type it into. Its standard error is shown line by line. */
const ofCommand = (commandLine: string, reporter: Reporter) =>
  Appliers.command({
    command: "/bin/sh",
    args: ["-c", commandLine],
    onErrorLine: (line) => reporter.event("applier-says", { line }, `applier: ${line}`)
  })

const build = ({ head, network, reporter, settings }: ApplierWanted) => {
  switch (settings.applier) {
    case "archive":
      return Effect.succeed(Appliers.archive())
    case "command":
      return ofCommand(settings.applierCommand!, reporter)
    case "octez-rpc":
      return Effect.succeed(octezRpc({ url: settings.octezRpc!, network }))
    case "simulator":
      return Effect.succeed<BlockApplierService>(Appliers.simulator({ base: head }))
  }
}

/** The applier of a run. It ends with the scope. */
export const makeApplier = Effect.fnUntraced(function*(wanted: ApplierWanted) {
  const applier = yield* Effect.mapError(build(wanted), runFault)
  if (wanted.settings.strategy === "applied-branches" && applier.branches === "one") {
    return yield* new CommandError({
      exitCode: ExitCode.usage,
      message:
        `--strategy applied-branches needs an applier that holds several branches; ${applier.name} has a single chain`,
      remedy: "leave --strategy out (cached-tail), or name another --applier"
    })
  }
  return applier
})
