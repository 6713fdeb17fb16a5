/** What `sync` can judge before it does anything: rules between flags, and paths. Pure; tells every problem. */
import type { CheckContext, Problem } from "@peerstrap/command-line"
import { join, resolve } from "node:path"
import { networkFileName } from "../network/NetworkOfRun.ts"
import type { SyncSettings } from "./SyncFlags.ts"

export interface SyncPlan {
  readonly storePath: string
  readonly controlPath: string
  readonly identityPath: string
  /** A preset's name or a path. */
  readonly network: string
}

type Tell = (where: string, message: string) => void

const checkApplier = (settings: Partial<SyncSettings>, tell: Tell): void => {
  const { applier, applierCommand, octezRpc } = settings
  if (applier === "command" && "applierCommand" in settings && applierCommand === undefined) {
    tell(
      "--applier-command",
      "is missing: --applier command needs the program that takes the blocks, e.g. ./index-blocks"
    )
  }
  if (applier === "octez-rpc" && "octezRpc" in settings && octezRpc === undefined) {
    tell("--octez-rpc", "is missing: --applier octez-rpc needs the node's address, e.g. http://127.0.0.1:8732")
  }
  if (applierCommand !== undefined && applier !== undefined && applier !== "command") {
    tell("--applier-command", `is for --applier command, not ${applier}`)
  }
  if (octezRpc !== undefined && applier !== undefined && applier !== "octez-rpc") {
    tell("--octez-rpc", `is for --applier octez-rpc, not ${applier}`)
  }
}

const checkNumbers = (settings: Partial<SyncSettings>, tell: Tell): void => {
  const { maxPeers, minPeers, minQuorumPeers } = settings
  if (maxPeers !== undefined) {
    if (minPeers !== undefined && minPeers > maxPeers) {
      tell("--min-peers", `${minPeers} is more than --max-peers ${maxPeers}`)
    }
    if (minQuorumPeers !== undefined && minQuorumPeers > maxPeers) {
      tell("--min-quorum-peers", `${minQuorumPeers} is more than --max-peers ${maxPeers}: no quorum could be reached`)
    }
  }
}

/** Checks everything that needs no network; `undefined` when something is missing, which was told then. */
export const planSync = (
  settings: Partial<SyncSettings>,
  _operands: ReadonlyArray<string>,
  context: CheckContext,
  problem: (problem: Problem) => void
): SyncPlan | undefined => {
  const tell: Tell = (where, message) => problem({ where, message })
  checkApplier(settings, tell)
  checkNumbers(settings, tell)
  const { control, identity, network, store } = settings
  if (store === undefined) return undefined
  const storePath = resolve(store)
  const ownNetwork = join(storePath, networkFileName)
  const known = network ?? ("problem" in context.read(ownNetwork) ? undefined : ownNetwork)
  if (known === undefined && "network" in settings) {
    tell(
      "--network",
      "is missing: the store is new and nothing else says which chain it is for; want mainnet, shadownet, sandbox or a network file"
    )
  }
  return {
    storePath,
    controlPath: control === undefined ? join(storePath, "control.sock") : resolve(control),
    identityPath: identity === undefined ? join(storePath, "identity.json") : resolve(identity),
    network: known ?? ""
  }
}
