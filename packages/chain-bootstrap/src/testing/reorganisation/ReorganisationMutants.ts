/** Strategies with one fault each, which the kit must reject: the two of this package, with one thing changed that they see, say or do. */
import type { Mutant } from "@peerstrap/conformance"
import * as Layer from "effect/Layer"
import {
  type Reorganisation,
  type ReorganisationParts,
  ReorganisationStrategy,
  type ReorganisationStrategyService
} from "../../contract/Reorganisation.ts"
import { appliedBranches, cachedTail } from "../../engine/reorganisation/Strategies.ts"

type StrategyMutant = Mutant<ReorganisationStrategy>
type Core = ReorganisationParts["core"]

/** Reads what is changed from `changes`, all else, and writes, from and to the original. */
const over = <A extends object>(original: A, changes: Partial<A>): A =>
  new Proxy(original, {
    get: (target, key) => Reflect.get(key in changes ? changes : target, key) as unknown,
    set: (target, key, value) => key in changes ? Reflect.set(changes, key, value) : Reflect.set(target, key, value)
  })

type Changes = { readonly [Part in keyof ReorganisationParts]?: Partial<ReorganisationParts[Part]> }

const changed = (parts: ReorganisationParts, changes: Changes): ReorganisationParts => ({
  core: over(parts.core, changes.core ?? {}),
  gate: over(parts.gate, changes.gate ?? {}),
  apply: over(parts.apply, changes.apply ?? {}),
  bodies: over(parts.bodies, changes.bodies ?? {}),
  deviations: over(parts.deviations, changes.deviations ?? {})
})

/** With other eyes or hands. */
const seeing = (
  base: ReorganisationStrategyService,
  changes: (parts: ReorganisationParts) => Changes
): ReorganisationStrategyService => ({ ...base, make: (parts) => base.make(changed(parts, changes(parts))) })

/** With another answer or reaction. */
const doing = (
  base: ReorganisationStrategyService,
  changes: (run: Reorganisation, parts: ReorganisationParts) => Partial<Reorganisation>
): ReorganisationStrategyService => ({
  ...base,
  make: (parts) => {
    const run = base.make(parts)
    return {
      get busy() {
        return run.busy
      },
      consider: (rival) => run.consider(rival),
      advance: () => run.advance(),
      applied: (ids, count, outcome, reason) => run.applied(ids, count, outcome, reason),
      moved: (to) => run.moved(to),
      waits: () => run.waits(),
      ...changes(run, parts)
    }
  }
})

const mutant = (
  name: string,
  rejectedBy: string,
  because: RegExp,
  service: ReorganisationStrategyService
): StrategyMutant => ({ name, rejectedBy, because, layer: Layer.succeed(ReorganisationStrategy)(service) })

/** Sends other actions than it should. */
const emitting = (
  base: ReorganisationStrategyService,
  change: (action: Parameters<Core["emit"]>[0], core: Core) => ReadonlyArray<Parameters<Core["emit"]>[0]>
): ReorganisationStrategyService =>
  seeing(base, ({ core }) => ({
    core: {
      emit: (action) => {
        for (const each of change(action, core)) core.emit(each)
      }
    }
  }))

const fork = "leaves our chain at the highest block that the new one has"
const path = "goes the whole way to the new head, each block once, in order"

const ways: ReadonlyArray<StrategyMutant> = [
  mutant(
    "goes back one too deep",
    fork,
    /leaves our chain at #\d+ of level \d+, the fork is #\d+ of level \d+/,
    emitting(cachedTail, (action, core) => {
      if (action.kind !== "rollback") return [action]
      const level = action.to.level - 1
      return [{ kind: "rollback", to: { id: core.chainAt(level) ?? action.to.id, level } }]
    })
  ),
  mutant(
    "forgets one block of the way",
    path,
    /switches along .*, the way is/,
    emitting(
      appliedBranches,
      (action) => action.kind === "switch" ? [{ ...action, ids: action.ids.slice(1) }] : [action]
    )
  ),
  mutant(
    "switches to what was never recorded as chosen",
    path,
    /a branch that is not recorded as chosen/,
    seeing(appliedBranches, () => ({ gate: { record: () => undefined } }))
  ),
  mutant(
    "keeps the old head",
    path,
    /stands at #\d+, the applier at #\d+/,
    doing(cachedTail, () => ({ moved: () => undefined }))
  ),
  mutant(
    "takes every rival for one that the applier has nothing of",
    path,
    /chooses #.* on #/,
    seeing(cachedTail, () => ({ apply: { committedLevel: 0 } }))
  ),
  mutant(
    "goes back before it has the bodies",
    "moves only when every block of the new chain is there",
    /a rollback while #.* is missing/,
    seeing(cachedTail, () => ({ bodies: { complete: () => true } }))
  ),
  mutant(
    "does not ask whether the quorum still stands",
    "moves only while a quorum stands behind the new chain",
    /with no quorum behind it/,
    seeing(cachedTail, () => ({ gate: { stands: () => true } }))
  ),
  mutant(
    "moves while the applier works",
    "moves only when the applier has nothing in hand",
    /while the applier has something in hand/,
    seeing(cachedTail, () => ({ apply: { inFlight: 0 } }))
  ),
  mutant(
    "knows no depth",
    "halts before it goes deeper than is allowed",
    /follows a chain that leaves ours \d+ levels below/,
    seeing(cachedTail, ({ core }) => ({ core: { options: { ...core.options, maxReorgDepth: Infinity } } }))
  ),
  mutant(
    "halts one level too early",
    "halts before it goes deeper than is allowed",
    /halts for a chain that leaves ours 5 levels below/,
    seeing(cachedTail, ({ core }) => ({
      core: { options: { ...core.options, maxReorgDepth: core.options.maxReorgDepth - 1 } }
    }))
  ),
  mutant(
    "looks for nothing after a move",
    "ends where the quorum is",
    /ends at #\d+ of level \d+, the quorum is at #\d+/,
    seeing(cachedTail, () => ({ gate: { restart: () => undefined } }))
  )
]

const pause = "gives the applier nothing new while it prepares, and lets it go on afterwards"
const notice = "tells each move once, from where, to where"
const waits = "says what it waits for, and only then"

const words: ReadonlyArray<StrategyMutant> = [
  mutant(
    "lets the applier go on while it prepares",
    pause,
    /given more while a switch is prepared/,
    seeing(appliedBranches, () => ({ apply: { paused: false } }))
  ),
  mutant(
    "leaves the applier paused",
    pause,
    /stays paused though nothing is prepared/,
    seeing(cachedTail, ({ apply }) => ({
      apply: {
        get paused() {
          return apply.paused
        },
        set paused(paused) {
          apply.paused ||= paused
        },
        moved: () => {
          apply.moved()
          apply.paused = true
        }
      }
    }))
  ),
  mutant("tells no move", notice, /0 notices/, seeing(appliedBranches, () => ({ core: { notice: () => undefined } }))),
  mutant(
    "counts a move twice",
    notice,
    /1 moves, 1 notices of the last one, 2 counted/,
    doing(cachedTail, (run, { core }) => ({
      moved: (to) => {
        core.counters.reorganisations++
        run.moved(to)
      }
    }))
  ),
  mutant("tells it under another name", notice, /a notice of cached-tail/, { ...cachedTail, name: "cached tail" }),
  mutant(
    "says nothing while it waits",
    waits,
    /says nothing of the switch to/,
    doing(cachedTail, () => ({ waits: () => [] }))
  ),
  mutant(
    "goes on to say what it waited for",
    waits,
    /says that it waits: reorganisation to block/,
    doing(cachedTail, (run) => {
      let last: ReturnType<Reorganisation["waits"]> = []
      return {
        waits: () => {
          const now = run.waits()
          if (now.length > 0) last = now
          return last
        }
      }
    })
  )
]

const retention = "keeps nothing of branches that have lost for good"
const applier = "applies each side block once, on what is applied"

const retry = "tries what the applier could not take again, later each time"

const retries: ReadonlyArray<StrategyMutant> = [
  mutant(
    "tries again at once what the applier could not take",
    retry,
    /tries #\d+ again after \d+ ms, it failed 1 times/,
    seeing(appliedBranches, ({ core }) => ({
      core: { options: { ...core.options, timers: { applyRetry: 0, applyRetryLongest: 0 } } }
    }))
  ),
  mutant(
    "waits as long each time",
    retry,
    /tries #\d+ again after \d+ ms, it failed 2 times/,
    seeing(appliedBranches, ({ core }) => ({
      core: { options: { ...core.options, timers: { applyRetry: 300, applyRetryLongest: 300 } } }
    }))
  ),
  mutant(
    "never tries again what the applier could not take",
    "ends where the quorum is",
    /ends at #\d+ of level \d+, the quorum is at #\d+/,
    doing(appliedBranches, (run) => ({
      applied: (ids, count, outcome, reason) =>
        run.applied(ids, count, outcome === "transient" ? "invalid" : outcome, reason)
    }))
  ),
  mutant(
    "does not ask to be woken for it",
    "ends where the quorum is",
    /ends at #\d+ of level \d+, the quorum is at #\d+/,
    seeing(appliedBranches, () => ({ core: { wakeBy: () => undefined } }))
  )
]

const memory: ReadonlyArray<StrategyMutant> = [
  mutant(
    "wants bodies for ever",
    retention,
    /bodies of lost blocks are still wanted/,
    seeing(cachedTail, () => ({ bodies: { forget: () => undefined } }))
  ),
  mutant(
    "never gives up a branch",
    retention,
    /the applier still holds lost blocks/,
    emitting(appliedBranches, (action) => action.kind === "forget-branch" ? [] : [action])
  ),
  mutant(
    "gives up what may still win",
    retention,
    /forgets #\d+, which may still win/,
    doing(appliedBranches, (run, { core }) => ({
      applied: (ids, count, outcome, reason) => {
        run.applied(ids, count, outcome, reason)
        for (const id of ids.slice(0, count)) core.emit({ kind: "forget-branch", id })
      }
    }))
  ),
  mutant(
    "says that it needs no branches, and applies some",
    "says truly whether it needs an applier of several branches",
    /applies beside the chain, and says that it needs no branches/,
    { ...appliedBranches, needsBranches: false }
  ),
  mutant(
    "says that it needs no branches",
    "says that it needs an applier of several branches",
    /needsBranches: saw false/,
    { ...appliedBranches, needsBranches: false }
  ),
  mutant(
    "forgets that it has applied a block",
    applier,
    /applies #\d+ again/,
    doing(appliedBranches, (run) => ({
      applied: (ids, _count, _outcome, reason) => run.applied(ids, 0, "transient", reason)
    }))
  ),
  mutant(
    "takes every block for applied",
    applier,
    /applies #\d+ on #\d+, which is not applied/,
    seeing(appliedBranches, () => ({ core: { start: { appliedLevel: () => 1 } } }))
  ),
  mutant(
    "applies any number of side branches",
    "has no more side branches applied than allowed",
    /opens a further side branch at #\d+: it has \d+, 2 are allowed/,
    seeing(appliedBranches, ({ core }) => ({ core: { options: { ...core.options, maxBranches: Infinity } } }))
  )
]

/** Each with a state of its own that outlives a run. */
const runs: ReadonlyArray<StrategyMutant> = [
  {
    name: "leaves out a turn now and then",
    rejectedBy: "does the same for the same events",
    because: /what the history of seed \d+ led to, the second time: saw/,
    layer: Layer.sync(ReorganisationStrategy, () => {
      let turns = 0
      return doing(cachedTail, (run) => ({
        advance: () => {
          if (++turns % 7 > 2) run.advance()
        }
      }))
    })
  },
  {
    name: "acts on the run that began last",
    rejectedBy: "knows nothing of another run",
    because: /what the history of seed \d+ led to, beside another run: saw/,
    layer: Layer.sync(ReorganisationStrategy, () => {
      let last: ReorganisationParts | undefined
      return {
        ...cachedTail,
        make: (parts: ReorganisationParts) => {
          last = parts
          return seeing(cachedTail, () => ({ core: { emit: (action) => last?.core.emit(action) } })).make(parts)
        }
      }
    })
  }
]

/** All strategies with a fault, each with the check that must reject it. */
export const reorganisationMutants: ReadonlyArray<StrategyMutant> = [...ways, ...words, ...memory, ...retries, ...runs]
