import { assert, describe, it } from "@effect/vitest"
import {
  estimateEta,
  formatReport,
  formatWhy,
  mergeWaits,
  StallDetector,
  type Wait,
  whyJson
} from "@peerstrap/progress"

const wait = (subject: string, sinceMillis: number, rest: Partial<Wait> = {}): Wait => ({
  subject,
  waitingFor: "metadata from peer C",
  cause: "connection refused (7 tries, next in 2.0 s)",
  peers: ["C"],
  remedy: "start peer C, or lower the level",
  sinceMillis,
  ...rest
})

describe("why", () => {
  it("merges what differs in the subject only, most subjects first", () => {
    const waits = [
      wait("sink", 0, { waitingFor: "disk", cause: "full", peers: [], remedy: "free space" }),
      ...[6, 5, 4, 3, 2].map((shard) => wait(`shard ${shard}`, 100 + shard))
    ]
    const merged = mergeWaits(waits)
    assert.deepStrictEqual(merged.map((of) => of.subject), ["shard 2, shard 3, shard 4, shard 5 and 1 more", "sink"])
    assert.deepStrictEqual(merged[0]?.subjects, ["shard 2", "shard 3", "shard 4", "shard 5", "shard 6"])
    assert.strictEqual(merged[0]?.sinceMillis, 102)
  })
  it("keeps waits apart that need another level", () => {
    assert.lengthOf(mergeWaits([wait("shard 1", 0), wait("shard 1", 0, { level: "majority" })]), 2)
  })
  it("tells a person what, why and what to do", () => {
    assert.strictEqual(
      formatWhy([wait("shard 3", 1000, { level: "majority" })], 13_400),
      [
        "shard 3 waits for metadata from peer C (for 12.4 s)",
        "  because: connection refused (7 tries, next in 2.0 s)",
        "  level needed: majority",
        "  peers: C",
        "  what to do: start peer C, or lower the level",
        ""
      ].join("\n")
    )
    assert.strictEqual(formatWhy([], 0), "Nothing is waiting.\n")
  })
  it("has a JSON form", () => {
    assert.deepStrictEqual(JSON.parse(JSON.stringify(whyJson([wait("shard 3", 1000)], 3000))), {
      nowMillis: 3000,
      waits: [{ ...wait("shard 3", 1000), subjects: ["shard 3"], forMillis: 2000 }]
    })
  })
})

describe("StallDetector", () => {
  it("names the cause after the interval, announces once, and again after progress", () => {
    const detector = new StallDetector(0, 1000)
    detector.observe(1, 10)
    assert.isUndefined(detector.announce(1009, [wait("shard 3", 20)]))
    assert.strictEqual(detector.dueMillis, 1010)
    const stall = detector.announce(1010, [wait("shard 3", 20)])
    assert.strictEqual(
      stall?.cause,
      "no progress for 1.0 s: shard 3 waits for metadata from peer C: connection refused (7 tries, next in 2.0 s); " +
        "start peer C, or lower the level"
    )
    assert.strictEqual(stall?.sinceMillis, 10)
    assert.isUndefined(detector.announce(5000, []))
    assert.isFalse(detector.observe(1, 5000))
    assert.isTrue(detector.observe(2, 5001))
    assert.isUndefined(detector.check(6000, []))
    assert.match(detector.announce(6001, [])?.cause ?? "", /defect/)
  })
})

const input = {
  done: 500,
  total: 1000,
  totalIsGrowing: false,
  ratePerSecond: 100,
  averagePerSecond: 100,
  elapsedMillis: 10_000
}

const etaWith = (change: Partial<typeof input>): string => {
  const eta = estimateEta({ ...input, ...change })
  return `${eta.confidence}: ${eta.reason}`
}

describe("estimateEta", () => {
  it("divides what is left by the long-term rate", () => {
    assert.deepStrictEqual(estimateEta(input), {
      millis: 5000,
      confidence: "high",
      reason: "steady rate, known totals"
    })
  })
  it("says how sure it is", () => {
    assert.strictEqual(etaWith({ totalIsGrowing: true }), "low: totals are still growing")
    assert.strictEqual(etaWith({ totalIsGrowing: true, done: 1000 }), "unknown: totals are still growing")
    assert.strictEqual(etaWith({ elapsedMillis: 4999 }), "low: just begun")
    assert.strictEqual(etaWith({ ratePerSecond: 201 }), "low: the rate changes a lot")
    assert.strictEqual(etaWith({ ratePerSecond: 75 }), "medium: the rate changes")
    assert.strictEqual(etaWith({ done: 99 }), "medium: less than 10 % done")
    assert.strictEqual(etaWith({ total: 0 }), "unknown: no totals yet")
    assert.strictEqual(etaWith({ averagePerSecond: 0 }), "unknown: nothing has come yet")
    assert.strictEqual(etaWith({ ratePerSecond: 0 }), "unknown: nothing comes at present")
    assert.strictEqual(etaWith({ done: 1000 }), "high: done")
  })
})

describe("formatReport", () => {
  it("lists work, evidence, divergences and what still waits", () => {
    const text = formatReport({
      outcome: "stopped: level majority not reached",
      startedMillis: 0,
      endedMillis: 2000,
      counts: { series: 12_642, retries: 3 },
      bytes: 4 * 1024 ** 2,
      evidence: { A: { "delivered-differs-from-advertised": 519 } },
      divergences: ["id \"a\": A 0x1, B 0x2"],
      divergencesOmitted: 4,
      waits: [wait("shard 3", 500)],
      warnings: []
    })
    assert.deepStrictEqual(text.split("\n").slice(0, 10), [
      "stopped: level majority not reached after 2.0 s (started 1970-01-01T00:00:00Z)",
      "work",
      "  series: 12,642",
      "  retries: 3",
      "  bytes: 4.0 MiB (2.0 MiB/s)",
      "evidence against peers",
      "  A: delivered-differs-from-advertised 519",
      "divergences",
      "  id \"a\": A 0x1, B 0x2",
      "  and 4 more"
    ])
    assert.include(text, "still waiting\n  shard 3 waits for")
    assert.notInclude(text, "warnings")
  })
})
