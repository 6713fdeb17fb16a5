import { assert, describe, it } from "@effect/vitest"
import { decodePageToken, encodePageToken } from "../src/codec/PageToken.ts"
import {
  behaviourNames,
  Behaviours,
  behavioursOf,
  behaviourTable,
  behaviourUsage,
  formatBehaviourTable,
  parseBehaviours,
  parseEvery,
  parseSeededSpec,
  parseVariation,
  picksSeries,
  ReplicaControl,
  shuffled
} from "../src/testing/index.ts"
import { readNote, withNote } from "../src/testing/PageNotes.ts"

const problemOf = (text: string): string => {
  const parsed = parseBehaviours(text)
  return parsed instanceof Behaviours ? "" : parsed.problem
}

const specProblem = (text: string): string => {
  const spec = parseSeededSpec(text)
  return "problem" in spec ? spec.problem : ""
}

describe("parseBehaviours", () => {
  it("reads names and arguments, joined by + or ,", () => {
    const behaviours = behavioursOf("slow:200000+delay:20, lie-data:5:valid")
    assert.deepStrictEqual(behaviours.names, ["slow", "delay", "lie-data"])
    assert.deepStrictEqual(behaviours.get("slow"), { bytesPerSecond: 200_000 })
    assert.deepStrictEqual(behaviours.get("lie-data"), { every: 5, mode: "valid" })
    assert.isUndefined(behaviours.get("cut"))
    assert.isFalse(behaviours.has("cut"))
  })

  it("fills in what may be left out", () => {
    assert.deepStrictEqual(behavioursOf("hang").get("hang"), { method: "fetchBlocksRaw" })
    assert.deepStrictEqual(behavioursOf("error:busy").get("error"), { kind: "busy", every: 1 })
    assert.deepStrictEqual(behavioursOf("empty-pages").get("empty-pages"), { pages: 3 })
  })

  it("takes the empty text as a healthy replica", () => {
    assert.deepStrictEqual(behavioursOf("").names, [])
    assert.deepStrictEqual(behavioursOf(" + ").names, [])
    assert.strictEqual(Behaviours.none.text, "")
  })

  it("gives a canonical text from which the same set is made", () => {
    for (const text of ["slow:5+error:busy:3", "endless-pages", "reorder:meta,extra:block", "half-open:0"]) {
      const behaviours = behavioursOf(text)
      assert.strictEqual(behavioursOf(behaviours.text).text, behaviours.text)
      assert.deepStrictEqual(behavioursOf(behaviours.text).names, behaviours.names)
    }
  })

  it("lists everything when a name is unknown", () => {
    const problem = problemOf("slow:5+sloww:5")
    assert.include(problem, "\"sloww\"")
    for (const name of behaviourNames) assert.include(problem, behaviourUsage(name))
    assert.include(problemOf("toString"), "no behaviour")
  })

  it("names the usage when an argument is wrong", () => {
    for (
      const text of [
        "slow",
        "slow:x",
        "slow:0",
        "slow:1:2",
        "error:nope",
        "lie-data:0",
        "die-after:1.5",
        "slow:-1",
        "hang:x"
      ]
    ) {
      const name = text.split(":")[0]!
      assert.include(problemOf(text), `want ${behaviourUsage(name as "slow")}`, text)
    }
    assert.throws(() => behavioursOf("nope"), RangeError)
  })
})

describe("behaviourTable", () => {
  it("says of each behaviour what it does, what a client must do and whether it is legal", () => {
    for (const name of behaviourNames) {
      const { client, does, legal } = behaviourTable[name]
      assert.isAbove(does.length, 10, name)
      assert.isAbove(client.length, 3, name)
      assert.isAbove(legal.length, 1, name)
      assert.include(formatBehaviourTable(), does)
    }
    assert.strictEqual(formatBehaviourTable().split("\n").length, behaviourNames.length + 2)
  })
})

describe("ReplicaControl", () => {
  it("counts calls for EVERY", () => {
    const control = new ReplicaControl("error:busy:3", () => 0)
    assert.deepStrictEqual([1, 2, 3, 4, 5, 6].map(() => control.turn("error")), [
      false,
      false,
      true,
      false,
      false,
      true
    ])
    assert.isFalse(control.turn("bad-crc"))
    control.set("error:busy:1")
    assert.isTrue(control.turn("error"))
  })

  it("limits the rate over one second", () => {
    let now = 0
    const control = new ReplicaControl("rate-limit:2", () => now)
    assert.deepStrictEqual([control.overRate(), control.overRate(), control.overRate()], [false, false, true])
    now = 999
    assert.isTrue(control.overRate())
    now = 1_000
    assert.isFalse(control.overRate())
  })

  it("is bootstrapped after the time given, or never", () => {
    let now = 5_000
    const control = new ReplicaControl("not-bootstrapped:2", () => now)
    assert.isFalse(control.bootstrapped())
    now = 7_000
    assert.isTrue(control.bootstrapped())
    control.set("not-bootstrapped")
    now = 1e9
    assert.isFalse(control.bootstrapped())
    control.set("")
    assert.isTrue(control.bootstrapped())
  })
})

describe("picks", () => {
  it("reads K and K/R", () => {
    assert.deepStrictEqual(parseEvery("5"), { every: 5, remainder: 0 })
    assert.deepStrictEqual(parseEvery("5/7"), { every: 5, remainder: 2 })
    for (const text of ["", "0", "x", "1/", "-1", "1/2/3"]) assert.isUndefined(parseEvery(text), text)
  })

  it("picks each series for exactly one remainder, by the CRC-32 of its id", () => {
    // crc32("123456789") = cbf43926, 3 modulo 5.
    const id = new TextEncoder().encode("123456789")
    const remainders = [0, 1, 2, 3, 4].filter((remainder) => picksSeries(id, 5, remainder))
    assert.deepStrictEqual(remainders, [0xcbf43926 % 5])
  })

  it("shuffles to another order, the same every time", () => {
    const items = Array.from({ length: 20 }, (_, index) => index)
    assert.deepStrictEqual(shuffled(items), shuffled(items))
    assert.notDeepEqual(shuffled(items), items)
    assert.deepStrictEqual(shuffled(items).toSorted((a, b) => a - b), items)
  })
})

describe("notes in page tokens", () => {
  const token = encodePageToken({
    phase: "flushed",
    blockStart: 1_599_998_400_000_000_000n,
    entryIndex: 4_096n,
    volume: 1n
  })

  it("come back, and the token still reads as it was", () => {
    for (
      const note of [
        { endless: 0, empty: 0, reset: true },
        { endless: 1, empty: 0, reset: false },
        { endless: 32_767, empty: 32_767, reset: true },
        { endless: 0, empty: 300, reset: false }
      ]
    ) {
      const noted = withNote(token, note)
      assert.deepStrictEqual(readNote(noted), note)
      assert.deepStrictEqual(decodePageToken(noted), decodePageToken(token))
      assert.deepStrictEqual(readNote(withNote(noted, note)), note)
    }
  })

  it("are not seen where there are none", () => {
    for (const bytes of [undefined, new Uint8Array(0), token, Uint8Array.of(0x12, 0)]) {
      assert.deepStrictEqual(readNote(bytes), { endless: 0, empty: 0, reset: false })
    }
  })
})

describe("texts of data sets", () => {
  it("reads a spec and aligns its start", () => {
    const spec = parseSeededSpec("series=50, points=6,blocks=2,start=7200000000001,seed=7,blockSize=1h,shards=0-2;5")
    assert.isFalse("problem" in spec)
    if ("problem" in spec) return
    assert.strictEqual(spec.series, 50)
    assert.strictEqual(spec.start, 7_200_000_000_000n)
    assert.strictEqual(spec.blockSize, 3_600_000_000_000n)
    assert.deepStrictEqual(spec.shards, [0, 1, 2, 5])
  })

  it("names what is wrong with a spec or a variation", () => {
    assert.include(specProblem("serie=5"), "there are: seed, namespace, numShards")
    assert.include(specProblem("series=x"), "series=x: want 0 to")
    assert.include(specProblem("series"), "want KEY=VALUE")
    assert.include(specProblem("shape=round"), "mixed")
    const variation = parseVariation("lack-serie=5")
    assert.include("problem" in variation ? variation.problem : "", "lack-series, lack-points, other-values, unmerged")
    assert.deepStrictEqual(parseVariation("lack-series=5,lack-points=2/1"), {
      lackSeries: { every: 5, remainder: 0 },
      lackPoints: { every: 2, remainder: 1 }
    })
  })
})
