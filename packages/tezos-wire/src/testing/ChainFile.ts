/** Chains as files: `tezos-chain/1`, JSON, gzip. Reads the recorded ones and writes chains for other programs to serve. */
import { gunzipSync, gzipSync } from "node:zlib"
import { decodeHash, encodeHash } from "../codec/Base58Check.ts"
import { chainIdOf } from "../codec/ChainId.ts"
import { fromHex, toHex } from "../codec/HexText.ts"
import type { Digests } from "../contract/Crypto.ts"
import { Limits } from "../contract/Limits.ts"
import { Malformed } from "../contract/Malformed.ts"
import { headerOf } from "./ForgeBlocks.ts"
import { ancestorAt, type TestBlock, type TestBranch, TestChain } from "./TestChain.ts"

interface FileBlock {
  readonly branch: string
  readonly level: number
  readonly hash: string
  readonly header_hex: string
  readonly operations: ReadonlyArray<ReadonlyArray<string>>
}

interface FileHead {
  readonly name: string
  readonly hash: string
  readonly level: number
  readonly fitness: ReadonlyArray<string>
  readonly fork_from: { readonly branch: string; readonly level: number } | null
  readonly blocks: number
}

interface ChainDocument {
  readonly format: string
  readonly chain_name: string
  readonly chain_id: string
  readonly genesis: { readonly hash: string; readonly time: number; readonly header_hex: string }
  readonly heads: ReadonlyArray<FileHead>
  readonly blocks: ReadonlyArray<FileBlock>
}

const format = "tezos-chain/1"
/** Recorded files unpack to a few megabytes; more than this is no test chain. */
const maxUnpackedBytes = 1 << 30

const sound = <A>(value: A | Malformed): A => {
  if (value instanceof Malformed) throw value
  return value
}

const bytesOf = (text: string): Uint8Array => sound(fromHex(text, Limits.maxHeaderBytes))

const branchOf = (chain: TestChain, { fork_from, name }: FileHead): TestBranch => {
  if (fork_from === null) return { name, base: undefined, forkLevel: 0, blocks: [] }
  const base = ancestorAt(chain.head(fork_from.branch), fork_from.level)
  if (base === undefined) throw new RangeError(`branch ${name} forks from a block that is not there`)
  return { name, base: base.branch, forkLevel: fork_from.level, blocks: [] }
}

/** Reads the bytes of a file (gzip or plain JSON) and throws when it is not such a file. Trusts the hashes in it. */
export const readChainFile = (digests: Digests, file: Uint8Array): TestChain => {
  const packed = file[0] === 0x1f && file[1] === 0x8b
  const text = packed ? gunzipSync(file, { maxOutputLength: maxUnpackedBytes }) : file
  const document: ChainDocument = JSON.parse(new TextDecoder().decode(text))
  if (document.format !== format) throw new TypeError(`not a ${format} file: ${String(document.format)}`)
  const genesisHash = sound(decodeHash("block", document.genesis.hash))
  const chain = new TestChain(document.chain_name, chainIdOf(digests, genesisHash), {
    hash: genesisHash,
    timestamp: document.genesis.time,
    header: headerOf(bytesOf(document.genesis.header_hex))
  })
  const byBranch = Map.groupBy(document.blocks, (block) => block.branch)
  for (const head of document.heads) {
    const branch = branchOf(chain, head)
    for (const { hash, header_hex, level, operations } of byBranch.get(head.name) ?? []) {
      branch.blocks.push({
        branch,
        level,
        hash: sound(decodeHash("block", hash)),
        header: headerOf(bytesOf(header_hex)),
        operations: operations.map((list) => list.map(bytesOf))
      })
    }
    chain.add(branch)
  }
  return chain
}

const fileBlock = ({ branch, hash, header, level, operations }: TestBlock): FileBlock => ({
  branch: branch.name,
  level,
  hash: encodeHash("block", hash),
  header_hex: toHex(header.raw),
  operations: operations.map((list) => list.map(toHex))
})

/** The bytes of a file, packed. */
export const writeChainFile = (chain: TestChain): Uint8Array => {
  const branches = chain.branchNames.map((name) => chain.branch(name)!)
  const document = {
    format,
    generator: "peerstrap",
    chain_name: chain.chainName,
    chain_id: toHex(chain.chainId),
    chain_id_b58: encodeHash("chain", chain.chainId),
    genesis: {
      hash: encodeHash("block", chain.genesis.hash),
      time: chain.genesis.timestamp,
      header_hex: toHex(chain.genesis.header.raw)
    },
    heads: branches.map(({ base, blocks, forkLevel, name }): FileHead => ({
      name,
      hash: encodeHash("block", blocks.at(-1)!.hash),
      level: blocks.at(-1)!.level,
      fitness: blocks.at(-1)!.header.fitness.map(toHex),
      fork_from: base === undefined ? null : { branch: base.name, level: forkLevel },
      blocks: blocks.length
    })),
    expected: {},
    blocks: branches.flatMap(({ blocks }) => blocks.map(fileBlock))
  }
  return gzipSync(JSON.stringify(document))
}
