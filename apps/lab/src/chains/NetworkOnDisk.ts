/** Writes what describes a running network for other programs. */
import { CommandError } from "@peerstrap/command-line"
import { loadCrypto } from "@peerstrap/tezos-wire"
import * as Effect from "effect/Effect"
import { writeFileSync } from "node:fs"
import type { ChainNetwork } from "./ChainNetwork.ts"
import { chainOf } from "./ChainSpec.ts"
import { networkFile } from "./NetworkFile.ts"
import type { NetworkPlan } from "./PeerPlan.ts"

/** The chain of a plan, in this process. */
export const chainOfPlan = ({ spec }: NetworkPlan) =>
  loadCrypto.pipe(
    Effect.map((crypto) => ({ crypto, chain: chainOf(crypto, spec) })),
    Effect.mapError(({ message }) => new CommandError({ exitCode: 4, message, remedy: "install the program again" }))
  )

/** Makes or replaces a network file. */
export const writeNetworkFile = Effect.fnUntraced(function*(path: string, plan: NetworkPlan, network: ChainNetwork) {
  const { chain } = yield* chainOfPlan(plan)
  const file = networkFile(chain, plan.proofOfWork, network.peers.map(({ address }) => address))
  yield* Effect.try({
    try: () => writeFileSync(path, `${JSON.stringify(file, undefined, 2)}\n`),
    catch: (cause) =>
      new CommandError({
        exitCode: 4,
        message: `the network file cannot be written: ${cause instanceof Error ? cause.message : String(cause)}`,
        remedy: "choose another path"
      })
  })
  return { chain, file }
})
