/** What holds after every event (specs: chain bootstrap 5.12), as far as it can be seen from outside. */
import { assert } from "@effect/vitest"
import type { HeaderFacts } from "../../src/contract/Block.ts"
import type { SyncAction } from "../../src/contract/ChainSync.ts"
import type { Request } from "../../src/contract/PeerMessage.ts"
import type { World } from "./driver.ts"

interface Connection {
  /** Times at which an item was asked, since the last branch. */
  readonly sends: Map<string, Array<number>>
  readonly lastAt: Map<string, number>
}

const spacedKind = {
  "get-branch": "branch",
  "get-head": "head",
  "get-ancestor": "ancestor",
  "get-peers": "peers",
  "swap-request": "swap"
} as const

export class Invariants {
  private readonly world: World
  private readonly connections = new Map<number, Connection>()
  private readonly chosen: Set<string>
  private given: HeaderFacts | undefined
  private moving = false
  private headWeight: Uint8Array | undefined

  constructor(world: World, chosen: ReadonlyArray<string>) {
    this.world = world
    this.chosen = new Set(chosen)
  }

  before(action: SyncAction): void {
    switch (action.kind) {
      case "send":
        for (const request of action.requests) this.request(action.peer, request)
        return
      case "disconnect":
        this.connections.delete(action.peer)
        return
      case "store-segment":
        for (const id of action.ids) this.chosen.add(id)
        return
      case "apply":
        return this.apply(action.blocks, action.branch)
      case "rollback":
      case "switch":
        this.given = undefined
        this.moving = true
        return
      case "notice":
        if (action.notice.kind === "segment") {
          const { electorate, fromLevel, supporters, toLevel } = action.notice
          assert.isAbove(3 * supporters, 2 * electorate, "5.12.3: a segment without quorum")
          assert.isAtLeast(supporters, this.world.options.minQuorumPeers, "5.12.3: too few supporters")
          assert.isAtLeast(toLevel, fromLevel, "5.12.14: a segment raises the head")
        }
        return
    }
  }

  /** A new branch gives every item another chance. */
  heard(number: number): void {
    this.connections.get(number)?.sends.clear()
  }

  private request(number: number, request: Request): void {
    const { options, rules, now } = this.world
    assert.isTrue(this.world.peers.some((peer) => peer.number === number), "5.12.7: asks a peer that is not there")
    const connection = this.connections.get(number) ?? { sends: new Map(), lastAt: new Map() }
    this.connections.set(number, connection)
    if (request.kind === "get-headers" || request.kind === "get-units") {
      const keys = request.kind === "get-headers"
        ? request.ids
        : request.items.map(({ block, unit }) => `${block}/${unit}`)
      assert.isAtLeast(keys.length, 1)
      assert.isAtMost(keys.length, rules.itemsPerRequest, "items of a request")
      assert.strictEqual(new Set(keys).size, keys.length, "an item twice in one request")
      for (const key of keys) this.item(connection, key)
      return
    }
    const kind = spacedKind[request.kind]
    const before = connection.lastAt.get(kind)
    if (before !== undefined) assert.isAtLeast(now - before, rules.spacingMillis[kind], `5.12.12: spacing of ${kind}`)
    connection.lastAt.set(kind, now)
    assert.isBelow(this.world.engine.wakeAt(), now + 1 + Math.max(options.timers.stuck, options.timers.silence))
  }

  /** No more sends of one item to one peer than the limit, until a new branch or the time is over. */
  private item(connection: Connection, key: string): void {
    const { now, options } = this.world
    const sends = (connection.sends.get(key) ?? []).filter((at) => at > now - options.timers.doNotAsk)
    sends.push(now)
    connection.sends.set(key, sends)
    assert.isAtMost(sends.length, options.doNotAskAfter, `5.12.6: ${key} asked too often of one peer`)
  }

  private apply(blocks: ReadonlyArray<HeaderFacts>, branch: "head" | "side"): void {
    for (const block of blocks) {
      const held = this.world.held.get(block.id) ?? 0
      assert.strictEqual(held, 2 ** block.units - 1, `5.12.2: level ${block.level} applied without its body`)
      if (branch === "side") continue
      assert.isTrue(this.chosen.has(block.id), `5.12.2: level ${block.level} applied without a chosen segment`)
      if (this.given !== undefined && block.level === this.given.level + 1) {
        assert.strictEqual(block.parent, this.given.id, "5.12.2: applied blocks link")
      }
      this.given = block
    }
  }

  check(): void {
    const { engine, options, world } = { engine: this.world.engine, options: this.world.options, world: this.world }
    const snapshot = engine.snapshot(world.now)
    assert.isAtMost(snapshot.peers.length, options.connections.maxPeers, "5.12.7: connections")
    for (const peer of snapshot.peers) {
      assert.isTrue(Number.isInteger(peer.score) && peer.score <= 100, `5.12.8: score ${peer.score}`)
      assert.isAbove(peer.score, 0, "5.12.8: a peer at score 0 stays connected")
      const known = snapshot.known.find(({ id }) => id === peer.id)
      assert.isFalse(known?.status === "banned" || known?.status === "greylisted", "5.12.7: an unwelcome peer")
    }
    assert.isAtMost(snapshot.pendingHeaders, options.maxPendingHeaders, "5.12.13: pending headers")
    assert.isAtLeast(snapshot.chosen.level, snapshot.head.level)
    if (snapshot.peers.some(({ outstanding }) => outstanding > 0) && world.finish === undefined) {
      assert.isBelow(engine.wakeAt(), Infinity, "5.12.11: a request without a timer")
    }
    this.headRises()
  }

  /** The head's weight falls only while a reorganisation goes on, and is above the old one after it. */
  private headRises(): void {
    const facts = this.world.engine.headHeader
    if (facts === undefined) return
    const heavier = this.headWeight === undefined ||
      this.world.rules.compareWeight(facts.weight, this.headWeight) > 0
    if (heavier) {
      this.headWeight = facts.weight
      this.moving = false
    } else if (!this.moving) {
      assert.deepStrictEqual(facts.weight, this.headWeight, "5.12.1: the head's weight fell")
    }
  }
}
