/** A plugin that did not come up ends the run as what stopped it would have done without a host. */
import { ApplierFailed, BaseNotFound, StoreError } from "@peerstrap/chain-bootstrap"
import { StrategyUnfit } from "@peerstrap/chain-bootstrap/plugin"
import { CommandError, ExitCode } from "@peerstrap/command-line"
import type { CompositionError, PluginFatalError, PluginStartError } from "@peerstrap/plugin-host"
import { FileError } from "@peerstrap/storage"
import { IdentityUnusable, NetworkUnusable } from "@peerstrap/tezos-bootstrap"
import { CryptoUnavailable } from "@peerstrap/tezos-wire"
import { identityFault } from "../identity/IdentityFile.ts"
import { cryptoFault } from "../LoadedCrypto.ts"
import { fileFault } from "../LocalFaults.ts"
import { networkFault } from "../network/NetworkOfRun.ts"
import { runFault } from "./RunFaults.ts"

const baseFault = ({ base, message }: BaseNotFound): CommandError =>
  new CommandError({
    exitCode: ExitCode.peers,
    message: `--base ${base}: ${message}`,
    remedy:
      "compare the hash with a source that you trust; name a peer that holds the block with --peer (a full or archive node for an old " +
      "one), or give a younger --base"
  })

const strategyFault = ({ applier, strategy }: StrategyUnfit): CommandError =>
  new CommandError({
    exitCode: ExitCode.usage,
    message: `--strategy ${strategy} needs an applier that holds several branches; ${applier} has a single chain`,
    remedy: "leave --strategy out (cached-tail), or name another --applier"
  })

const causeFault = (cause: unknown): CommandError | undefined => {
  if (cause instanceof CommandError) return cause
  if (cause instanceof FileError) return fileFault(cause)
  if (cause instanceof StoreError || cause instanceof ApplierFailed) return runFault(cause)
  if (cause instanceof NetworkUnusable) return networkFault(cause)
  if (cause instanceof IdentityUnusable) return identityFault(cause)
  if (cause instanceof CryptoUnavailable) return cryptoFault(cause)
  if (cause instanceof BaseNotFound) return baseFault(cause)
  return cause instanceof StrategyUnfit ? strategyFault(cause) : undefined
}

export const partFault = (error: CompositionError | PluginStartError): CommandError => {
  if (error._tag === "CompositionError") {
    return new CommandError({ exitCode: ExitCode.usage, message: error.message, remedy: "" })
  }
  const { cause, message, plugin } = error
  return causeFault(cause) ?? new CommandError({
    exitCode: ExitCode.local,
    message,
    remedy: `see what ${plugin} needs with: peerstrap-chain plugins explain ${plugin}`
  })
}

/** A plugin gave up while the run went on. */
export const fatalPlugin = ({ message, plugin }: PluginFatalError) => ({
  exitCode: ExitCode.local,
  message: `${plugin} gave up: ${message}`,
  remedy: `mend what ${plugin} names, then run the same command again: it goes on from what is stored`
})
