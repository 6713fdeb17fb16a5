/** Kinds of values that configs and flags of the Tezos side take: peers, block hashes, addresses of RPC servers. */
import { Type } from "@peerstrap/plugin-host"
import { decodeHash, Malformed, toHex } from "@peerstrap/tezos-wire"

/** `host:port` or `[v6]:port`. */
export const hostAndPort = (given: string): { readonly host: string; readonly port: number } | undefined => {
  const found = /^(?:\[([0-9a-fA-F:.%]+)\]|([^\s:[\]]+)):(\d{1,5})$/.exec(given)
  const port = Number(found?.[3])
  return found !== null && port <= 65_535 ? { host: found[1] ?? found[2]!, port } : undefined
}

/** A peer to dial. The text is kept: a name may stand for many addresses. */
export const peerPoint = Type.text(
  "HOST:PORT",
  "a host name or address and a port",
  "boot.tzinit.org:9732",
  (given) => (hostAndPort(given)?.port ?? 0) >= 1
)

/** A block's hash, as text and as the engine's id. */
export interface BlockHash {
  readonly text: string
  /** Lower-case hex, the engine's id. */
  readonly id: string
}

/** A block hash as people write it. */
export const blockHash = {
  placeholder: "HASH",
  expected: "a block hash, B and 50 further characters",
  example: "BLockGenesisGenesisGenesisGenesisGenesisf79b5d1CoW2",
  yaml: ["text"],
  parse: (text: string): BlockHash | undefined => {
    const bytes = decodeHash("block", text)
    return bytes instanceof Malformed ? undefined : { text, id: toHex(bytes) }
  }
} as const

/** An address of a node's RPC server. */
export const rpcUrl = Type.text(
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
