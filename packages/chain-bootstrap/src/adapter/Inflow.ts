/**
 * Answers on their way from connections to the engine. A connection is not read while too many of its answers wait, while a body of it waits for
 * memory, or while the store has fallen behind:
 *
 *   session ──► memory for bodies? ──► told to the engine ──► too many untaken, or the store behind? then paused
 *                  │ no
 *                  └► held, in the order of arrival; nothing else of that connection is read before
 */
import { ChainLimits } from "../contract/ChainLimits.ts"
import type { SyncEvent } from "../contract/ChainSync.ts"
import type { Answer } from "../contract/PeerMessage.ts"
import type { BodyMemory } from "./BodyMemory.ts"
import type { PeerLink } from "./PeerLink.ts"

export interface InflowOwner {
  readonly bodies: BodyMemory
  /** Whether the store has more to do than it should. */
  readonly isBehind: () => boolean
}

export interface Inflow {
  /** False: nothing more is read from this connection for now. */
  answered(link: PeerLink, answer: Answer): boolean
  taken(link: PeerLink): void
  resume(): void
  forget(link: PeerLink): void
  readonly waitsForMemory: boolean
}

type Unit = Extract<Answer, { kind: "unit" }>

export const makeInflow = (owner: InflowOwner, tell: (event: SyncEvent) => void): Inflow => {
  const held = new Map<PeerLink, Unit>()
  const paused = new Set<PeerLink>()

  const pass = (link: PeerLink, answer: Answer): boolean => {
    link.untaken++
    tell({ kind: "answer", peer: link.peer, answer })
    if (link.untaken < ChainLimits.eventsPerPeer && !owner.isBehind()) return true
    paused.add(link)
    return false
  }

  /** Whether the body is larger than all the memory: nobody would ever take it, so its connection ends. */
  const refused = (link: PeerLink, { body }: Unit): boolean => {
    if (owner.bodies.fits(body.length)) return false
    link.close(`a body of ${body.length} bytes is larger than all the memory there is for them: allow more`)
    return true
  }

  /** In turn: the first body waits until it fits, however small the others are, or a large one would wait for ever. */
  const resumeHeld = (): void => {
    for (const [link, unit] of held) {
      // The memory was made smaller since it came.
      if (refused(link, unit)) {
        held.delete(link)
        continue
      }
      if (!owner.bodies.tryDraw(unit.body.length)) return
      held.delete(link)
      if (pass(link, unit)) link.session.resume()
    }
  }

  return {
    answered: (link, answer) => {
      if (answer.kind !== "unit") return pass(link, answer)
      if (refused(link, answer)) return true
      if (held.size === 0 && owner.bodies.tryDraw(answer.body.length)) return pass(link, answer)
      held.set(link, answer)
      return false
    },
    taken: (link) => {
      link.untaken--
    },
    resume: () => {
      resumeHeld()
      if (owner.isBehind()) return
      for (const link of paused) {
        if (link.untaken > ChainLimits.eventsPerPeer / 2) continue
        paused.delete(link)
        link.session.resume()
      }
    },
    forget: (link) => {
      held.delete(link)
      paused.delete(link)
    },
    get waitsForMemory() {
      return held.size > 0
    }
  }
}
