/**
 * A small engine around a strategy: a tree of headers, a quorum that moves about in it, an applier that takes its time, all by seed. It knows by naive
 * means what the strategy may do, and stops at the first thing that it may not: a `LawBroken`.
 */
import type { BlockId, HeaderFacts } from "../../contract/Block.ts"
import type { SyncAction, SyncNotice } from "../../contract/ChainSync.ts"
import type {
  Reorganisation,
  ReorganisationParts,
  ReorganisationStrategyService
} from "../../contract/Reorganisation.ts"
import {
  finalityLevels,
  LawBroken,
  maxBranches,
  maxReorgDepth,
  refOf,
  retryTimers,
  show,
  stepMillis,
  type WorldOptions,
  WorldState
} from "./WorldState.ts"

type Move = Extract<SyncAction, { readonly kind: "rollback" | "switch" }>
type InHand = Move | Extract<SyncAction, { readonly kind: "apply" }>

export class ReorganisationWorld extends WorldState {
  private readonly service: ReorganisationStrategyService
  private readonly strategy: Reorganisation
  private recorded: string | undefined
  private told: Array<Extract<SyncNotice, { readonly kind: "reorganised" }>> = []
  private isMoving = false
  /** When the strategy wants a turn at the latest. */
  private wakeMillis = Infinity
  private readonly hands: Array<InHand> = []
  protected readonly core: ReorganisationParts["core"]

  constructor(service: ReorganisationStrategyService, options: WorldOptions) {
    super(options)
    this.service = service
    this.core = this.makeCore(this.tree.at(this.frontier))
    this.strategy = service.make(this.parts())
  }

  /** One thing happens, and the strategy has its turn. */
  step(): void {
    if (this.halted !== undefined) return
    this.pass(stepMillis)
    const event = this.random.int(1, 20)
    if (event <= 5) this.grow()
    else if (event <= 9) this.moveQuorum()
    else if (event <= 14) this.bodyComes()
    else if (event <= 19) this.applierEnds(true)
    else this.finalise(this.core.head.level - finalityLevels)
    this.settle()
  }

  /** Nothing new comes: all that is under way ends, where the quorum is. */
  end(): void {
    if (this.halted !== undefined) return
    this.quorum = this.heaviest()
    this.dirty = true
    for (let turn = 0; turn < 400; turn++) {
      this.settle()
      if (this.halted !== undefined) return
      this.bodiesCome()
      const isIdle = !this.applierEnds(false) && !this.dirty && this.hands.length === 0
      if (isIdle && this.wakeMillis === Infinity && turn > 40) break
      // Nobody looks again before something happens, or before the time that was asked for.
      if (!isIdle) this.pass(stepMillis)
      else if (this.wakeMillis < Infinity) this.pass(this.wakeMillis - this.core.now)
    }
    const { head } = this.core
    this.must(
      "end",
      head.id === this.quorum,
      () => `ends at ${show(head.id)} of level ${head.level}, the quorum is at ${show(this.quorum ?? "")}`
    )
    this.must("end", !this.strategy.busy, () => "is busy though there is nothing to do")
    this.finalise(head.level)
    for (let turn = 0; turn < 3; turn++) this.settle()
    const left = [...this.wanted.keys()].map(show)
    this.must("retention", left.length === 0, () => `bodies of lost blocks are still wanted: ${left.join(", ")}`)
    const kept = [...this.side].map(show)
    this.must("retention", kept.length === 0, () => `the applier still holds lost blocks: ${kept.join(", ")}`)
  }

  private pass(millis: number): void {
    Object.assign(this.core, { now: this.core.now + millis })
  }

  private makeCore(top: HeaderFacts): ReorganisationParts["core"] {
    const baseLevel = (): number => this.baseLevel
    const ours = (id: BlockId): number | undefined => {
      const level = this.facts.get(id)?.level
      return level !== undefined && this.chainAt(level) === id ? level : undefined
    }
    return {
      now: 0,
      head: refOf(top),
      headFacts: top,
      facts: this.facts,
      dag: {
        get baseLevel() {
          return baseLevel()
        },
        find: (id) => {
          const text = Buffer.from(id).toString("hex")
          return (this.facts.get(text)?.level ?? 0) > this.baseLevel ? Number.parseInt(text, 16) : -1
        }
      },
      options: { maxBranches, maxReorgDepth, timers: retryTimers },
      start: {
        appliedLevel: (id) => {
          const level = this.facts.get(id)?.level ?? -1
          return this.applied[level] === id ? level : undefined
        }
      },
      chosen: {
        cutAbove: (level) => {
          const from = Math.max(0, level + 1 - this.applied.length)
          const cut = this.chosen.splice(from)
          const lowest = cut.length === 0 ? Infinity : this.applied.length + from
          this.must(
            "idle",
            this.isMoving || lowest > this.committed,
            () => `takes back chosen blocks from level ${lowest} on, which the applier has up to ${this.committed}`
          )
          return cut
        },
        reset: (head) => {
          this.chosen = []
          this.must(
            "path",
            head.id === this.applied.at(-1),
            () => `goes on above ${show(head.id)}, the applier is at ${show(this.applied.at(-1)!)}`
          )
        }
      },
      counters: { reorganisations: 0 },
      chainAt: (level) => this.chainAt(level),
      chainLevel: ours,
      emit: (action) => this.emit(action),
      notice: (notice) => {
        this.log.push(`notice ${notice.kind}`)
        if (notice.kind === "reorganised") this.told.push(notice)
      },
      wakeBy: (millis) => {
        this.wakeMillis = Math.min(this.wakeMillis, millis)
      },
      show,
      idBytes: (id) => Buffer.from(id, "hex")
    }
  }

  private parts(): ReorganisationParts {
    const inFlight = (): number => this.batches
    const committedLevel = (): number => this.committed
    const isPaused = (): boolean => this.paused
    const pause = (paused: boolean): void => {
      this.paused = paused
    }
    return {
      core: this.core,
      gate: {
        stands: (rival) => this.stands(rival),
        choose: (ids) => {
          const parent = this.tree.all.get(ids[0] ?? "")?.parent
          this.must("path", parent === this.frontier, () => `chooses ${ids.map(show).join()} on ${show(this.frontier)}`)
          this.choose(ids)
        },
        record: (ids, base, top) => {
          this.recorded = [...ids, base.id, top].join()
        },
        restart: () => {
          this.dirty = true
        }
      },
      apply: {
        get inFlight() {
          return inFlight()
        },
        get committedLevel() {
          return committedLevel()
        },
        get paused() {
          return isPaused()
        },
        set paused(paused) {
          pause(paused)
        },
        cutAbove: () => undefined,
        moved: () => {
          this.given = this.core.head.level
          this.paused = false
        }
      },
      bodies: {
        want: (ids) => {
          for (const id of ids) if (!this.wanted.has(id)) this.wanted.set(id, false)
        },
        complete: (id) => this.wanted.get(id) ?? false,
        forget: (id) => void this.wanted.delete(id)
      },
      deviations: {
        halt: (reason) => {
          const depth = this.rival === undefined ? 0 : this.core.head.level - this.rival.forkLevel
          this.must("depth", depth > maxReorgDepth, () => `halts for a chain that leaves ours ${depth} levels below`)
          this.halted = reason
          this.log.push("halt")
        }
      }
    }
  }

  private settle(): void {
    this.wakeMillis = Infinity
    for (let round = 0; this.dirty && round < 8; round++) {
      this.dirty = false
      this.rival = this.look()
      this.strategy.consider(this.rival)
      if (this.halted !== undefined) return
    }
    this.give()
    this.strategy.advance()
    if (this.halted === undefined) this.looksRight()
  }

  /** What must be so whenever the strategy has had its turn. */
  private looksRight(): void {
    const { rival, strategy } = this
    const isPending = rival !== undefined && !this.hands.some(({ kind }) => kind === "rollback" || kind === "switch") &&
      rival.forkLevel < this.committed
    const depth = rival === undefined ? 0 : this.core.head.level - rival.forkLevel
    this.must(
      "depth",
      !isPending || depth <= maxReorgDepth,
      () => `follows a chain that leaves ours ${depth} levels below`
    )
    this.must("pause", !isPending || this.paused, () => "the applier is given more while a switch is prepared")
    this.must("pause", strategy.busy || !this.paused, () => "the applier stays paused though nothing is prepared")
    const waits = strategy.waits()
    const isNamed = waits.some(({ subject }) => subject.includes(show(rival?.top.id ?? "")))
    this.must("waits", !isPending || isNamed, () => `says nothing of the switch to ${show(rival?.top.id ?? "")}`)
    const tellsFailure = [...this.failed.keys()].some((id) => waits[0]?.subject.includes(show(id)))
    this.must(
      "waits",
      strategy.busy || waits.length === 0 || tellsFailure,
      () => `says that it waits: ${waits[0]?.subject}`
    )
    const late = waits.some(({ sinceMillis }) => sinceMillis > this.core.now)
    this.must("waits", !late, () => "waits since a time that is to come")
  }

  /** The engine's own order of applying: the next chosen blocks, unless it is paused. */
  private give(): void {
    const next = this.chosen.slice(this.given + 1 - this.applied.length).slice(0, this.random.int(1, 3))
    if (this.paused || this.batches > 0 || next.length === 0) return
    this.batches++
    const blocks = next.map((id) => this.tree.at(id))
    this.given += blocks.length
    this.hands.push({ kind: "apply", blocks, firstLevel: blocks[0]!.level, branch: "head" })
  }

  private emit(action: SyncAction): void {
    switch (action.kind) {
      case "rollback":
      case "switch":
        this.log.push(`${action.kind} ${show(action.to.id)}`)
        this.mayMove(action)
        this.hands.push(action)
        return
      case "apply":
        this.log.push(`apply ${action.blocks.map(({ id }) => show(id)).join()}`)
        this.mayApply(action.blocks)
        this.hands.push(action)
        return
      case "forget-branch":
        this.log.push(`forget ${show(action.id)}`)
        this.must("retention", this.side.has(action.id), () => `forgets ${show(action.id)}, which the applier has not`)
        this.must("retention", !this.isPending(action.id), () => `forgets ${show(action.id)}, which may still win`)
        this.side.delete(action.id)
        return
      default:
        this.log.push(action.kind)
    }
  }

  private mayMove(action: Move): void {
    const { rival } = this
    if (rival === undefined || !this.stands(rival)) {
      throw new LawBroken("quorum", `a ${action.kind} to ${show(action.to.id)} with no quorum behind it`)
    }
    this.must("idle", this.hands.length === 0, () => `a ${action.kind} while the applier has something in hand`)
    const fork = this.tree.fork(this.core.head.id, rival.top.id)
    const depth = this.core.head.level - fork.level
    this.must("depth", depth <= maxReorgDepth, () => `a ${action.kind} ${depth} levels deep`)
    const to = action.kind === "rollback" ? action.to : action.fork
    this.must(
      "fork",
      to.id === fork.id && to.level === fork.level,
      () =>
        `leaves our chain at ${show(to.id)} of level ${to.level}, the fork is ${show(fork.id)} of level ${fork.level}`
    )
    const missing = rival.ids.filter((id) =>
      action.kind === "rollback" ? this.wanted.get(id) !== true : !this.side.has(id)
    )
    this.must("ready", missing.length === 0, () => `a ${action.kind} while ${missing.map(show).join()} is missing`)
    if (action.kind === "rollback") return
    this.must("declared", this.service.needsBranches, () => "switches branches, and says that it needs none")
    const path = this.tree.path(fork.level, rival.top.id)
    this.must(
      "path",
      action.to.id === rival.top.id && action.ids.join() === path.join(),
      () => `switches along ${action.ids.map(show).join()}, the way is ${path.map(show).join()}`
    )
    const record = [...path, fork.id, Number.parseInt(rival.top.id, 16)].join()
    this.must("path", this.recorded === record, () => "switches to a branch that is not recorded as chosen")
    this.recorded = undefined
  }

  private mayApply(blocks: ReadonlyArray<HeaderFacts>): void {
    this.must(
      "declared",
      this.service.needsBranches,
      () => "applies beside the chain, and says that it needs no branches"
    )
    for (const { id, parent } of blocks) {
      const has = (block: BlockId): boolean =>
        this.side.has(block) || this.applied.includes(block) ||
        this.hands.some((action) => action.kind === "apply" && action.blocks.some((one) => one.id === block))
      this.must("applier", !has(id), () => `applies ${show(id)} again`)
      this.must("applier", has(parent), () => `applies ${show(id)} on ${show(parent)}, which is not applied`)
      this.must("applier", !this.invalid.has(id), () => `applies ${show(id)} again, which is invalid`)
      this.must("ready", this.wanted.get(id) === true, () => `applies ${show(id)} without its body`)
      this.must("applier", this.isPending(id), () => `applies ${show(id)}, which has lost`)
      this.mayTry(id)
      this.mayBranch(id, parent)
    }
  }

  /** Not at once after the applier could not take it, and later each time. */
  private mayTry(id: BlockId): void {
    const before = this.failed.get(id)
    if (before === undefined) return
    const { applyRetry, applyRetryLongest } = retryTimers
    const restMillis = Math.min(applyRetryLongest, applyRetry * 2 ** (before.times - 1))
    const sinceMillis = this.core.now - before.atMillis
    this.must(
      "retry",
      sinceMillis >= restMillis,
      () => `tries ${show(id)} again after ${sinceMillis} ms, it failed ${before.times} times`
    )
  }

  /** As many side branches as are allowed, and those that were a rival's or our own chain once. */
  private mayBranch(id: BlockId, parent: BlockId): void {
    const side = [...this.side]
    const tips = side.filter((one) => !side.some((other) => this.tree.at(other).parent === one))
    const opens = !tips.includes(parent) && !(this.rival?.ids.includes(id) ?? false)
    this.must(
      "branches",
      !opens || tips.length < maxBranches,
      () => `opens a further side branch at ${show(id)}: it has ${tips.length}, ${maxBranches} are allowed`
    )
  }

  /** The applier has done what it was given first; whether there was anything. */
  private applierEnds(mayFail: boolean): boolean {
    const action = this.hands.shift()
    if (action === undefined) return false
    if (action.kind !== "apply") this.move(action)
    else if (action.branch === "side") this.sideApplied(action.blocks, mayFail)
    else this.headApplied(action.blocks, mayFail && this.random.oneIn(6))
    return true
  }

  private headApplied(blocks: ReadonlyArray<HeaderFacts>, fails: boolean): void {
    this.batches--
    this.dirty = true
    if (fails) {
      this.given = this.core.head.level
      return
    }
    for (const facts of blocks) {
      this.applied.push(facts.id)
      this.chosen.shift()
      this.wanted.delete(facts.id)
      this.core.head = refOf(facts)
      this.core.headFacts = facts
    }
  }

  private sideApplied(blocks: ReadonlyArray<HeaderFacts>, mayFail: boolean): void {
    const ids = blocks.map(({ id }) => id)
    const isQuorums = ids.some((id) => this.quorum !== undefined && this.tree.descends(this.quorum, id))
    if (mayFail && this.random.oneIn(6)) {
      const outcome = !isQuorums && this.random.oneIn(2) ? "invalid" : "transient"
      for (const id of ids) {
        if (outcome === "invalid") this.invalid.add(id)
        else this.failed.set(id, { times: (this.failed.get(id)?.times ?? 0) + 1, atMillis: this.core.now })
      }
      return this.strategy.applied(ids, 0, outcome, "told so")
    }
    for (const id of ids) {
      this.side.add(id)
      this.failed.delete(id)
    }
    this.strategy.applied(ids, ids.length, "ok", "")
  }

  private move(action: Move): void {
    const from = this.core.head
    const fork = action.kind === "rollback" ? action.to : action.fork
    const left = this.applied.splice(fork.level + 1)
    if (action.kind === "switch") {
      for (const id of left) this.side.add(id)
      for (const id of action.ids) this.side.delete(id)
      this.applied.push(...action.ids)
    }
    this.moves++
    this.told = []
    this.isMoving = true
    this.strategy.moved(action.to)
    this.isMoving = false
    this.must(
      "path",
      this.core.head.id === action.to.id && this.core.headFacts?.id === action.to.id,
      () => `stands at ${show(this.core.head.id)}, the applier at ${show(action.to.id)}`
    )
    const [notice] = this.told
    this.must(
      "notice",
      this.told.length === 1 && this.core.counters.reorganisations === this.moves,
      () =>
        `${this.moves} moves, ${this.told.length} notices of the last one, ${this.core.counters.reorganisations} counted`
    )
    this.must("notice", notice?.strategy === this.service.name, () => `a notice of ${notice?.strategy}`)
    this.must(
      "notice",
      notice?.fork.id === fork.id && notice.from.id === from.id,
      () => `a notice that leaves ${show(notice?.from.id ?? "")} at ${show(notice?.fork.id ?? "")}`
    )
  }

  /** Blocks up to a level are final: what does not build on ours is gone. */
  private finalise(level: number): void {
    if (level <= this.baseLevel || this.strategy.busy) return
    this.baseLevel = level
    const base = this.applied[level]!
    for (const id of this.facts.keys()) {
      const isOurs = this.tree.at(id).level <= level
        ? this.applied[this.tree.at(id).level] === id
        : this.tree.descends(id, base)
      if (!isOurs) this.facts.delete(id)
    }
    if (this.quorum !== undefined && !this.facts.has(this.quorum)) this.quorum = undefined
    this.dirty = true
  }
}

/** A whole history; throws the first law that is broken. Returns the world as it is then. */
export const playHistory = (service: ReorganisationStrategyService, options: WorldOptions): ReorganisationWorld => {
  const world = new ReorganisationWorld(service, options)
  for (let step = 0; step < 150; step++) world.step()
  world.end()
  return world
}
