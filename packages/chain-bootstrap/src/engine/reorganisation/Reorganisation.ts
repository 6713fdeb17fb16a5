/** What the two strategies of mission 003 share (5.10; R120–R124). */
import type { BlockRef, HeaderFacts } from "../../contract/Block.ts"
import type { ReorganisationParts, Rival } from "../../contract/Reorganisation.ts"

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
