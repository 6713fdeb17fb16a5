/** `plugins`: the parts that a bootstrap is made of. */
import { pluginsCommand } from "@peerstrap/plugin-host"
import { needs, registry } from "../bootstrap/Parts.ts"
import { bootstrap } from "./Bootstrap.ts"

const sample = "--peer a=127.0.0.1:9000 --namespace metrics --num-shards 64 --block-size 2h --retention 48h " +
  "--out /var/lib/m3db"

/** `commandNames`: of the whole program, whose sections a config file may have. */
export const pluginsAmong = (commandNames: () => ReadonlyArray<string>) =>
  pluginsCommand({ registry, main: bootstrap, needs, sample: sample.split(" "), commandNames })
