/**
 * What happens when a quorum stands behind a chain that leaves ours above what is final: the contract of the two strategies of mission 003
 * (5.10; R120–R124), and what they share.
 */
import type { Wait } from "@peerstrap/progress"
import type { BlockId, BlockRef, HeaderFacts } from "../../contract/Block.ts"
import type { ApplyOrder } from "../sync/ApplyOrder.ts"
import type { BodyRequests } from "../sync/BodyRequests.ts"
import type { Deviations } from "../sync/Deviations.ts"
import type { Gate, Rival } from "../sync/Gate.ts"
import type { SyncCore } from "../sync/SyncCore.ts"

export interface Reorganisation {
  /** A switch is being prepared or carried out. */
  readonly busy: boolean
  /** What the gate saw: a rival with quorum and more weight, or none any more. */
  consider(rival: Rival | undefined): void
  /** Goes on as far as is possible now. */
  advance(): void
  /** Side blocks given to the applier came back. */
  applied(ids: ReadonlyArray<BlockId>, count: number, outcome: "ok" | "invalid" | "transient", reason: string): void
  /** The applier's head is somewhere else now. */
  moved(to: BlockRef): void
  waits(): ReadonlyArray<Wait>
}

export interface ReorganisationParts {
  readonly core: SyncCore
  readonly gate: Gate
  readonly apply: ApplyOrder
  readonly bodies: BodyRequests
  readonly deviations: Deviations
}

/** The block both chains have, or undefined when it lies deeper than is allowed (then the run has halted). */
export const forkOf = ({ core, deviations }: ReorganisationParts, rival: Rival): BlockRef | undefined => {
  const depth = core.head.level - rival.forkLevel
  const id = core.chainAt(rival.forkLevel)
  if (id !== undefined && depth <= core.options.maxReorgDepth) return { id, level: rival.forkLevel }
  deviations.halt(
    `a quorum follows a chain that leaves ours ${depth} blocks below our head; at most ${core.options.maxReorgDepth} are followed`
  )
  return undefined
}

/** Takes back chosen blocks that no applier has seen, in favour of the rival: nothing has to be undone. */
export const replaceChosen = ({ core, gate, apply, bodies }: ReorganisationParts, rival: Rival): void => {
  for (const id of core.chosen.cutAbove(rival.forkLevel)) bodies.forget(id)
  apply.cutAbove(rival.forkLevel)
  gate.choose(rival.ids, core.dag.find(core.idBytes(rival.top.id)))
}

/** What was given to the applier above the fork came back undone: then there is nothing to leave. Call it when the applier has nothing. */
export const takenBack = (parts: ReorganisationParts, rival: Rival): boolean => {
  if (rival.forkLevel < parts.apply.committedLevel || !parts.gate.stands(rival)) return false
  parts.apply.paused = false
  replaceChosen(parts, rival)
  return true
}

/** Our chain is the rival's up to the fork, and from there its blocks. */
export const adopt = (parts: ReorganisationParts, fork: BlockRef, facts: HeaderFacts | undefined): void => {
  const { apply, bodies, core } = parts
  for (const id of core.chosen.cutAbove(0)) bodies.forget(id)
  core.chosen.reset(fork)
  core.head = fork
  core.headFacts = facts
  apply.moved()
}
