// diff over embedded replicas and real sockets.
import { assert, describe, it } from "@effect/vitest"
import { picksSeries } from "@peerstrap/m3db-wire/testing"
import * as Effect from "effect/Effect"
import { jsonLinesOf, linesOf, runCommand } from "./support/InspectProgram.ts"
import { peerArguments, spec, startReplicas, truthLines } from "./support/Replicas.ts"

const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, "hex"))

/** id, block start of the truth's rows that a rule picks, in the order of the output. */
const pickedRows = (lines: ReadonlyArray<string>, every: number): Array<string> =>
  lines.map((line) => JSON.parse(line))
    .filter(({ id }) => picksSeries(bytesOf(id), every))
    .map(({ blockStart, id, shard }) => `${shard} ${id} ${blockStart}`)

const placeOf = ({ blockStart, id, shard }: any): string => `${shard} ${id} ${blockStart}`

describe("diff", () => {
  it.live("equal replicas: nothing is printed, exit code 0", () =>
    Effect.gen(function*() {
      const replicas = yield* startReplicas([{}, {}, {}])
      const { code, err, out } = yield* runCommand("diff", ...peerArguments(replicas))
      assert.deepStrictEqual([code, err], [0, ""], out)
      const lines = linesOf(out)
      assert.strictEqual(
        lines[0],
        "160 series-blocks: 160 same, 0 different, 0 missing somewhere, 0 unknown (no checksum)"
      )
      assert.match(lines[1]!, /^held: a 160 \(.*\), b 160 \(.*\), c 160 \(.*\)$/)
      assert.strictEqual(lines[2], "everything is the same")
      const deep = yield* runCommand("diff", ...peerArguments(replicas), "--deep", "--json")
      assert.strictEqual(deep.code, 0)
      assert.strictEqual(JSON.parse(deep.out).summary.identical, true)
      assert.isTrue(replicas.every(({ server }) => server.stats().blockRequests === 0))
    }))

  it.live("different values: which series, what each replica has, and with --deep the first difference", () =>
    Effect.gen(function*() {
      const replicas = yield* startReplicas([{}, { otherValues: { every: 6, remainder: 0 } }, {}])
      const truth = truthLines(replicas[0]!.data.truth())
      const expected = pickedRows(truth, 6)
      assert.isAbove(expected.length, 3)
      const { code, out } = yield* runCommand("diff", ...peerArguments(replicas), "--json")
      const lines = jsonLinesOf(out)
      const { exitCode, summary } = lines.pop()
      assert.deepStrictEqual([code, exitCode, summary.identical], [1, 1, false])
      assert.deepStrictEqual(lines.map(placeOf), expected)
      const { different, missing, same, unknown } = summary.seriesBlocks
      assert.deepStrictEqual([same, different, missing, unknown], [160 - expected.length, expected.length, 0, 0])
      for (const { kind, namespace, replicas: { a, b, c } } of lines) {
        assert.deepStrictEqual([kind, namespace, a], ["different", "metrics", c])
        assert.match(a.checksum, /^[0-9a-f]{8}$/)
        assert.notDeepEqual(a, b)
        assert.isAbove(a.size, 0)
      }
      const deep = jsonLinesOf((yield* runCommand("diff", ...peerArguments(replicas), "--json", "--deep")).out)
      assert.deepStrictEqual(deep.pop().summary.deep, { samePoints: 0, differentPoints: expected.length, undecided: 0 })
      for (const { blockStart, deep: { differing, first, points, verdict } } of deep) {
        assert.deepStrictEqual([verdict, differing, points], ["different-points", 12, { a: 12, b: 12, c: 12 }])
        assert.isTrue(BigInt(first.timestamp) >= BigInt(blockStart))
        assert.strictEqual(Number(first.values.b.value), Number(first.values.a.value) + 1)
        assert.deepStrictEqual(first.values.a, first.values.c)
      }
      const text = yield* runCommand("diff", ...peerArguments(replicas), "--limit", "2")
      const [one, two, more, totals] = linesOf(text.out)
      assert.match(
        one!,
        /^different shard \d block 2020-09-13T1\d:00:00Z .*: a: \d+ B [0-9a-f]{8}, b: \d+ B [0-9a-f]{8}, c: /
      )
      assert.match(two!, /^different /)
      assert.strictEqual(more, `${expected.length - 2} more are not printed (--limit)`)
      assert.match(totals!, new RegExp(`^160 series-blocks: .*, ${expected.length} different`))
    }))

  it.live("missing series stay missing, whatever the points say", () =>
    Effect.gen(function*() {
      const replicas = yield* startReplicas([{}, { lackSeries: { every: 5, remainder: 0 } }, {}])
      const expected = pickedRows(truthLines(replicas[0]!.data.truth()), 5)
      for (const flags of [[], ["--deep"]]) {
        const { code, out } = yield* runCommand("diff", ...peerArguments(replicas), "--json", ...flags)
        const lines = jsonLinesOf(out)
        assert.strictEqual(lines.pop().summary.seriesBlocks.missing, expected.length)
        assert.strictEqual(code, 1)
        assert.deepStrictEqual(lines.map(placeOf), expected)
        assert.isTrue(lines.every(({ kind, replicas: { b } }) => kind === "missing" && b === null))
      }
    }))

  it.live("blocks without checksum are unknown; their points show that they are the same", () =>
    Effect.gen(function*() {
      const active = { ...spec, active: 1 }
      const replicas = yield* startReplicas([{}, { unmerged: { every: 3, remainder: 0 } }], active)
      const shallow = yield* runCommand("diff", ...peerArguments(replicas, active), "--json")
      const lines = jsonLinesOf(shallow.out)
      const { summary } = lines.pop()
      assert.deepStrictEqual([shallow.code, summary.seriesBlocks.unknown], [1, lines.length])
      assert.isAbove(lines.length, 3)
      for (const { kind, replicas: { a, b } } of lines) {
        assert.deepStrictEqual([kind, b.checksum], ["unknown", null])
        assert.match(a.checksum, /^[0-9a-f]{8}$/)
      }
      const deep = yield* runCommand("diff", ...peerArguments(replicas, active), "--json", "--deep")
      const deepLines = jsonLinesOf(deep.out)
      assert.deepStrictEqual([deep.code, deepLines.pop().summary.deep.samePoints], [0, lines.length])
      assert.isTrue(deepLines.every((line) => line.deep.verdict === "same-points"))
    }))

  it.live("a wrong checksum in a listing is different, and the same by its points", () =>
    Effect.gen(function*() {
      const replicas = yield* startReplicas([{}, { behaviours: "lie-checksum:4" }])
      const shallow = yield* runCommand("diff", ...peerArguments(replicas), "--json")
      const { summary } = jsonLinesOf(shallow.out).at(-1)
      assert.strictEqual(shallow.code, 1)
      assert.isAbove(summary.seriesBlocks.different, 3)
      const deep = yield* runCommand("diff", ...peerArguments(replicas), "--json", "--deep")
      const last = jsonLinesOf(deep.out).at(-1)
      assert.deepStrictEqual([deep.code, last.summary.deep.samePoints], [0, summary.seriesBlocks.different])
    }))

  it.live("a copy that is listed but not delivered leaves the points undecided", () =>
    Effect.gen(function*() {
      const replicas = yield* startReplicas([{}, { behaviours: "no-checksum+missing:4" }])
      const { code, out } = yield* runCommand("diff", ...peerArguments(replicas), "--json", "--deep")
      const lines = jsonLinesOf(out)
      const { summary } = lines.pop()
      assert.strictEqual(code, 1)
      const undecided = lines.filter((line) => line.deep.verdict === "undecided")
      assert.strictEqual(undecided.length, summary.deep.undecided)
      assert.isAbove(undecided.length, 3)
      assert.isTrue(undecided.every((line) => line.deep.problems.b.includes("did not give it")))
    }))

  it.live("a replica that cannot be reached is named, with exit code 3", () =>
    Effect.gen(function*() {
      const replicas = yield* startReplicas([{}, {}])
      yield* replicas[1]!.server.stop
      const { code, err, out } = yield* runCommand("diff", ...peerArguments(replicas), "--deadline", "1s")
      assert.deepStrictEqual([code, out], [3, ""])
      assert.isTrue(err.includes(`b (${replicas[1]!.server.hostPort}): unreachable`) && !err.includes("a ("), err)
    }))

  it.live("a replica that comes back within the deadline is waited for", () =>
    Effect.gen(function*() {
      const replicas = yield* startReplicas([{}, { behaviours: "error:overloaded:3" }])
      const { code, out } = yield* runCommand("diff", ...peerArguments(replicas))
      assert.strictEqual(code, 0, out)
    }))

  it.live("a namespace that nobody knows, and a wrong block size, are told as such", () =>
    Effect.gen(function*() {
      const replicas = yield* startReplicas([{}, {}])
      const flags = peerArguments(replicas)
      const other = flags.map((flag) => (flag === "metrics" ? "other" : flag))
      const unknown = yield* runCommand("diff", ...other, "--json")
      assert.strictEqual(unknown.code, 2)
      assert.isTrue(JSON.parse(unknown.out).error.message.includes("unknown-namespace"), unknown.out)
      const size = yield* runCommand("diff", ...flags.map((flag) => (flag === "2h" ? "3h" : flag)))
      assert.strictEqual(size.code, 1)
      assert.isTrue(size.out.includes("begin elsewhere and were not compared: is --block-size right?"), size.out)
    }))

  it.live("what is missing or alone on the command line is told before anything starts", () =>
    Effect.gen(function*() {
      const replicas = yield* startReplicas([{}])
      const alone = yield* runCommand("diff", ...peerArguments(replicas))
      assert.deepStrictEqual([alone.code, alone.err.includes("two replicas or more")], [2, true], alone.err)
      const nothing = yield* runCommand("diff", "--peer", "a=127.0.0.1:1", "--peer", "b=127.0.0.1:2")
      assert.strictEqual(nothing.code, 2)
      for (const flag of ["--namespace", "--num-shards", "--block-size", "--from"]) {
        assert.isTrue(nothing.err.includes(`${flag}: is missing`), nothing.err)
      }
      assert.strictEqual(replicas[0]!.server.stats().connections, 0)
    }))
})
