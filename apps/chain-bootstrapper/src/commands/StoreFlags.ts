/** How commands over a store at rest find its network, and open it. */
import type { ChainRules, FileChainStore } from "@peerstrap/chain-bootstrap"
import { type CheckContext, CommandError, derived, ExitCode, type Problem, Type } from "@peerstrap/command-line"
import { makeTezosRules, type Network } from "@peerstrap/tezos-bootstrap"
import { Crypto } from "@peerstrap/tezos-wire"
import * as Effect from "effect/Effect"
import { join, resolve } from "node:path"
import { loadNetwork, networkFileName } from "../network/NetworkOfRun.ts"
import { openExisting } from "../store/OpenStore.ts"

export const storeNetworkFlag = derived(
  Type.text("NAME|FILE", "mainnet, shadownet, sandbox or the path of a network file", "mainnet"),
  "the network that the store is of",
  "Needed for a store that has lost its network.json only."
)

export interface StorePlan {
  readonly directory: string
  readonly network: string
}

/** The store of a command and where its network stands; problems are told under `where`. */
export const planStore = (
  where: string,
  store: string | undefined,
  network: string | undefined,
  context: CheckContext,
  problem: (problem: Problem) => void
): StorePlan | undefined => {
  if (store === undefined) return undefined
  const directory = resolve(store)
  const own = join(directory, networkFileName)
  if (network !== undefined) return { directory, network }
  const file = context.read(own)
  if (!("problem" in file)) return { directory, network: own }
  problem({
    where,
    message: `${directory} is no store of this program: ${file.problem}; name the network with --network if it is one`
  })
  return undefined
}

/** The store is of another network than the one that was named. */
const checkChain = (directory: string, found: string, network: Network): CommandError | undefined =>
  found === network.chainId ? undefined : new CommandError({
    exitCode: ExitCode.usage,
    message: `${directory} holds the chain ${found}, not ${network.chainId} (${network.chainName})`,
    remedy: "give the --network that the store is of, or leave it out"
  })

export interface OpenedStore {
  readonly network: Network
  readonly rules: ChainRules
  readonly store: FileChainStore.FileChainStore
}

/** Opens the store; it is closed with the scope. No other process may work in it meanwhile. */
export const openPlanned = Effect.fnUntraced(
  function*({ directory, network: name }: StorePlan, onScan: (done: number, total: number) => void) {
    const network = yield* loadNetwork(name)
    const rules = makeTezosRules(yield* Crypto, network)
    const store = yield* openExisting({ directory, rules, onScan })
    const wrong = checkChain(directory, store.identity.chainId, network)
    if (wrong !== undefined) return yield* wrong
    const opened: OpenedStore = { network, rules, store }
    return opened
  }
)
