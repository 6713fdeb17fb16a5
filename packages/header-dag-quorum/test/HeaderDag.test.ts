import { assert, describe, it } from "@effect/vitest"
import { type HeaderDag, HeaderDagLimits, type HeaderDagOptions, makeHeaderDag } from "@peerstrap/header-dag-quorum"
import { diceOf, historyOf, historyOptions, idNumber } from "@peerstrap/header-dag-quorum/testing"

const wide = (n: number): Uint8Array => Uint8Array.of(n & 255, (n >>> 8) & 255, n >>> 16, 7)

const options = (more: Partial<HeaderDagOptions> = {}): HeaderDagOptions => ({
  idBytes: 4,
  maxPeers: 40,
  maxNodes: 250_000,
  maxUnprovenPerPeer: 250_000,
  base: { id: wide(0), level: 0 },
  ...more
})

const depth = 200_000

/** Everything that walks a chain, on one of 200,000 headers. */
const walkDeepChain = (order: "from below" | "from above" | "shuffled"): HeaderDag => {
  const dag = makeHeaderDag(options())
  for (const peer of [0, 1, 2]) dag.setElector(peer, depth)
  dag.claim(0, wide(depth))
  const levels = Array.from({ length: depth }, (_, n) => order === "from above" ? depth - n : n + 1)
  if (order === "shuffled") {
    const dice = diceOf(1)
    for (let n = depth - 1; n > 0; n--) {
      const other = dice(n + 1)
      const held = levels[n]!
      levels[n] = levels[other]!
      levels[other] = held
    }
  }
  for (const [n, level] of levels.entries()) {
    dag.insert(wide(level), wide(level - 1), level, 0)
    if (n % 1000 === 0) dag.lowestAncestor(dag.find(wide(level)))
  }
  dag.claim(1, wide(depth))
  dag.claim(2, wide(depth))
  return dag
}

describe("chains of 200,000 headers", () => {
  for (const order of ["from below", "from above", "shuffled"] as const) {
    it(`inserted ${order} are linked, counted, pruned and removed without recursion (R86)`, () => {
      const dag = walkDeepChain(order)
      const top = dag.find(wide(depth))
      assert.isTrue(dag.connected(top))
      assert.strictEqual(dag.highestQuorum(Infinity), top)
      assert.strictEqual(dag.levelOf(dag.highestQuorum(8192)), 8192)
      assert.strictEqual(dag.segment(top).count, depth)
      assert.deepStrictEqual(dag.evidence(top).runs.map((run) => [run.fromLevel, run.toLevel]), [[1, depth]])
      dag.clearClaims(2)
      assert.strictEqual(dag.highestQuorum(Infinity), -1)
      dag.claim(2, wide(depth))
      dag.prune(dag.highestQuorum(8192))
      assert.strictEqual(dag.unprovenOf(0), depth - 8192)
      dag.advanceBase(dag.highestQuorum(8192))
      assert.strictEqual(dag.headers, depth - 8192)
      assert.strictEqual(dag.removeSubtree(dag.find(wide(8193))).length, depth - 8192)
      assert.strictEqual(dag.nodes, 1)
    }, 30_000)
  }
})

const historyWithHash = (hashSeed: number): string => {
  const dag = makeHeaderDag({ ...historyOptions(7), hashSeed })
  return JSON.stringify(historyOf(7).map((step) => [step.apply(dag), dag.headers, dag.highestQuorum(9)]))
}

describe("the packed header DAG", () => {
  it("uses removed nodes again: it stays within maxNodes for ever (A34)", () => {
    const dag = makeHeaderDag(options({ maxNodes: 8, maxUnprovenPerPeer: 7 }))
    for (let round = 1; round <= 1000; round++) {
      const from = 3 * round
      for (const n of [2, 0, 1]) {
        assert.strictEqual(dag.insert(wide(from + n), wide(n === 0 ? 0 : from + n - 1), n + 1, 1).outcome, "added")
        assert.isBelow(dag.find(wide(from + n)), 8)
      }
      dag.removeSubtree(dag.find(wide(from)))
      assert.deepStrictEqual([dag.nodes, dag.headers, dag.unprovenOf(1)], [1, 0, 0])
    }
  })

  it("finds ids whatever the hash seed, among thousands and after removals", () => {
    for (const hashSeed of [0, 1, -5]) {
      const dag = makeHeaderDag(options({ hashSeed, maxNamedPerPeer: 6000 }))
      for (let n = 1; n <= 6000; n++) dag.claim(n % 2, wide(n))
      dag.clearClaims(1)
      for (let n = 1; n <= 6000; n++) {
        const node = dag.find(wide(n))
        assert.strictEqual(node >= 0, n % 2 === 0)
        if (node >= 0) assert.deepStrictEqual(dag.idOf(node), wide(n))
      }
    }
  })

  it("answers the same whatever the hash seed", () => {
    assert.strictEqual(historyWithHash(1), historyWithHash(2))
  })

  it("puts all headers with quorum on one chain, however many lie (A12, A16, 5.12, 5)", () => {
    const dice = diceOf(3)
    let quorums = 0
    let conflicts = 0
    for (let round = 0; round < 600; round++) {
      const dag = makeHeaderDag({ ...options(), minSupporters: 1, base: { id: idNumber(0), level: 0 } })
      const electors = 3 + dice(6)
      for (let peer = 0; peer < electors; peer++) dag.setElector(peer, dice(8))
      // Three headers a level, each on any of the level below.
      for (let n = 1; n <= 12; n++) {
        const level = Math.ceil(n / 3)
        dag.insert(idNumber(n), idNumber(level === 1 ? 0 : 3 * (level - 2) + 1 + dice(3)), level, -1)
      }
      const liars = dice(electors + 1)
      for (let peer = 0; peer < electors; peer++) {
        dag.claim(peer, idNumber(round % 2 === 0 && peer >= liars ? 10 : 1 + dice(12)))
        if (peer < liars) dag.claim(peer, idNumber(1 + dice(12)))
        for (let n = 0; n < round % 4; n++) dag.reply(peer, idNumber(1 + dice(12)))
      }
      const nodes = Array.from({ length: 12 }, (_, n) => dag.find(idNumber(n + 1)))
      const chosen = nodes.filter((node) => dag.quorum(node).rule !== undefined)
      const highest = dag.highestQuorum(Infinity)
      const chain = new Set(highest < 0 ? [] : dag.segment(highest).nodes)
      assert.deepStrictEqual(chosen.filter((node) => !chain.has(node)), [], `round ${round}`)
      quorums += chosen.length
      conflicts += chosen.filter((node) => dag.quorum(node).conflict).length
    }
    assert.isAbove(quorums, 500)
    assert.isAbove(conflicts, 100)
  })

  it("begins with an id of zeros at level 0 unless told", () => {
    const dag = makeHeaderDag({ idBytes: 3, maxPeers: 1, maxNodes: 2, maxUnprovenPerPeer: 1 })
    assert.deepStrictEqual([dag.baseId, dag.baseLevel, dag.headers, dag.nodes], [new Uint8Array(3), 0, 0, 1])
    assert.strictEqual(dag.segment(dag.find(new Uint8Array(3))).count, 0)
    assert.deepStrictEqual(dag.evidence(dag.find(new Uint8Array(3))).runs, [])
  })
})

describe("mistakes of the caller are range errors", () => {
  const dag = makeHeaderDag(options())
  dag.insert(wide(2), wide(1), 2, 0)
  dag.insert(wide(9), wide(0), 1, 0)
  const loose = dag.find(wide(2))
  const linked = dag.find(wide(9))
  const mistakes: Record<string, () => unknown> = {
    "a peer that is none": () => dag.claim(40, wide(1)),
    "a peer below zero": () => dag.reply(-1, wide(1)),
    "a node that is none": () => dag.levelOf(-1),
    "a node that never was": () => dag.strongSupporters(77),
    "an id that is too short": () => dag.find(new Uint8Array(3)),
    "an id beyond the bytes": () => dag.claim(0, new Uint8Array(8), 5),
    "a level that is no integer": () => dag.insert(wide(5), wide(4), 1.5, 0),
    "a level that is too high": () => dag.insert(wide(5), wide(4), HeaderDagLimits.maxLevel + 1, 0),
    "a settled level that is no number": () => dag.setElector(0, NaN),
    "a segment to a loose node": () => dag.segment(loose),
    "evidence for a loose node": () => dag.evidence(loose),
    "evidence without a quorum": () => dag.evidence(linked),
    "a prune to a loose node": () => dag.prune(loose),
    "a base that is loose": () => dag.advanceBase(loose),
    "removing the base": () => dag.removeSubtree(dag.find(wide(0))),
    "ids that are too long": () => makeHeaderDag(options({ idBytes: 65 })),
    "no peers": () => makeHeaderDag(options({ maxPeers: 0 })),
    "too many nodes": () => makeHeaderDag(options({ maxNodes: HeaderDagLimits.maxNodes + 1 })),
    "a quorum of nobody": () => makeHeaderDag(options({ minSupporters: 0 })),
    "a base below zero": () => makeHeaderDag(options({ base: { id: wide(0), level: -1 } }))
  }
  for (const [name, mistake] of Object.entries(mistakes)) it(name, () => void assert.throws(mistake, RangeError))
})
