/**
 * Three real nodes on our filesets, and something wrong with one of them: killed, with a damaged data file, with empty filesets. At every
 * level every point must be there all the same, or the run must say what it waits for; and the report names who had what wrong.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { differences, hex } from "./Held.ts"
import { type Damaged, damageDataFile, readFilesets, writeFilesets } from "./HeldFilesets.ts"
import { peerstrap, run } from "./Program.ts"
import { startProxy } from "./Proxy.ts"
import { eventually } from "./RealNode.ts"
import {
  blockSize,
  bootstrapAt,
  levels,
  namespace,
  numShards,
  readFrom,
  type ThreeNodes,
  threeNodes
} from "./ThreeNodes.ts"

/** So many that whoever is asked for a third of the batches of a shard is asked for some of the damaged ones. */
const series = 1_200

/** The one that is damaged, and the one that is streamed where a run is slow on purpose. */
const shard = 5

/** For runs that can end by themselves. */
const generousDeadline = ["--deadline", "60s"]

/** So small that every peer is asked for a part of every shard. */
const smallBatches = [...generousDeadline, "--batch-items", "3"]

describe("three real nodes, something wrong with one", () => {
  let three: ThreeNodes

  const place = (prefix: string) => ({ prefix, namespace, blockSize, numShards, blockStarts: three.blockStarts })

  beforeAll(async () => {
    three = await threeNodes(series)
    for (const node of three.nodes) await writeFilesets(place(node.prefix), three.workload)
    await Promise.all(three.nodes.map((node) => node.start()))
    await Promise.all(three.nodes.map((node) => node.bootstrapped()))
  }, 120_000)

  afterAll(() => three.stop(), 60_000)

  it("nothing is wrong: every node serves every point that we encoded", async () => {
    for (const node of three.nodes) {
      const read = await readFrom(node, namespace, three.workload, blockSize)
      assert.deepStrictEqual(differences(three.workload, read), [], node.host.id)
    }
  })

  it("nothing is wrong: a bootstrap is complete, and nothing is remarkable", async () => {
    const { different, document, exitCode } = await bootstrapAt(
      three,
      three.workload,
      "all",
      "healthy",
      ...generousDeadline
    )
    assert.deepStrictEqual([exitCode, different], [0, []])
    assert.strictEqual(document.report.divergences.total, 0)
    assert.strictEqual(document.report.seriesBlocks.merged, 0)
    assert.deepStrictEqual(document.report.evidence, [])
  })

  describe("c is killed", () => {
    beforeAll(() => three.nodes[2].stop("SIGKILL"))

    it.each(levels.filter((level) => level !== "all"))("level %s: complete", async (level) => {
      const { different, document, exitCode } = await bootstrapAt(
        three,
        three.workload,
        level,
        "down",
        ...generousDeadline
      )
      assert.deepStrictEqual([exitCode, different], [0, []])
      const { evidence, peers, unlisted } = document.report
      assert.deepStrictEqual(evidence, [], "who is not there is not to blame")
      assert.isAbove(peers.find(({ id }) => id === "c")!.failures, 0)
      assert.deepStrictEqual([...new Set(unlisted.entries.map(({ peer }) => peer))], ["c"], JSON.stringify(document))
    })

    it("level all: waits, names c, and ends at its deadline with exit code 3", async () => {
      const { document, err, exitCode, seconds } = await bootstrapAt(three, [], "all", "down", "--deadline", "6s")
      assert.strictEqual(exitCode, 3)
      assert.isAtLeast(seconds, 6)
      assert.isBelow(seconds, 10)
      assert.include(document.verdict, "deadline")
      const waits = JSON.stringify(document.waits)
      for (const word of ["\"all\"", "c"]) assert.include(`${waits}${err}`, word)
      assert.match(waits, /\bc\b/)
    })

    it("and b is out of reach, too, level majority: waits, names both, and goes on when the level is lowered", async () => {
      const [a, , c] = three.nodes
      // Nobody listens on this port of c's host: it is its second, and c is killed.
      const peers = [`a=${a.address}`, `b=127.0.0.1:${c.host.httpPort}`, `c=${c.address}`]
      const aAlone = { ...three, peers: peers.flatMap((peer) => ["--peer", peer]) }
      const control = ["--control", `${three.directory}/two-down.sock`]
      const running = bootstrapAt(aAlone, three.workload, "majority", "two-down", ...generousDeadline, ...control)
      const why = await eventually("both are named", async () => {
        const { exitCode, out } = await run(["why", ...control])
        return exitCode === 0 && /\bb\b/.test(out) && /\bc\b/.test(out) && out.includes("majority") ? out : undefined
      })
      assert.match(why, /level majority needs 2/)
      await peerstrap("set-level", "one", ...control)
      const { different, document, exitCode } = await running
      // Every point is there, but by fewer peers than the first level asked for: the answer is "no", with a list.
      assert.deepStrictEqual([exitCode, different], [1, []])
      const { levelChanges, missing } = document.report
      assert.deepStrictEqual(levelChanges.map(({ level }) => level).slice(-1), ["one"])
      assert.strictEqual(missing.total, 2 * numShards)
      for (const { id, peers: absent } of missing.entries) assert.deepStrictEqual([id, absent], [undefined, ["b", "c"]])
    })

    it("plan at level all says so before anything is moved", async () => {
      const more = ["--patience", "3s", "--out", `${three.directory}/ours/plan`]
      const { exitCode, out } = await run(["plan", ...three.peers, ...three.flags, "--level", "all", ...more])
      assert.strictEqual(exitCode, 3)
      assert.match(out, /\bc\b/)
    })
  })

  describe("c has a damaged data file, its index and digests intact", () => {
    let damaged: Damaged

    beforeAll(async () => {
      const c = three.nodes[2]
      damaged = await damageDataFile(c.prefix, namespace, { shard, blockStart: three.blockStarts[0]! })
      await c.start()
      await c.bootstrapped()
    }, 60_000)

    it("c answers no read of these series with points", async () => {
      const hit = three.workload.filter(({ id }) => damaged.ids.some((other) => hex(other) === hex(id)))
      assert.isAbove(hit.length, 3)
      for (const one of hit) {
        const first = { ...one, blocks: one.blocks.slice(0, 1) }
        const read = await readFrom(three.nodes[2], namespace, [first], blockSize).catch((error: Error) =>
          error.message
        )
        if (typeof read === "string") assert.match(read, /checksum/)
        else assert.deepStrictEqual(read[0]!.blocks, [])
      }
    })

    it("verify of c's own directory names the file", async () => {
      const { exitCode, out } = await run(["verify", three.nodes[2].prefix, "--namespace", namespace])
      assert.strictEqual(exitCode, 1)
      assert.include(out, `${namespace}/${shard}/fileset-${damaged.blockStart}-0-data.db`)
    })

    it.each(levels)("level %s: complete, and c is named with series and block", async (level) => {
      const { different, document, exitCode } = await bootstrapAt(
        three,
        three.workload,
        level,
        "damaged",
        ...smallBatches
      )
      assert.deepStrictEqual([exitCode, different], [0, []])
      const { evidence } = document.report
      const subjects = damaged.ids.map((id) => `shard ${shard} block ${damaged.blockStart} id ${hex(id)}`)
      // Only what c was asked for can have been noticed: about a third, or nothing where a level did not wait for its listing.
      if (level === "all") assert.isAbove(evidence.length, 0)
      for (const { detail, peer, subject, verdict } of evidence) {
        assert.deepStrictEqual([peer, verdict], ["c", "peer"])
        assert.include(subjects, subject)
        assert.match(detail, /advertised \d+ bytes with checksum 0x[0-9a-f]{8}/)
      }
      assert.deepStrictEqual(document.peerVerdicts.map(({ peer, verdict }) => [peer, verdict]), [
        ["a", "clear"],
        ["b", "clear"],
        ["c", evidence.length > 0 ? "at-fault" : "clear"]
      ])
    })
  })

  describe("c has lost everything and believes itself complete", () => {
    beforeAll(async () => {
      const c = three.nodes[2]
      await c.stop()
      await c.wipe()
      await writeFilesets(place(c.prefix), [])
      await c.start()
      await c.bootstrapped()
      assert.deepStrictEqual(await readFilesets(c.prefix, namespace), [])
    }, 60_000)

    it.each(levels)("level %s: complete, and c is named for every series and block", async (level) => {
      const { different, document, exitCode } = await bootstrapAt(
        three,
        three.workload,
        level,
        "empty",
        ...generousDeadline
      )
      assert.deepStrictEqual([exitCode, different], [0, []])
      const { counts, entries } = document.report.divergences
      assert.deepStrictEqual(counts, { different: 0, unknown: 0, "absent-on-some": 2 * series })
      for (const { checksums: { a, b, c } } of entries) {
        assert.strictEqual(c, "-", "c lacks it")
        // A level that is met does not wait for ever for a listing that others have overtaken; then the report says so.
        assert.isTrue(a === b || (level !== "all" && [a, b].includes("not listed")), `a has ${a}, b has ${b}`)
      }
      assert.deepStrictEqual(document.report.evidence, [], "to lack something is no fault")
    })

    // `none` may end without it, and says so with exit code 1.
    const sayable = levels.filter((level) => level !== "none")

    it.each(sayable)("level %s, a and b are slow: their data are not lost to the quick answers of c", async (level) => {
      const [a, b, c] = three.nodes
      const slow = await Promise.all([a, b].map((node) => startProxy(node.host.port, { bytesPerSecond: 10_000 })))
      const peers = [`a=${slow[0]!.address}`, `b=${slow[1]!.address}`, `c=${c.address}`]
      const behindProxies = { ...three, peers: peers.flatMap((peer) => ["--peer", peer]) }
      const wanted = three.workload.filter((one) => one.shard === shard)
      const more = [...generousDeadline, "--shards", String(shard)]
      const { different, exitCode } = await bootstrapAt(behindProxies, wanted, level, "slow", ...more)
      await Promise.all(slow.map((proxy) => proxy.close()))
      assert.deepStrictEqual([exitCode, different.slice(0, 5)], [0, []])
    })
  })
})
