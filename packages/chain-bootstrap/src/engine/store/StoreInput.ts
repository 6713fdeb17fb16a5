/** What every store refuses before it writes: entries above a bound, and steps that do not fit the applied chain. Values, never exceptions. */
import type { BlockId, BlockRef, BodyUnit, HeaderFacts } from "../../contract/Block.ts"
import type { AppliedStep, ChosenSegment, StoreIdentity } from "../../contract/ChainStore.ts"
import { storeLimits } from "../../contract/StoreLimits.ts"

/** Why an append is refused; becomes a `StoreError`. */
export interface Refusal {
  readonly reason: "out-of-order" | "too-large"
  readonly message: string
}

const tooLarge = (message: string): Refusal => ({ reason: "too-large", message })
const outOfOrder = (message: string): Refusal => ({ reason: "out-of-order", message })

export const refuseHeaders = (headers: ReadonlyArray<HeaderFacts>): Refusal | undefined => {
  for (const { bytes, id } of headers) {
    if (bytes.length <= storeLimits.headerBytes) continue
    return tooLarge(`header ${id} has ${bytes.length} bytes, at most ${storeLimits.headerBytes} are kept`)
  }
  return undefined
}

/** Bytes of a record beside a unit's body: room for the id and the position. */
const unitFramingBytes = 256

export const refuseUnits = (units: ReadonlyArray<BodyUnit>): Refusal | undefined => {
  for (const { block, body, unit } of units) {
    if (!Number.isInteger(unit) || unit < 0 || unit >= storeLimits.unitsPerBlock) {
      return tooLarge(`unit ${unit} of block ${block}: a store keeps units 0…${storeLimits.unitsPerBlock - 1}`)
    }
    if (body.length > storeLimits.recordBytes - unitFramingBytes) {
      return tooLarge(`unit ${unit} of block ${block} has ${body.length} bytes, at most ${storeLimits.recordBytes}`)
    }
  }
  return undefined
}

export const refuseSegment = (segment: ChosenSegment, base: BlockRef): Refusal | undefined => {
  const { evidence, firstLevel, ids } = segment
  if (firstLevel <= base.level) {
    return outOfOrder(`a segment from level ${firstLevel}, the base is at ${base.level}`)
  }
  if (evidence.baseLevel !== firstLevel - 1) {
    return outOfOrder(`a segment from level ${firstLevel} with evidence above level ${evidence.baseLevel}`)
  }
  if (ids.length > 0 && evidence.topLevel !== firstLevel + ids.length - 1) {
    return outOfOrder(`a segment of ${ids.length} blocks from ${firstLevel}, its evidence ends at ${evidence.topLevel}`)
  }
  return undefined
}

/** `appliedAt` of the chain as it will be when the step is taken. */
export const refuseStep = (
  step: AppliedStep,
  identity: StoreIdentity,
  head: BlockRef,
  appliedAt: (level: number) => BlockId | undefined
): Refusal | undefined => {
  if (step.kind === "apply") {
    return step.firstLevel === head.level + 1
      ? undefined
      : outOfOrder(`blocks from level ${step.firstLevel} on top of a head at level ${head.level}`)
  }
  const { id, level } = step.to
  if (level < identity.base.level) return outOfOrder(`a rollback to level ${level}, below the base`)
  if (level > head.level) return outOfOrder(`a rollback to level ${level}, above the head at ${head.level}`)
  return appliedAt(level) === id ? undefined : outOfOrder(`a rollback to ${id}, which is not applied at level ${level}`)
}

const documentName = /^[a-z0-9][a-z0-9-]{0,63}$/

export const refuseDocument = (name: string, bytes: number): Refusal | undefined => {
  if (!documentName.test(name)) return outOfOrder(`a document's name is a–z, 0–9 and "-", not ${JSON.stringify(name)}`)
  return bytes <= storeLimits.documentBytes
    ? undefined
    : tooLarge(`document ${name} has ${bytes} bytes, at most ${storeLimits.documentBytes} are kept`)
}

/** What two identities differ in, for the error that names the remedy; undefined when they are the same. */
export const identityDifference = (held: StoreIdentity, wanted: StoreIdentity): string | undefined => {
  const differences: Array<string> = []
  const compare = (what: string, is: string, want: string): void => {
    if (is !== want) differences.push(`${what} ${is}, wanted is ${want}`)
  }
  compare("protocol", held.protocol, wanted.protocol)
  compare("chain", held.chainId, wanted.chainId)
  compare("base", `${held.base.id} at level ${held.base.level}`, `${wanted.base.id} at level ${wanted.base.level}`)
  return differences.length === 0
    ? undefined
    : `the store holds ${
      differences.join("; ")
    }. Name another directory, or start with the chain and base that it holds`
}
