/** The network of a run: what `--network` names, and the file in which a store keeps it for later runs. */
import { CommandError, ExitCode } from "@peerstrap/command-line"
import { formatMillis } from "@peerstrap/progress"
import { FileSystem } from "@peerstrap/storage"
import { type Network, type NetworkFile, type NetworkUnusable, resolveNetwork } from "@peerstrap/tezos-bootstrap"
import { toHex } from "@peerstrap/tezos-wire"
import * as Effect from "effect/Effect"
import { blockText } from "../BlockNames.ts"
import { fileFault } from "../LocalFaults.ts"

/** The network file that a store keeps of its network, so that later runs need no `--network`. */
export const networkFileName = "network.json"

/** A difficulty that only public networks ask for. */
const publicDifficulty = 20

/** Nodes of such a network keep the last days only. */
export const isPublic = ({ proofOfWork }: Network): boolean => proofOfWork >= publicDifficulty

export const networkFileOf = (network: Network): NetworkFile => {
  const { header, id, timeSeconds } = network.genesis
  return {
    chainName: network.chainName,
    chainId: network.chainId,
    genesis: {
      hash: blockText(id),
      ...(timeSeconds === undefined ? {} : { time: timeSeconds }),
      ...(header === undefined ? {} : { headerHex: toHex(header) })
    },
    proofOfWork: network.proofOfWork,
    peers: network.peers,
    validationPasses: network.validationPasses,
    blocksPerCycle: network.blocksPerCycle,
    blockTimeSeconds: network.blockTimeSeconds,
    finality: network.finality,
    limits: network.limits
  }
}

export const networkFault = ({ problems, source }: NetworkUnusable): CommandError =>
  new CommandError({
    exitCode: ExitCode.usage,
    message: `network ${source}: ${problems.length === 1 ? problems[0] : `\n  ${problems.join("\n  ")}`}`,
    remedy:
      "--network takes mainnet, shadownet, sandbox or a JSON file {chainName, chainId, genesis, proofOfWork, peers, …}"
  })

/** The network that a preset's name or a path stands for; all problems of a file at once, exit code 2. */
export const loadNetwork = (nameOrFile: string) => Effect.mapError(resolveNetwork(nameOrFile), networkFault)

/** Leaves the network in its store. */
export const keepNetwork = Effect.fnUntraced(function*(store: string, network: Network) {
  const fs = yield* FileSystem
  const text = `${JSON.stringify(networkFileOf(network), undefined, 2)}\n`
  yield* fs.writeFileAtomic(`${store}/${networkFileName}`, new TextEncoder().encode(text)).pipe(
    Effect.mapError(fileFault)
  )
})

/** A clock that is before a block of the chain is wrong, and every new block would be refused as being of the future. */
export const clockFault = (nowMillis: number, block: string, timeSeconds: number, driftSeconds: number) =>
  nowMillis / 1000 + driftSeconds >= timeSeconds ? undefined : new CommandError({
    exitCode: ExitCode.local,
    message: `this machine's clock is wrong: it says ${formatMillis(nowMillis)}, but ${block} is of ${
      formatMillis(timeSeconds * 1000)
    }`,
    remedy: "set the clock (for good: with NTP) to within a second, then run the same command again"
  })
