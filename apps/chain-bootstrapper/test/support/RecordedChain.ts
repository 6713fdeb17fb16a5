// A chain file as `export` would write it.
import { readFileSync } from "node:fs"
import { gunzipSync } from "node:zlib"

interface FileBlock {
  readonly branch: string
  readonly level: number
  readonly hash: string
  readonly header_hex: string
  readonly operations: ReadonlyArray<ReadonlyArray<string>>
}

interface ChainDocument {
  readonly chain_name: string
  readonly chain_id_b58: string
  readonly genesis: { readonly hash: string; readonly time: number; readonly header_hex: string }
  readonly blocks: ReadonlyArray<FileBlock>
}

export const readChain = (path: string): ChainDocument =>
  JSON.parse(gunzipSync(readFileSync(path)).toString("utf8")) as ChainDocument

/** Lines of the main branch between two levels, both included. */
export const exportedLines = (path: string, fromLevel: number, toLevel: number): string =>
  readChain(path).blocks
    .filter(({ branch, level }) => branch === "main" && level >= fromLevel && level <= toLevel)
    .toSorted((a, b) => a.level - b.level)
    .map(({ hash, header_hex, level, operations }) =>
      `${JSON.stringify({ level, hash, header: header_hex, operations })}\n`
    )
    .join("")

/** A network file for the chain of a file. */
export const networkOf = (path: string, changes: Readonly<Record<string, unknown>> = {}): string => {
  const { chain_id_b58, chain_name, genesis } = readChain(path)
  return JSON.stringify({
    chainName: chain_name,
    chainId: chain_id_b58,
    genesis: { hash: genesis.hash, time: genesis.time, headerHex: genesis.header_hex },
    proofOfWork: 0,
    peers: [],
    ...changes
  })
}
