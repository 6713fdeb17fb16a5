/** Networks that need no file. Facts: octez `src/lib_node_config/config_file.ml` (specs: chain bootstrap 1.3, 2.2, 4.5). */
import type { NetworkFile } from "../contract/Network.ts"

const publicDifficulty = 26

/** A network that needs no file. */
export type PresetName = "mainnet" | "shadownet" | "sandbox"

/** As files would have them: `JSON.stringify(presetFiles.mainnet)` is a good start for a file of one's own. */
export const presetFiles: Readonly<Record<PresetName, NetworkFile>> = {
  mainnet: {
    chainName: "TEZOS_MAINNET",
    chainId: "NetXdQprcVkpaWU",
    genesis: {
      hash: "BLockGenesisGenesisGenesisGenesisGenesisf79b5d1CoW2",
      time: "2018-06-30T16:07:32Z",
      headerHex: "00000000008fcf233671b6a04fcf679d2a381c2544ea6c1ea29ba6157776ed8424c7ccd00b000000005b37aac400"
        + "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a800000000"
        + "3fdf8e76abec28f333dca1964e86404e455f5fc7838012558d9e43e23937ea88"
    },
    proofOfWork: publicDifficulty,
    peers: ["boot.tzinit.org", "boot.tzboot.net", "boot.tzbeta.net"],
    blocksPerCycle: 14_400,
    blockTimeSeconds: 6
  },
  shadownet: {
    chainName: "TEZOS_SHADOWNET_2025-08-07T20:00:00Z",
    chainId: "NetXsqzbfFenSTS",
    genesis: { hash: "BMJTFWBgqGUzsvW4JLS1XuCYnpH18pBsLb5UvPCv2eiNC5vUeps", time: "2025-08-07T20:00:00Z" },
    proofOfWork: publicDifficulty,
    peers: ["shadownet.teztnets.com", "shadownet.tzinit.org"]
  },
  // The context of a sandbox's genesis depends on its parameters, so that no header can be given here.
  sandbox: {
    chainName: "TEZOS",
    chainId: "NetXdQprcVkpaWU",
    genesis: { hash: "BLockGenesisGenesisGenesisGenesisGenesisf79b5d1CoW2", time: "2018-06-30T16:07:32Z" },
    proofOfWork: 0,
    peers: []
  }
}

/** All networks that need no file. */
export const presetNames = Object.keys(presetFiles) as ReadonlyArray<PresetName>

/** Tells whether a text names a preset. */
export const isPreset = (name: string): name is PresetName => Object.hasOwn(presetFiles, name)
