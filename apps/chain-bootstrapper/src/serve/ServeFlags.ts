/** The flags of `serve`, and what follows from them before anything is opened. */
import { type CheckContext, type Problem, required, type Settings, Type, withDefault } from "@peerstrap/command-line"
import { join, resolve } from "node:path"
import { planStore, storeNetworkFlag, type StorePlan } from "../commands/StoreFlags.ts"
import { listenAddress } from "../FlagTypes.ts"
import { controlFlag, identityFlag, logLevelFlag, memoryFlag } from "../sync/SyncFlags.ts"

export const serveFlags = {
  store: required(
    Type.path("DIR", "/var/lib/tezos-store"),
    "The store. No sync may work in it meanwhile: sync serves by itself, see its --listen."
  ),
  listen: withDefault(listenAddress, "0.0.0.0:9732", "Where to accept connections; port 0 is any free one."),
  maxPeers: withDefault(Type.integer(1, 1000, 50), "50", "Most connections; further ones are told so."),
  identity: identityFlag,
  network: storeNetworkFlag,
  memory: memoryFlag,
  logLevel: logLevelFlag,
  control: controlFlag
} as const

export type ServeSettings = Settings<typeof serveFlags>

export interface ServePlan {
  readonly store: StorePlan
  readonly identityPath: string
  readonly controlPath: string
}

export const planServe = (
  settings: Partial<ServeSettings>,
  _operands: ReadonlyArray<string>,
  context: CheckContext,
  problem: (problem: Problem) => void
): ServePlan | undefined => {
  const { control, identity, network } = settings
  const store = planStore("--store", settings.store, network, context, problem)
  return store === undefined ? undefined : {
    store,
    identityPath: identity === undefined ? join(store.directory, "identity.json") : resolve(identity),
    controlPath: control === undefined ? join(store.directory, "control.sock") : resolve(control)
  }
}
