/**
 * A protocol without a protocol: blocks whose id is the SHA-256 of their header and whose header commits to the units of the body. Everything
 * follows from a seed, so that tests and simulations name a chain by a number.
 *
 *   header, 113 bytes, big-endian: u32 level | 32 parent | u32 seconds | u32 weight | u8 units | 32 body root | 36 free (seed and branch)
 *   unit hash: SHA-256(u8 position | body)     body root: SHA-256(all unit hashes)     proof of a unit: all unit hashes of its block
 */
import { createHash } from "node:crypto"
import type { BlockId, BlockRef, HeaderFacts } from "../contract/Block.ts"
import type { ChainRules } from "../contract/ChainRules.ts"

const headerBytes = 113
const idBytes = 32

const sha256 = (...parts: ReadonlyArray<Uint8Array | string>): Uint8Array => {
  const hash = createHash("sha256")
  for (const part of parts) hash.update(part)
  return new Uint8Array(hash.digest())
}
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex")
const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"))
const same = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i])

/** A block with its whole body. */
export interface SyntheticBlock {
  readonly header: HeaderFacts
  readonly units: ReadonlyArray<Uint8Array>
}

/** What goes into a header, before its id is known. */
export interface SyntheticFields {
  readonly parent: BlockId
  readonly level: number
  readonly timeSeconds: number
  /** 0 … 2³² − 1. */
  readonly weight: number
  /** Tells blocks with equal fields apart; any text. */
  readonly salt: string
}

/** A side branch that leaves the main chain after `from` and is `length` blocks long. */
export interface SyntheticFork {
  readonly from: number
  readonly length: number
  /** Added to the weight of each of its blocks; above 0 the branch beats main-chain blocks of its level. Default 0. */
  readonly extraWeight?: number
}

/** Size and shape of a synthetic chain. */
export interface SyntheticOptions {
  readonly seed: number
  /** Blocks above the genesis. */
  readonly levels: number
  /** Default 2. */
  readonly unitsPerBlock?: number
  /** Longest body of a unit, lengths vary from 0. Default 64. */
  readonly unitBytes?: number
  readonly forks?: ReadonlyArray<SyntheticFork>
  /** Time of the genesis. Default 1,600,000,000. */
  readonly startSeconds?: number
  /** Between two blocks. Default 6. */
  readonly spacingSeconds?: number
}

const unitHash = (unit: number, body: Uint8Array): Uint8Array => sha256(Uint8Array.of(unit), body)

const encodeHeader = (fields: SyntheticFields, units: ReadonlyArray<Uint8Array>): Uint8Array => {
  const bytes = new Uint8Array(headerBytes)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, fields.level)
  bytes.set(bytesOf(fields.parent), 4)
  view.setUint32(36, fields.timeSeconds)
  view.setUint32(40, fields.weight)
  bytes[44] = units.length
  bytes.set(sha256(...units.map((body, unit) => unitHash(unit, body))), 45)
  bytes.set(sha256("free", fields.salt), 77)
  return bytes
}

const decodeHeader = (bytes: Uint8Array): HeaderFacts | string => {
  if (bytes.length !== headerBytes) return `a header has ${headerBytes} bytes, not ${bytes.length}`
  const own = bytes.slice()
  const view = new DataView(own.buffer)
  return {
    id: hexOf(sha256(own)),
    parent: hexOf(own.subarray(4, 36)),
    level: view.getUint32(0),
    timeSeconds: view.getUint32(36),
    weight: own.slice(40, 44),
    units: own[44]!,
    bodyRoot: own.slice(45, 77),
    bytes: own
  }
}

/** Makes a block of any fields, right or wrong: for a faulty one, give fields that break a rule. */
export const forgeBlock = (fields: SyntheticFields, units: ReadonlyArray<Uint8Array>): SyntheticBlock => {
  const header = decodeHeader(encodeHeader(fields, units))
  if (typeof header === "string") throw new Error(header)
  return { header, units }
}

const verifyBody = (header: HeaderFacts, units: ReadonlyArray<Uint8Array>): string | undefined => {
  if (units.length !== header.units) return `${header.units} units expected, ${units.length} there`
  const root = sha256(...units.map((body, unit) => unitHash(unit, body)))
  return same(root, header.bodyRoot) ? undefined : "the units do not hash to the header's root"
}

/** Rules of synthetic chains; `overrides` replaces numbers such as `spacingMillis`, `itemsPerRequest` and `finality`. */
export const makeSyntheticRules = (overrides: Partial<ChainRules> = {}): ChainRules => ({
  idBytes,
  displayId: (id) => `S${id.slice(0, 10)}`,
  compareWeight: (a, b) => Buffer.compare(a, b),
  decodeHeader,
  checkAlone: (header, nowSeconds) =>
    header.timeSeconds > nowSeconds + 15 ? `${header.timeSeconds - nowSeconds} s in the future` : undefined,
  checkLink: (child, parent) => {
    if (child.parent !== parent.id) return "names another parent"
    if (child.level !== parent.level + 1) return `level ${child.level} on top of level ${parent.level}`
    if (child.timeSeconds <= parent.timeSeconds) return "not later than its parent"
    return Buffer.compare(child.weight, parent.weight) > 0 ? undefined : "not heavier than its parent"
  },
  verifyUnit: (header, unit, body, proof) => {
    if (unit < 0 || unit >= header.units) return `unit ${unit} of a block with ${header.units}`
    if (proof.length !== header.units * idBytes) return `a proof of ${proof.length} bytes`
    if (!same(proof.subarray(unit * idBytes, (unit + 1) * idBytes), unitHash(unit, body))) return "body hash differs"
    return same(sha256(proof), header.bodyRoot) ? undefined : "the proof does not lead to the header's root"
  },
  verifyBody,
  itemsPerRequest: 10,
  spacingMillis: { branch: 0, head: 0, ancestor: 0, peers: 0, swap: 0 },
  finality: 2,
  ...overrides
})

/** `makeSyntheticRules()`: no least time between messages, 10 items a request, finality 2. */
export const syntheticRules: ChainRules = makeSyntheticRules()

/** A tree of synthetic blocks around one main chain. It may grow while a simulation runs. */
export class SyntheticChain {
  readonly genesis: SyntheticBlock
  /** By level; `main[0]` is the genesis. */
  readonly main: Array<SyntheticBlock> = []
  /** Blocks of each asked fork, lowest first. */
  readonly forks: Array<ReadonlyArray<SyntheticBlock>> = []
  private readonly byId = new Map<BlockId, SyntheticBlock>()
  private readonly options: Required<Omit<SyntheticOptions, "forks" | "levels">>

  constructor(options: SyntheticOptions) {
    this.options = {
      seed: options.seed,
      unitsPerBlock: options.unitsPerBlock ?? 2,
      unitBytes: options.unitBytes ?? 64,
      startSeconds: options.startSeconds ?? 1_600_000_000,
      spacingSeconds: options.spacingSeconds ?? 6
    }
    const { seed, startSeconds } = this.options
    const fields = { parent: "00".repeat(idBytes), level: 0, timeSeconds: startSeconds, weight: 0 }
    this.genesis = this.add(forgeBlock({ ...fields, salt: `${seed} genesis` }, []))
    this.main.push(this.genesis)
    this.growMain(options.levels)
    for (const [at, fork] of (options.forks ?? []).entries()) {
      const from = this.at(fork.from)
      this.forks.push(this.grow(from.header.id, fork.length, `fork ${at}`, fork.extraWeight ?? 0))
    }
  }

  /** The genesis, as the base of a store or a run. */
  get base(): BlockRef {
    return { id: this.genesis.header.id, level: 0 }
  }

  /** Last block of the main chain. */
  get head(): SyntheticBlock {
    return this.main[this.main.length - 1]!
  }

  /** Block of the main chain; a level that it has not is a mistake of the test. */
  at(level: number): SyntheticBlock {
    const block = this.main[level]
    if (block === undefined) throw new Error(`the main chain has no level ${level}`)
    return block
  }

  find(id: BlockId): SyntheticBlock | undefined {
    return this.byId.get(id)
  }

  /** Ids of the main chain from one level to another, both included. */
  ids(fromLevel: number, toLevel: number): ReadonlyArray<BlockId> {
    return this.main.slice(fromLevel, toLevel + 1).map(({ header }) => header.id)
  }

  /** Ids from a block down to the genesis, the block itself first. */
  ancestry(id: BlockId): ReadonlyArray<BlockId> {
    const ids: Array<BlockId> = []
    for (let block = this.byId.get(id); block !== undefined; block = this.byId.get(block.header.parent)) {
      ids.push(block.header.id)
    }
    return ids
  }

  /** The block `offset` levels below `id` on its ancestry. */
  ancestor(id: BlockId, offset: number): SyntheticBlock | undefined {
    let block = this.byId.get(id)
    for (let left = offset; left > 0 && block !== undefined; left--) block = this.byId.get(block.header.parent)
    return block
  }

  /** Proof of any unit of a block. */
  proof(block: SyntheticBlock): Uint8Array {
    const proof = new Uint8Array(block.units.length * idBytes)
    block.units.forEach((body, unit) => proof.set(unitHash(unit, body), unit * idBytes))
    return proof
  }

  /** Adds blocks on top of the main chain. */
  growMain(count: number): ReadonlyArray<SyntheticBlock> {
    const grown = this.grow(this.head.header.id, count, "main", 0)
    for (const block of grown) this.main.push(block)
    return grown
  }

  /** Adds blocks on top of any block without touching the main chain; another `branch` text gives other blocks. */
  grow(parent: BlockId, count: number, branch: string, extraWeight: number): ReadonlyArray<SyntheticBlock> {
    let top = this.byId.get(parent)
    if (top === undefined) throw new Error(`no block ${parent} to build on`)
    const grown: Array<SyntheticBlock> = []
    for (let i = 0; i < count; i++) {
      top = this.add(this.next(top, branch, i === 0 ? extraWeight : 0))
      grown.push(top)
    }
    return grown
  }

  private next({ header }: SyntheticBlock, branch: string, extraWeight: number): SyntheticBlock {
    const level = header.level + 1
    const salt = `${this.options.seed} ${branch} ${level}`
    const units = Array.from({ length: this.options.unitsPerBlock }, (_, unit) => this.body(salt, unit))
    const weight = new DataView(header.weight.buffer, header.weight.byteOffset).getUint32(0) + 1 + extraWeight
    const timeSeconds = header.timeSeconds + this.options.spacingSeconds
    return forgeBlock({ parent: header.id, level, timeSeconds, weight, salt }, units)
  }

  private body(salt: string, unit: number): Uint8Array {
    const first = sha256(salt, `unit ${unit}`)
    const length = new DataView(first.buffer).getUint32(0) % (this.options.unitBytes + 1)
    const body = new Uint8Array(length)
    let block = first
    for (let at = 0; at < length; at += idBytes) {
      block = sha256(block)
      body.set(block.subarray(0, Math.min(idBytes, length - at)), at)
    }
    return body
  }

  private add(block: SyntheticBlock): SyntheticBlock {
    this.byId.set(block.header.id, block)
    return block
  }
}

/** A chain that follows from its options alone. */
export const makeSyntheticChain = (options: SyntheticOptions): SyntheticChain => new SyntheticChain(options)
