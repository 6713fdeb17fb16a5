/** Rules of what is asked: of whom, how often, how much, and never what is there already (specs: chain bootstrap 5.7.2, 5.12 6, 11, 12). */
import type { BlockId } from "../../contract/Block.ts"
import type { Answer, Request } from "../../contract/PeerMessage.ts"
import type { ChainWorld } from "./ChainWorld.ts"

interface Item {
  lastMillis: number
  /** Sends since the peer's last branch or answer. */
  sends: number
  answered: boolean
}

interface Conversation {
  readonly lastMillis: Map<string, number>
  readonly items: Map<string, Item>
}

export class RequestWatch {
  private readonly world: ChainWorld
  private readonly fail: (message: string) => never
  private readonly talks = new Map<number, Conversation>()
  /** Units that the store was given since the start: durable, or about to be. */
  private readonly given = new Set<string>()

  constructor(world: ChainWorld, fail: (message: string) => never) {
    this.world = world
    this.fail = fail
  }

  crashed(): void {
    this.talks.clear()
    this.given.clear()
  }

  /** The store was given a unit. */
  stores(block: BlockId, unit: number): void {
    const key = `${block}/${unit}`
    if (this.given.has(key)) this.fail(`unit ${unit} of ${block} is stored twice`)
    this.given.add(key)
  }

  connected(peer: number): void {
    this.talks.set(peer, { lastMillis: new Map(), items: new Map() })
  }

  answered(peer: number, answer: Answer): void {
    const talk = this.talks.get(peer)
    if (talk === undefined) return
    if (answer.kind === "branch") { for (const item of talk.items.values()) item.sends = 0 }
    const key = answer.kind === "header"
      ? answer.header.id
      : answer.kind === "unit"
      ? `${answer.block}/${answer.unit}`
      : undefined
    const item = key === undefined ? undefined : talk.items.get(key)
    if (item === undefined) return
    item.answered = true
    item.sends = 0
  }

  asked(peer: number, request: Request): void {
    const talk = this.talks.get(peer)!
    this.spacing(talk, request.kind)
    if (request.kind === "get-headers") {
      this.list(request.ids)
      for (const id of request.ids) this.item(talk, peer, id, this.world.spec.options.timers.header)
    } else if (request.kind === "get-units") {
      const { items } = request
      this.list(items.map(({ block, unit }) => `${block}/${unit}`))
      for (const { block, unit } of items) {
        if (((this.world.store.units.get(block) ?? 0) & (1 << unit)) !== 0) {
          this.fail(`unit ${unit} of ${block} is asked of ${peer} though it is stored`)
        }
        if (this.given.has(`${block}/${unit}`)) {
          this.fail(`unit ${unit} of ${block} is asked of ${peer} though it has arrived`)
        }
        this.item(talk, peer, `${block}/${unit}`, this.world.spec.options.timers.unit)
      }
    }
  }

  private spacing(talk: Conversation, kind: Request["kind"]): void {
    const { rules, now, spec } = this.world
    const least = {
      "get-branch": Math.max(rules.spacingMillis.branch, spec.options.timers.branchSpacing),
      "get-head": rules.spacingMillis.head,
      "get-ancestor": rules.spacingMillis.ancestor,
      "get-peers": rules.spacingMillis.peers,
      "swap-request": rules.spacingMillis.swap,
      "get-headers": 0,
      "get-units": 0
    }[kind]
    const last = talk.lastMillis.get(kind)
    if (last !== undefined && now - last < least - 0.01) this.fail(`${kind} again after ${now - last} ms`)
    talk.lastMillis.set(kind, now)
  }

  private list(keys: ReadonlyArray<string>): void {
    if (keys.length === 0) this.fail("an empty request")
    if (keys.length > this.world.rules.itemsPerRequest) this.fail(`${keys.length} items in a request`)
    if (new Set(keys).size !== keys.length) this.fail("an item twice in a request")
  }

  private item(talk: Conversation, peer: number, key: string, timerMillis: number): void {
    const { now, spec } = this.world
    const { doNotAskAfter, timers } = spec.options
    const item = talk.items.get(key) ?? { lastMillis: -Infinity, sends: 0, answered: false }
    if (!item.answered && now - item.lastMillis < timerMillis - 0.01 && !this.world.watch.choices.rearranged) {
      this.fail(`${key} asked of ${peer} again after ${now - item.lastMillis} ms without an answer`)
    }
    if (item.answered && now - item.lastMillis < timers.targetLifetime && !this.world.watch.choices.rearranged) {
      this.fail(`${key} asked of ${peer} again, which has answered`)
    }
    if (now - item.lastMillis > timers.doNotAsk) item.sends = 0
    if (++item.sends > doNotAskAfter) this.fail(`${key} asked of ${peer} for the ${item.sends}th time`)
    item.lastMillis = now
    item.answered = false
    talk.items.set(key, item)
  }
}
