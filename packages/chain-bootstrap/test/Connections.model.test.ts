/** Random lives of a node's connections, checked after every event against a naive account of what happened. */
import { assert, describe, it } from "@effect/vitest"
import { Random, seedsFor } from "@peerstrap/simulator"
import type { ConnectionOptions, Connections, ConnectionWish, Ending } from "../src/contract/Connections.ts"
import { connectionOptions } from "../src/engine/connections/ConnectionDefaults.ts"
import { makeConnections } from "../src/engine/connections/Connections.ts"
import { groupOf } from "../src/engine/connections/PeerGroup.ts"
import { parsePoint } from "../src/engine/connections/PointText.ts"

const ownId = "id50"

interface Account {
  readonly options: ConnectionOptions
  readonly named: ReadonlyArray<string>
  connections: Connections
  now: number
  nextPeer: number
  /** By number. */
  readonly active: Map<
    number,
    { id: string; point: string | undefined; side: "outgoing" | "incoming"; host: string | undefined; named: boolean }
  >
  readonly dials: Set<string>
  /** Not before this time, by id or point: greylisted or banned. */
  readonly refused: Map<string, number>
  /** Last time of each question, by kind and peer. */
  readonly asked: Map<string, number>
}

const optionsOf = (random: Random): ConnectionOptions => {
  const maxPeers = random.int(1, 12)
  return connectionOptions({
    maxPeers,
    minPeers: random.int(0, maxPeers),
    hungryMargin: random.int(0, maxPeers),
    reconnectLimit: random.int(0, 4),
    reconnectWindowMillis: random.pick([20_000, 200_000]),
    greylistMillis: 10_000,
    greylistLongestMillis: 50_000,
    cooldownMillis: 5000,
    maxKnownPoints: random.int(3, 25),
    maxDials: random.int(1, 6),
    maxPerGroup: random.int(1, 3)
  })
}

const pointOf = (random: Random): string =>
  random.chance(0.2)
    ? `10.0.0.${random.int(1, 9)}:9732`
    : `${random.int(20, 30)}.${random.int(0, 1)}.0.${random.int(1, 3)}:${random.int(9732, 9733)}`

/** Identities are bound to points, two points each; now and then somebody else sits there. */
const idAt = (point: string, random: Random): string => {
  if (random.chance(0.05)) return `id${random.int(0, 99)}`
  let sum = 0
  for (const char of point.slice(0, -1)) sum = (sum * 31 + char.charCodeAt(0)) % 89
  return `id${sum}`
}

const endingOf = (random: Random): Ending => {
  const message = "the end"
  const kind = random.pick(["lost", "lost", "dial-failed", "local-fault", "expected", "greylisted"] as const)
  return kind === "greylisted" ? { kind, message, longest: random.chance(0.3) } : { kind, message }
}

const inForce = (account: Account, key: string): boolean => (account.refused.get(key) ?? -Infinity) > account.now

const noteRefused = (account: Account): void => {
  account.refused.clear()
  for (const known of account.connections.known(account.now)) {
    if (known.status !== "greylisted" && known.status !== "banned") continue
    assert.isString(known.reason, "a refusal has its reason")
    if (known.point !== undefined) account.refused.set(known.point, known.restUntilMillis)
  }
}

const inner = (host: string | undefined): boolean => host?.startsWith("10.") === true

const checkWish = (account: Account, wish: ConnectionWish): void => {
  const spaced = (key: string, least: number): void => {
    const before = account.asked.get(key)
    assert.isTrue(
      before === undefined || account.now >= before + least,
      `${key} again after ${account.now - (before ?? 0)}`
    )
    account.asked.set(key, account.now)
  }
  if (wish.kind === "dial") {
    assert.isFalse(account.dials.has(wish.point), "one dial a point")
    assert.isFalse([...account.active.values()].some((peer) => peer.point === wish.point), "not where we are connected")
    assert.isFalse(inForce(account, wish.point), "not greylisted or banned")
    account.dials.add(wish.point)
  } else if (wish.kind === "resolve-names") spaced("names", 120_000)
  else {
    assert.isTrue(account.active.has(wish.peer), "asks active peers only")
    spaced(`${wish.kind} ${wish.peer}`, wish.kind === "swap" ? 65_000 : 60_000)
    if (wish.kind !== "swap") return
    const offered = [...account.active].find(([, peer]) => peer.id === wish.id && peer.point === wish.point)
    assert.isTrue(offered !== undefined && offered[0] !== wish.peer, "offers another peer of ours")
    const asked = account.active.get(wish.peer)!
    if (inner(wish.point)) assert.isTrue(inner(asked.host ?? asked.point), "no inner address to an outer peer")
  }
}

const connect = (
  account: Account,
  point: string | undefined,
  host: string,
  side: "outgoing" | "incoming",
  random: Random
): void => {
  const id = idAt(point ?? `${host}:1`, random)
  const welcome = account.connections.admits(id, host, side, account.now)
  const known = [...account.active.values()].some((peer) => peer.id === id)
  if (known) assert.strictEqual(welcome, "already-connected")
  if (welcome !== undefined || random.chance(0.1)) {
    const ending: Ending = welcome === undefined ? endingOf(random) : { kind: "expected", message: welcome }
    if (side === "outgoing" || random.chance(0.5)) {
      account.connections.attemptEnded(side === "outgoing" ? point : undefined, id, ending, account.now)
    }
    if (point !== undefined && side === "outgoing") account.dials.delete(point)
    return
  }
  const peer = account.nextPeer++
  const named = point !== undefined && account.connections.isNamed(point)
  const taken = account.connections.connected({ peer, id, point, side, named, score: random.int(1, 100) }, account.now)
  if (side === "outgoing" && point !== undefined) account.dials.delete(point)
  if (!taken) return
  assert.isFalse(known, "one connection an identity")
  assert.notStrictEqual(id, ownId)
  account.active.set(peer, { id, point, side, host, named: named || account.connections.isNamed(id) })
}

const act = (account: Account, random: Random): void => {
  const { connections } = account
  const dials = [...account.dials]
  const peers = [...account.active.keys()]
  const move = random.int(0, 9)
  if (move <= 2 && dials.length > 0) {
    const point = random.pick(dials)
    if (random.chance(0.6)) return connect(account, point, parsePoint(point)!.host, "outgoing", random)
    account.dials.delete(point)
    return connections.attemptEnded(point, random.chance(0.1) ? ownId : undefined, endingOf(random), account.now)
  }
  if (move === 3) {
    const point = random.chance(0.5) ? pointOf(random) : undefined
    const host = point === undefined ? `${random.int(20, 30)}.0.0.9` : parsePoint(point)!.host
    return connect(account, point, host, "incoming", random)
  }
  if (move <= 5 && peers.length > 0) {
    const peer = random.pick(peers)
    account.active.delete(peer)
    return connections.ended(peer, endingOf(random), account.now)
  }
  if (move === 6) {
    const source = random.pick(["advertised", "nack", "swap", "network"] as const)
    connections.addPoints(Array.from({ length: random.int(0, 9) }, () => pointOf(random)), source, account.now)
    return
  }
  if (move === 7 && peers.length > 0) return connections.setScore(random.pick(peers), random.int(1, 100))
  if (move === 8 && random.chance(0.2)) {
    connections.ban(random.chance(0.5) ? pointOf(random) : `id${random.int(0, 88)}`, "x", account.now)
  }
  if (move === 8 && random.chance(0.2)) {
    connections.unban(random.chance(0.5) ? pointOf(random) : `id${random.int(0, 88)}`, account.now)
  }
  // The adapter dials and resolves in time or not at all; long pauses let everything expire.
  account.now += random.chance(0.05) ? random.int(10_000, 100_000) : random.int(0, 2000)
}

/** After a pause in which nothing was reported, dials that were given up by the engine are so here, too. */
const forgetLateDials = (account: Account): void => {
  const dialling = new Set(
    account.connections.known(account.now).filter((known) => known.status === "dialling").map((known) => known.point)
  )
  for (const point of account.dials) if (!dialling.has(point) && !inForce(account, point)) account.dials.delete(point)
}

const checkCounted = (account: Account): void => {
  const counted = account.connections.counted().map((peer) => account.active.get(peer)!)
  assert.isTrue(counted.every((peer) => peer !== undefined), "counts active peers only")
  const incoming = counted.filter((peer) => peer.side === "incoming").length
  assert.isTrue(incoming <= counted.length - incoming, "A16: incoming ≤ outgoing")
  const groups = new Map<string, number>()
  for (const peer of counted) {
    const group = peer.named ? undefined : groupOf(peer.host)
    if (group !== undefined) groups.set(group, (groups.get(group) ?? 0) + 1)
  }
  for (const [group, size] of groups) assert.isTrue(size <= account.options.maxPerGroup, `A16: ${size} of ${group}`)
}

const checkState = (account: Account): void => {
  const { connections, options } = account
  const known = connections.known(account.now)
  const dialling = known.filter((one) => one.status === "dialling").length
  assert.strictEqual(connections.active, account.active.size)
  assert.isTrue(connections.active + dialling <= options.maxPeers, "5.12.7: connections and dials ≤ max")
  assert.isTrue(dialling <= options.maxDials)
  const points = known.filter((one) =>
    one.point !== undefined && one.status !== "greylisted" && one.status !== "banned"
  )
  assert.isTrue(points.length <= Math.max(options.maxKnownPoints, account.named.length), "A34: known points")
  for (const one of known) assert.isTrue(one.reconnects <= options.reconnectLimit, "A27: counter ≤ limit")
  for (const named of account.named) assert.isTrue(known.some((one) => one.point === named) || isOwn(account, named))
  checkCounted(account)
}

/** A named point where we met ourselves leaves the table. */
const isOwn = (account: Account, point: string): boolean =>
  account.connections.addPoints([point], "network", account.now) === 0

const checkWake = (account: Account): void => {
  const { connections, now } = account
  const at = connections.wakeAt(now)
  assert.isTrue(at > now, "no wish is left after wishes()")
  for (const before of [at - 1, Math.floor((now + at) / 2)]) {
    const then = at === Infinity ? now + 1_000_000_000 : before
    // Makes it look again instead of relying on the time it told.
    connections.addPoints([], "network", now)
    assert.deepStrictEqual(connections.wishes(then), [], `nothing before wakeAt, ${at - now} ms away`)
  }
}

const checkRestored = (account: Account): void => {
  const random = Random.make("restored")
  const text = account.connections.save()
  const seeds = { random: () => random.float(), ownId, named: account.named }
  const again = makeConnections(account.options, seeds)
  assert.strictEqual(again.restore(text, account.now).problem, undefined)
  const before = account.connections.known(account.now)
  const after = again.known(account.now)
  for (const one of before) {
    if (one.status === "banned" || one.status === "greylisted") {
      const same = after.find((other) => other.point === one.point && (one.point !== undefined || other.id === one.id))
      // An id that was only claimed for a point is not kept with it, but stays refused.
      if (same?.status === one.status) assert.isTrue(one.restUntilMillis >= same.restUntilMillis)
      if (one.id !== undefined && one.point === undefined) assert.strictEqual(same?.status, one.status)
      if (one.id !== undefined) {
        const admits = account.connections.admits(one.id, "9.9.9.9", "incoming", account.now)
        if (admits === "banned") assert.strictEqual(again.admits(one.id, "9.9.9.9", "incoming", account.now), "banned")
        else if (admits === undefined) {
          account.connections.attemptEnded(undefined, one.id, { kind: "expected", message: "" }, account.now)
        }
      }
    }
    const same = after.find((other) => other.point !== undefined && other.point === one.point && other.id === one.id)
    if (same !== undefined) assert.strictEqual(same.reconnects, one.reconnects, "A27: counters are kept")
  }
}

const run = (seed: number, steps: number): void => {
  const random = Random.make(seed)
  const options = optionsOf(random)
  const named = Array.from({ length: random.int(0, 3) }, (_, i) => `${40 + i}.1.1.1:9732`)
  const draws = random.fork("draws")
  const connections = makeConnections(options, { random: () => draws.float(), ownId, named })
  const account: Account = {
    options,
    named,
    connections,
    now: 1_000_000,
    nextPeer: 1,
    active: new Map(),
    dials: new Set(),
    refused: new Map(),
    asked: new Map()
  }
  for (let step = 0; step < steps; step++) {
    act(account, random)
    noteRefused(account)
    forgetLateDials(account)
    for (
      let wishes = connections.wishes(account.now), rounds = 0;
      wishes.length > 0;
      wishes = connections.wishes(account.now)
    ) {
      assert.isBelow(rounds++, 20, "wishes come to an end")
      for (const wish of wishes) checkWish(account, wish)
    }
    checkState(account)
    checkWake(account)
    if (step % 50 === 0) checkRestored(account)
  }
}

describe("connections, random lives", () => {
  const name = "chain-bootstrap connections"
  for (const seed of seedsFor(name, 40)) {
    it(`5.12.7, A16, A27, A29, A34: seed ${seed}`, () => {
      try {
        run(seed, 300)
      } catch (cause) {
        const replay = `PEERSTRAP_SEED=${seed} npx vitest run test/Connections.model.test.ts`
        throw new Error(`seed ${seed}, replay: ${replay}\n${String(cause)}`, { cause })
      }
    })
  }
})
