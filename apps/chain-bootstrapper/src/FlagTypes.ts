/** Kinds of values that only this program's flags take: peers, listening addresses, block hashes, where a run ends. */
import { type FlagType, Type } from "@peerstrap/command-line"
import { decodeHash, Malformed, toHex } from "@peerstrap/tezos-wire"

/** Where a run ends by itself. */
export type Until = { readonly level: number } | "synced"

/** Levels are i32 on the wire. */
export const maxLevel = 2_147_483_647

const hostAndPort = (given: string): { readonly host: string; readonly port: number } | undefined => {
  const found = /^(?:\[([0-9a-fA-F:.%]+)\]|([^\s:[\]]+)):(\d{1,5})$/.exec(given)
  const port = Number(found?.[3])
  return found !== null && port <= 65_535 ? { host: found[1] ?? found[2]!, port } : undefined
}

/** A peer to dial. The text is kept: a name may stand for many addresses. */
export const peerPoint: FlagType<string> = Type.text(
  "HOST:PORT",
  "a host name or address and a port",
  "boot.tzinit.org:9732",
  (given) => (hostAndPort(given)?.port ?? 0) >= 1
)

/** Where to listen; port 0 is any free one. */
export const listenAddress: FlagType<{ readonly host: string; readonly port: number }> = {
  ...Type.text("HOST:PORT", "an address of this machine and a port (0 = any free one)", "0.0.0.0:9732"),
  parse: hostAndPort
}

export interface BlockHash {
  readonly text: string
  /** Lower-case hex, the engine's id. */
  readonly id: string
}

/** A block hash as people write it. */
export const blockHash: FlagType<BlockHash> = {
  placeholder: "HASH",
  expected: "a block hash, B and 50 further characters",
  example: "BLockGenesisGenesisGenesisGenesisGenesisf79b5d1CoW2",
  yaml: ["text"],
  parse: (text) => {
    const bytes = decodeHash("block", text)
    return bytes instanceof Malformed ? undefined : { text, id: toHex(bytes) }
  }
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

/** An address of a node's RPC server. */
export const rpcUrl: FlagType<string> = Type.text(
  "URL",
  "an http or https address",
  "http://127.0.0.1:8732",
  (given) => {
    try {
      return /^https?:$/.test(new URL(given).protocol)
    } catch {
      return false
    }
  }
)
