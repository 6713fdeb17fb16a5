/** `plugins`: the parts that a sync is made of. */
import { pluginsCommand } from "@peerstrap/plugin-host"
import { needs, registry } from "../sync/Parts.ts"
import { sync } from "./Sync.ts"

const sample = ["--network", "mainnet", "--store", "/var/lib/tezos-store"]

/** `commandNames`: of the whole program, whose sections a config file may have. */
export const pluginsAmong = (commandNames: () => ReadonlyArray<string>) =>
  pluginsCommand({ registry, main: sync, needs, sample, commandNames })
