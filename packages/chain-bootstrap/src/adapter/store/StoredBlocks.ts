/** The applied chain of a store, block by block: to verify it, to export it. Memory holds one batch of bounded size. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { BlockId, HeaderFacts } from "../../contract/Block.ts"
import type { ChainRules } from "../../contract/ChainRules.ts"
import { type ChainStoreService, StoreError } from "../../contract/ChainStore.ts"
import { storeLimits } from "../../contract/StoreLimits.ts"

/** What the store has at a level of its applied chain. */
export interface StoredBlock {
  readonly level: number
  readonly id: BlockId | undefined
  readonly header: HeaderFacts | undefined
  readonly units: ReadonlyArray<Uint8Array | undefined>
}

const bytesOf = (block: StoredBlock): number => block.units.reduce((sum, unit) => sum + (unit?.length ?? 0), 0)

/** Blocks from a level on, at most to `toLevel`: as many as one batch holds, at least one. */
export const readBatch = Effect.fnUntraced(function*(
  store: ChainStoreService,
  fromLevel: number,
  toLevel: number,
  withBodies: boolean
) {
  const count = Math.min(storeLimits.blocksAtATime, toLevel - fromLevel + 1)
  const ids = yield* Effect.try({
    try: () => Array.from({ length: count }, (_, i) => store.appliedAt(fromLevel + i)),
    catch: (cause) =>
      cause instanceof StoreError ? cause : new StoreError({ reason: "io", path: "", message: String(cause) })
  })
  const known = ids.filter((id) => id !== undefined)
  const headers = new Map((yield* store.readHeaders(known)).map((header, i) => [known[i], header]))
  const batch: Array<StoredBlock> = []
  let bytes = 0
  for (const [i, id] of ids.entries()) {
    const units = id === undefined || !withBodies ? [] : yield* store.readUnits(id)
    const block = { level: fromLevel + i, id, header: id === undefined ? undefined : headers.get(id), units }
    batch.push(block)
    bytes += bytesOf(block)
    if (bytes >= storeLimits.batchBytes) break
  }
  return batch
})

/** Something wrong with a block of the applied chain. */
export interface VerifyFinding {
  readonly level: number
  readonly id: BlockId | undefined
  readonly problem: string
}

/** Which applied blocks are verified, and how thoroughly. */
export interface VerifyOptions {
  /** Default: the first level above the base, and the head's. */
  readonly fromLevel?: number
  readonly toLevel?: number
  /** Whether bodies are there and lead to the headers' roots. Default true. */
  readonly bodies?: boolean
  readonly onProgress?: (progress: { readonly level: number; readonly toLevel: number }) => void
}

/** What was verified: levels, blocks, units and bytes of bodies. */
export interface VerifyReport {
  readonly fromLevel: number
  readonly toLevel: number
  readonly blocks: number
  readonly units: number
  readonly bodyBytes: number
  /** The first `storeLimits.damages` findings. */
  readonly findings: ReadonlyArray<VerifyFinding>
  /** All of them, counted. */
  readonly problems: number
}

/** Checks one block after the other, each against the one before. */
class ChainCheck {
  readonly findings: Array<VerifyFinding> = []
  problems = 0
  blocks = 0
  units = 0
  bodyBytes = 0
  private previous: HeaderFacts | undefined
  private previousId: BlockId | undefined
  private readonly rules: ChainRules
  private readonly withBodies: boolean

  constructor(rules: ChainRules, withBodies: boolean, before: HeaderFacts | undefined, beforeId: BlockId | undefined) {
    this.rules = rules
    this.withBodies = withBodies
    this.previous = before
    this.previousId = beforeId
  }

  block(block: StoredBlock): void {
    this.blocks++
    for (const problem of this.problemsOf(block)) {
      this.problems++
      if (this.findings.length >= storeLimits.damages) continue
      this.findings.push({ level: block.level, id: block.id, problem })
    }
    this.previous = block.header
    this.previousId = block.id
  }

  private problemsOf(block: StoredBlock): ReadonlyArray<string> {
    const { header, id, level } = block
    if (id === undefined) return ["no block is applied at this level"]
    if (header === undefined) return ["its header is not held"]
    const problems: Array<string> = []
    const decoded = this.rules.decodeHeader(header.bytes)
    if (typeof decoded === "string") return [`its header cannot be read: ${decoded}`]
    if (decoded.id !== id) problems.push(`its header hashes to ${decoded.id}`)
    if (decoded.level !== level) problems.push(`its header says level ${decoded.level}`)
    if (this.previousId !== undefined && decoded.parent !== this.previousId) {
      problems.push(`builds on ${decoded.parent}, the block below is ${this.previousId}`)
    } else if (this.previous !== undefined) {
      const fault = this.rules.checkLink(decoded, this.previous)
      if (fault !== undefined) problems.push(fault)
    }
    if (this.withBodies) problems.push(...this.bodyProblems(decoded, block.units))
    return problems
  }

  private bodyProblems(header: HeaderFacts, held: ReadonlyArray<Uint8Array | undefined>): ReadonlyArray<string> {
    const units: Array<Uint8Array> = []
    const missing: Array<number> = []
    for (let unit = 0; unit < header.units; unit++) {
      const body = held[unit]
      if (body === undefined) missing.push(unit)
      else units.push(body)
    }
    this.units += units.length
    this.bodyBytes += units.reduce((sum, { length }) => sum + length, 0)
    if (missing.length > 0) return [`units ${missing.join(", ")} are not held`]
    const fault = this.rules.verifyBody(header, units)
    return fault === undefined ? [] : [fault]
  }
}

/**
 * Checks the applied chain from its stored bytes alone: every header hashes to its id, links to the one below (`rules.checkLink`), and every body is
 * complete and leads to its header (`rules.verifyBody`). What is wrong is told as findings; fails only where the store cannot be read.
 */
export const verifyStore = Effect.fnUntraced(function*(
  store: ChainStoreService,
  rules: ChainRules,
  options: VerifyOptions = {}
) {
  const { base } = store.identity
  const fromLevel = Math.max(base.level + 1, options.fromLevel ?? 0)
  const toLevel = Math.min(store.head.level, options.toLevel ?? store.head.level)
  const withBodies = options.bodies ?? true
  const [before] = yield* readBatch(store, fromLevel - 1, fromLevel - 1, false)
  const check = new ChainCheck(rules, withBodies, before?.header, before?.id)
  let level = fromLevel
  while (level <= toLevel) {
    const batch = yield* readBatch(store, level, toLevel, withBodies)
    for (const block of batch) check.block(block)
    level += batch.length
    options.onProgress?.({ level: level - 1, toLevel })
    yield* Effect.yieldNow
  }
  const { blocks, bodyBytes, findings, problems, units } = check
  return { fromLevel, toLevel, blocks, units, bodyBytes, findings, problems } satisfies VerifyReport
})

/** A complete block of the applied chain. */
export interface ExportedBlock {
  readonly level: number
  readonly id: BlockId
  readonly header: Uint8Array
  /** One entry a unit, as stored. */
  readonly units: ReadonlyArray<Uint8Array>
}

const complete = (block: StoredBlock): ExportedBlock | StoreError => {
  const lacks = (what: string): StoreError =>
    new StoreError({
      reason: "damaged",
      path: "",
      message: `level ${block.level}${block.id === undefined ? "" : ` ${block.id}`}: ${what}: damage has taken it`
    })
  if (block.id === undefined) return lacks("none is applied at this level")
  if (block.header === undefined) return lacks("its header is not held")
  const units: Array<Uint8Array> = []
  for (let unit = 0; unit < block.header.units; unit++) {
    const body = block.units[unit]
    if (body === undefined) return lacks(`unit ${unit} is not held`)
    units.push(body)
  }
  return { level: block.level, id: block.id, header: block.header.bytes, units }
}

/**
 * Streams the applied chain's blocks from one level to another, both included and cut to what is applied above the base, in order. Fails with `damaged` at
 * the first block that is not complete. Nothing is verified here.
 */
export const exportBlocks = (
  store: ChainStoreService,
  fromLevel: number,
  toLevel: number
): Stream.Stream<ExportedBlock, StoreError> => {
  const last = Math.min(toLevel, store.head.level)
  const page = Effect.fnUntraced(function*(level: number) {
    if (level > last) return [[], Option.none()] as const
    const blocks: Array<ExportedBlock> = []
    for (const block of yield* readBatch(store, level, last, true)) {
      const one = complete(block)
      if (one instanceof StoreError) return yield* one
      blocks.push(one)
    }
    return [blocks, Option.some(level + blocks.length)] as const
  })
  return Stream.paginate(Math.max(store.identity.base.level + 1, fromLevel), page)
}
