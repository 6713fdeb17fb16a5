/** Kinds of values that only this program's flags take: peers, listening addresses, block hashes, where a run ends. */
import { type FlagType, Type } from "@peerstrap/command-line"
import { hostAndPort } from "@peerstrap/tezos-bootstrap/plugin"

export { type BlockHash, blockHash, peerPoint, rpcUrl } from "@peerstrap/tezos-bootstrap/plugin"

/** Where a run ends by itself. */
export type Until = { readonly level: number } | "synced"

/** Levels are i32 on the wire. */
export const maxLevel = 2_147_483_647

/** Where to listen; port 0 is any free one. */
export const listenAddress: FlagType<{ readonly host: string; readonly port: number }> = {
  ...Type.text("HOST:PORT", "an address of this machine and a port (0 = any free one)", "0.0.0.0:9732"),
  parse: hostAndPort
}

/** `level:N` or `synced`. */
export const until: FlagType<Until> = {
  placeholder: "level:N|synced",
  expected: "level:N (N from 1) or synced",
  example: "level:10000",
  yaml: ["text"],
  parse: (given) => {
    if (given === "synced") return "synced"
    const level = Number(/^level:(\d{1,10})$/.exec(given)?.[1])
    return level >= 1 && level <= maxLevel ? { level } : undefined
  }
}
