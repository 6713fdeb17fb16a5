/** Writes a group of appends: leaves out what is there already, makes the rest durable in the log, then tells the index. */
import * as Effect from "effect/Effect"
import type { StoreError, StoreIdentity } from "../../contract/ChainStore.ts"
import type { GroupEncoder } from "../../engine/store/GroupEncoder.ts"
import { idToBytes } from "../../engine/store/RecordPayloads.ts"
import { refuseStep } from "../../engine/store/StoreInput.ts"
import type { Append } from "./GroupCommit.ts"
import { fromIndex, fromRefusal } from "./StoreErrors.ts"
import type { StoreIndex } from "./StoreIndex.ts"
import type { StoreLog } from "./StoreLog.ts"

type Put = (encoder: GroupEncoder) => void

/** What of the group is new, as calls on an encoder. */
const newOf = (group: ReadonlyArray<Append>, index: StoreIndex): ReadonlyArray<Put> => {
  const { idBytes } = index.identity
  const puts: Array<Put> = []
  const headers = new Set<string>()
  const units = new Map<string, number>()
  for (const append of group) {
    if (append.kind === "headers") {
      for (const header of append.headers) {
        if (headers.has(header.id) || index.findHeader(idToBytes(header.id, idBytes)) !== undefined) continue
        headers.add(header.id)
        puts.push((encoder) => encoder.header(header))
      }
    } else if (append.kind === "units") {
      for (const unit of append.units) {
        const held = units.get(unit.block) ?? index.unitsHeld(idToBytes(unit.block, idBytes))
        units.set(unit.block, held | (1 << unit.unit))
        if ((held & (1 << unit.unit)) === 0) puts.push((encoder) => encoder.unit(unit))
      }
    } else if (append.kind === "segment") {
      if (append.segment.ids.length > 0) puts.push((encoder) => encoder.segment(append.segment))
    } else if (append.step.kind === "rollback" || append.step.ids.length > 0) {
      const { step } = append
      puts.push((encoder) => encoder.step(step))
    }
  }
  return puts
}

/** The `write` of a group commit. A step that does not fit is refused; steps come in groups of their own. */
export const groupWriter = (
  parts: {
    readonly directory: string
    readonly identity: StoreIdentity
    readonly index: StoreIndex
    readonly log: StoreLog
  }
): (group: ReadonlyArray<Append>) => Effect.Effect<void, StoreError> => {
  const { directory, identity, index, log } = parts
  /** Set when the log went on without the index: look-ups would be wrong from then on, so nothing is appended any more. */
  let behind: StoreError | undefined
  const plan = (group: ReadonlyArray<Append>) =>
    Effect.try({
      try: () => {
        for (const append of group) {
          if (append.kind !== "step") continue
          const refusal = refuseStep(append.step, identity, index.state.head, (level) => index.appliedAt(level))
          if (refusal !== undefined) throw fromRefusal(directory, refusal)
        }
        return newOf(group, index)
      },
      catch: (cause) => fromIndex(index.path, cause)
    })
  const tell = (encoder: GroupEncoder) =>
    Effect.try({
      try: () => index.take(encoder.entries, log.position),
      catch: (cause) => {
        behind = fromIndex(index.path, cause)
        return behind
      }
    })
  return Effect.fnUntraced(function*(group) {
    if (behind !== undefined) return yield* behind
    const puts = yield* plan(group)
    if (puts.length === 0) return
    const encoder = yield* log.write((encoder) => {
      for (const put of puts) put(encoder)
    })
    yield* tell(encoder)
  })
}
