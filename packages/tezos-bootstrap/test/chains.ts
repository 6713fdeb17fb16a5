// Sample chains with their rules. None where the recorded data is missing: the files of tests say so aloud.
import type { HeaderFacts } from "@peerstrap/chain-bootstrap"
import { type ChainFacts, makeTezosRules, type Network, type TezosRules } from "@peerstrap/tezos-bootstrap"
import { type CryptoFunctions, decodeHash, fromHex, loadCrypto, toHex } from "@peerstrap/tezos-wire"
import * as Effect from "effect/Effect"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { gunzipSync } from "node:zlib"
import { sharedPath } from "../../../tools/shared.ts"
import { joinOperations } from "../src/engine/OperationList.ts"

const folder = sharedPath("data/tezos/chains")

export const chainsMissing: string | undefined = existsSync(folder)
  ? undefined
  : `sample chains not found at ${folder}: only the constants in the tests run; set PEERSTRAP_SHARED`

export const crypto: CryptoFunctions = await Effect.runPromise(loadCrypto)

export const bytes = (hex: string): Uint8Array => {
  const read = fromHex(hex, 16 << 20)
  if (read instanceof Uint8Array) return read
  throw new Error(read.message)
}

/** Hex of a block's text. */
export const idOf = (text: string): string => {
  const hash = decodeHash("block", text)
  if (hash instanceof Uint8Array) return toHex(hash)
  throw new Error(hash.message)
}

export interface SampleBlock {
  readonly branch: string
  readonly level: number
  readonly id: string
  readonly header: Uint8Array
  readonly units: ReadonlyArray<Uint8Array>
}

export interface SampleLocator {
  readonly style: "octez" | "tezedge"
  readonly sender: string
  readonly receiver: string
  readonly head: string
  readonly max: number
  readonly lower_end_level: number
  readonly levels: ReadonlyArray<number>
  readonly hashes: ReadonlyArray<string>
}

export interface SampleChain {
  readonly name: string
  readonly network: Network
  readonly rules: TezosRules
  readonly blocks: ReadonlyArray<SampleBlock>
  readonly expected: {
    readonly blocks: ReadonlyArray<any>
    readonly locators?: ReadonlyArray<SampleLocator>
    readonly heads_by_rising_fitness?: ReadonlyArray<string>
  }
  readonly heads: ReadonlyArray<{ readonly name: string; readonly hash: string; readonly level: number }>
}

const load = (name: string): SampleChain => {
  const file = JSON.parse(gunzipSync(readFileSync(`${folder}/${name}`)).toString("utf8"))
  const blocks: ReadonlyArray<SampleBlock> = file.blocks.map((block: any) => ({
    branch: block.branch,
    level: block.level,
    id: idOf(block.hash),
    header: bytes(block.header_hex),
    units: block.operations.map((pass: ReadonlyArray<string>) => joinOperations(pass.map(bytes)))
  }))
  const network: Network = {
    name,
    chainName: file.chain_name,
    chainId: file.chain_id_b58,
    chainIdBytes: bytes(file.chain_id),
    genesis: {
      id: idOf(file.genesis.hash),
      timeSeconds: file.genesis.time,
      header: bytes(file.genesis.header_hex)
    },
    proofOfWork: 0,
    peers: [],
    validationPasses: Math.max(...blocks.map(({ units }) => units.length)),
    blocksPerCycle: 14_400,
    blockTimeSeconds: 6,
    finality: 2,
    limits: { clockDriftSeconds: 1, maxHeaderBytes: 8 << 20, itemsPerRequest: 10 }
  }
  return {
    name,
    network,
    rules: makeTezosRules(crypto, network),
    blocks,
    expected: file.expected,
    heads: file.heads
  }
}

const names = chainsMissing === undefined ? readdirSync(folder).filter((name) => name.endsWith(".json.gz")) : []

export const sampleChains: ReadonlyArray<SampleChain> = names.map(load)

export const sampleChain = (name: string): SampleChain => {
  const found = sampleChains.find((each) => each.name === `${name}.json.gz`)
  if (found === undefined) throw new Error(`no sample chain ${name}`)
  return found
}

/** A header that must be sound. */
export const facts = (rules: Pick<TezosRules, "decodeHeader">, header: Uint8Array): HeaderFacts => {
  const decoded = rules.decodeHeader(header)
  if (typeof decoded === "string") throw new Error(decoded)
  return decoded
}

/** Rules of the chain of the small constants in tests: genesis of mainnet. */
export const genesisId = "8fcf233671b6a04fcf679d2a381c2544ea6c1ea29ba6157776ed8424c7ccd00b"
export const chainFacts: ChainFacts = {
  genesis: { id: genesisId, timeSeconds: undefined, header: undefined },
  validationPasses: 4,
  finality: 2,
  limits: { clockDriftSeconds: 1, maxHeaderBytes: 8 << 20, itemsPerRequest: 10 }
}
