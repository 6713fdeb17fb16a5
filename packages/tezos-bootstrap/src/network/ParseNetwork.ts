/** Network files: JSON to a `Network`, or every problem of the file at once, each with the path of its key. */
import {
  chainIdOf,
  decodeHash,
  decodeHeader,
  type Digests,
  encodeHash,
  fromHex,
  Limits,
  Malformed,
  parseChainId,
  SessionLimits,
  toHex
} from "@peerstrap/tezos-wire"
import { type Network, NetworkUnusable } from "../contract/Network.ts"
import { TezosLimits } from "../contract/TezosLimits.ts"
import { FileReading, isObject, numberIn, Problems, shown } from "./FileReading.ts"
import { parsePeerName } from "./PeerName.ts"

interface Text {
  readonly text: string
}

type Genesis = Network["genesis"] & { readonly hash: Uint8Array }

const chainName = (value: unknown): Text | string =>
  typeof value === "string" && /^[\x20-\x7e]+$/.test(value) && value.length <= SessionLimits.maxChainNameBytes
    ? { text: value }
    : `takes 1 to ${SessionLimits.maxChainNameBytes} ASCII characters, e.g. TEZOS_MAINNET, not ${shown(value)}`

const chainId = (value: unknown): Uint8Array | string => {
  const bytes = typeof value === "string" ? parseChainId(value) : undefined
  return bytes instanceof Uint8Array
    ? bytes
    : `takes Net… or 8 hex digits, not ${shown(value)}${bytes === undefined ? "" : ` (${bytes.message})`}`
}

const blockHash = (value: unknown): Uint8Array | string => {
  const bytes = typeof value === "string" ? decodeHash("block", value) : undefined
  return bytes instanceof Uint8Array
    ? bytes
    : `takes a block hash B…, not ${shown(value)}${bytes === undefined ? "" : ` (${bytes.message})`}`
}

const timeSeconds = (value: unknown): number | string => {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value
  const millis = typeof value === "string" && /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/.test(value)
    ? Date.parse(value)
    : Number.NaN
  return Number.isNaN(millis)
    ? `takes a time like 2018-06-30T16:07:32Z or seconds since 1970, not ${shown(value)}`
    : millis / 1000
}

/** What is wrong with the header of a genesis block, or its bytes. */
const genesisHeader = (
  value: unknown,
  hash: Uint8Array | undefined,
  time: number | undefined
): Uint8Array | string => {
  const bytes = typeof value === "string" ? fromHex(value, Limits.maxHeaderBytes) : undefined
  if (bytes === undefined) return `takes hex digits, not ${shown(value)}`
  const header = bytes instanceof Malformed ? bytes : decodeHeader(bytes)
  if (bytes instanceof Malformed || header instanceof Malformed) {
    return `is no header: ${(header as Malformed).message} (offset ${(header as Malformed).offset})`
  }
  if (header.level !== 0) return `is a header of level ${header.level}; genesis has level 0`
  if (header.validationPass !== 0 || header.fitness.length !== 0) {
    return "genesis has no operations and an empty fitness"
  }
  if (hash !== undefined && toHex(header.predecessor) !== toHex(hash)) {
    return `names ${encodeHash("block", header.predecessor)} as its predecessor; that of genesis is the genesis hash`
  }
  return time !== undefined && header.timestamp !== time
    ? `is dated ${header.timestamp}; genesis.time says ${time}`
    : bytes
}

const genesis = (value: unknown, problems: Problems): Genesis | undefined => {
  if (!isObject(value)) {
    const hash = blockHash(value)
    return typeof hash === "string"
      ? problems.add("genesis", hash)
      : { id: toHex(hash), hash, timeSeconds: undefined, header: undefined }
  }
  const keys = new FileReading(value, "genesis", problems)
  const hash = keys.required("hash", "a block hash B…", blockHash)
  const none = -1
  const time = keys.optional("time", none, timeSeconds)
  const given = time === none ? undefined : time
  const header = keys.optional("headerHex", new Uint8Array(0), (hex) => genesisHeader(hex, hash, given))
  keys.finish()
  if (hash === undefined) return undefined
  const known = header.length === 0 ? undefined : header
  const fields = known === undefined ? undefined : decodeHeader(known)
  return {
    id: toHex(hash),
    hash,
    timeSeconds: given ?? (fields === undefined || fields instanceof Malformed ? undefined : fields.timestamp),
    header: known
  }
}

const peerList = (value: unknown, problems: Problems): ReadonlyArray<string> => {
  if (!Array.isArray(value)) {
    problems.add("peers", `takes a list like ["boot.example.org", "127.0.0.1:9732"], not ${shown(value)}`)
    return []
  }
  if (value.length > TezosLimits.networkPeers) {
    problems.add("peers", `names ${value.length} peers; the limit is ${TezosLimits.networkPeers}`)
    return []
  }
  const peers: Array<string> = []
  value.forEach((each: unknown, index) => {
    const parsed = typeof each === "string" ? parsePeerName(each) : `takes a text, not ${shown(each)}`
    if (typeof parsed === "string") problems.add(`peers[${index}]`, parsed)
    else peers.push(each as string)
  })
  return peers
}

const limits = (value: unknown, problems: Problems): Network["limits"] => {
  const isSet = isObject(value)
  if (value !== undefined && !isSet) problems.add("limits", `takes an object, not ${shown(value)}`)
  const keys = new FileReading(isSet ? value : {}, "limits", problems)
  const read = {
    clockDriftSeconds: keys.optional("clockDriftSeconds", TezosLimits.clockDriftSeconds, numberIn(0, 86_400, "number")),
    maxHeaderBytes: keys.optional("maxHeaderBytes", Limits.maxHeaderBytes, numberIn(289, Limits.maxHeaderBytes)),
    itemsPerRequest: keys.optional("itemsPerRequest", Limits.maxRequestItems, numberIn(1, Limits.maxRequestItems))
  }
  keys.finish()
  return read
}

/** The defaults are those of mainnet today (specs: chain bootstrap 4.5). */
const defaults = { validationPasses: 4, blocksPerCycle: 14_400, blockTimeSeconds: 6, finality: 2 } as const

/** A network of a parsed file. `source` names it in problems and in `Network.name`. */
export const checkNetwork = (digests: Digests, file: unknown, source: string): Network | NetworkUnusable => {
  if (!isObject(file)) return new NetworkUnusable({ source, problems: [`takes a JSON object, not ${shown(file)}`] })
  const problems = new Problems()
  const keys = new FileReading(file, "", problems)
  const name = keys.required("chainName", "the name that nodes exchange, e.g. TEZOS_MAINNET", chainName)
  const id = keys.required("chainId", "Net… or 8 hex digits", chainId)
  const start = keys.required<{ readonly value: unknown }>(
    "genesis",
    "a block hash B…, or { hash, time, headerHex }",
    (value) => ({ value })
  )
  const first = start === undefined ? undefined : genesis(start.value, problems)
  const proofOfWork = keys.required("proofOfWork", "a difficulty, 26 on public networks", numberIn(0, 256, "number"))
  const listed = keys.required<{ readonly value: unknown }>(
    "peers",
    "a list of host or host:port",
    (value) => ({ value })
  )
  const peers = listed === undefined ? [] : peerList(listed.value, problems)
  const validationPasses = keys.optional("validationPasses", defaults.validationPasses, numberIn(1, Limits.maxPasses))
  const blocksPerCycle = keys.optional("blocksPerCycle", defaults.blocksPerCycle, numberIn(1, 10_000_000))
  const blockTimeSeconds = keys.optional(
    "blockTimeSeconds",
    defaults.blockTimeSeconds,
    numberIn(0.001, 86_400, "number")
  )
  const finality = keys.optional("finality", defaults.finality, numberIn(0, 1_000_000))
  const bounds = limits(
    keys.optional<{ readonly value: unknown }>("limits", { value: undefined }, (value) => ({ value })).value,
    problems
  )
  keys.finish()
  if (id !== undefined && first !== undefined) {
    const derived = chainIdOf(digests, first.hash)
    if (toHex(derived) !== toHex(id)) {
      problems.add(
        "chainId",
        `is ${encodeHash("chain", id)} (${toHex(id)}), but ${encodeHash("chain", derived)} (${
          toHex(derived)
        }) follows from `
          + `genesis ${encodeHash("block", first.hash)}: one of the two is of another network`
      )
    }
  }
  if (
    problems.list.length > 0 || name === undefined || id === undefined || first === undefined ||
    proofOfWork === undefined
  ) {
    return new NetworkUnusable({ source, problems: problems.all() })
  }
  return {
    name: source,
    chainName: name.text,
    chainId: encodeHash("chain", id),
    chainIdBytes: id,
    genesis: { id: first.id, timeSeconds: first.timeSeconds, header: first.header },
    proofOfWork,
    peers,
    validationPasses,
    blocksPerCycle,
    blockTimeSeconds,
    finality,
    limits: bounds
  }
}

/** A network of the text of a file, of at most `TezosLimits.networkFileBytes` characters. */
export const parseNetwork = (digests: Digests, text: string, source: string): Network | NetworkUnusable => {
  const unusable = (problem: string) => new NetworkUnusable({ source, problems: [problem] })
  if (text.length > TezosLimits.networkFileBytes) {
    return unusable(`has more than the ${TezosLimits.networkFileBytes} bytes that a network file may have`)
  }
  let file: unknown
  try {
    file = JSON.parse(text)
  } catch (error) {
    return unusable(`is not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
  return checkNetwork(digests, file, source)
}
