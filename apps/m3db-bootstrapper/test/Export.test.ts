import { assert, describe, it } from "@effect/vitest"
import { runProgram } from "@peerstrap/command-line"
import { digestPoints } from "@peerstrap/m3tsz"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { sharedMissing, sharedPath } from "../../../tools/shared.ts"
import { program } from "../src/commands/Commands.ts"
import { blockSize, firstBlock, streamOf, writeFilesets } from "./support/Filesets.ts"
import { jsonLinesOf, linesOf, runCommand, temporaryDirectory } from "./support/InspectProgram.ts"

if (sharedMissing !== undefined) console.log(`Export.test.ts: ${sharedMissing}; no recorded fileset was exported`)

/** Cells of a CSV line without line feeds in its cells. */
const cellsOf = (line: string): Array<string> =>
  [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) =>
    quoted === undefined ? plain! : quoted.replaceAll("\"\"", "\"")
  )

const valueOf = (text: string): number =>
  text === "+Inf" ? Number.POSITIVE_INFINITY : text === "-Inf" ? Number.NEGATIVE_INFINITY : Number(text)

describe("export", () => {
  it.effect("goes by shard, block and id, and goes on where it is told to", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      yield* writeFilesets(directory, [
        { shard: 10, block: 0, ids: ["c"] },
        { shard: 2, block: 1, ids: ["b", "a"] },
        { shard: 2, block: 0, ids: ["a"] },
        { shard: 2, block: 0, volume: 1, ids: ["a"] }
      ])
      const whole = yield* runCommand("export", directory, "--format", "csv", "--json")
      assert.strictEqual(whole.code, 0, whole.err)
      const [header, ...rows] = linesOf(whole.out)
      assert.strictEqual(header, "namespace,shard,block_start,id,tags,timestamp_ns,value,unit,annotation")
      const places = rows.map((row) => cellsOf(row).slice(1, 4).join(" "))
      const second = firstBlock + blockSize
      assert.deepStrictEqual([...new Set(places)], [
        `2 ${firstBlock} a`,
        `2 ${second} a`,
        `2 ${second} b`,
        `10 ${firstBlock} c`
      ])
      const said = jsonLinesOf(whole.err)
      assert.deepStrictEqual(said.filter(({ type }) => type === "block").map(({ next }) => next), [
        `2/${firstBlock}`,
        `2/${second}`,
        `10/${firstBlock}`
      ])
      assert.deepInclude(said.at(-1), { type: "end", blocks: 3, series: 4, points: rows.length, problems: 0 })

      const rest = yield* runCommand("export", directory, "--format", "csv", "--from", `2/${second}`)
      assert.deepStrictEqual(linesOf(rest.out), rows.filter((row) => !row.startsWith(`metrics,2,${firstBlock}`)))
      const range = yield* runCommand("export", directory, "--format", "csv", "--end", String(second), "--shards", "2")
      assert.deepStrictEqual(
        linesOf(range.out).slice(1),
        rows.filter((row) => row.startsWith(`metrics,2,${firstBlock}`))
      )
    }))

  it.effect("a file appears when it is whole, and none is replaced unasked", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      yield* writeFilesets(directory, [{ shard: 0, block: 0, ids: ["a, b"] }])
      const out = join(directory, "new", "metrics.lp")
      const first = yield* runCommand("export", directory, "--out", out)
      assert.deepStrictEqual([first.code, first.out], [0, ""], first.err)
      const text = readFileSync(out, "utf8")
      assert.match(text, /^metrics,name=a\\,\\ b value=\S+ 17952048\d{11}\n/)
      assert.isFalse(existsSync(`${out}.partial`))
      const again = yield* runCommand("export", directory, "--out", out)
      assert.deepStrictEqual([again.code, /exists[\s\S]*--overwrite/.test(again.err)], [4, true], again.err)
      writeFileSync(out, "old")
      const replaced = yield* runCommand("export", directory, "--out", out, "--overwrite", "--measurement", "m")
      assert.strictEqual(replaced.code, 0, replaced.err)
      assert.strictEqual(readFileSync(out, "utf8"), text.replaceAll(/^metrics,/gm, "m,"))
      const direct = yield* runCommand("export", directory)
      assert.strictEqual(direct.out, text)
    }))

  it.effect("names damage and what it cannot write, leaves them out, and ends with 1", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      yield* writeFilesets(directory, [
        { shard: 0, block: 0, ids: ["a", "b\\", "c"] },
        { shard: 1, block: 0, ids: ["d"], stream: Uint8Array.of(1, 2, 3) }
      ])
      const data = join(directory, `data/metrics/0/fileset-${firstBlock}-0-data.db`)
      const bytes = readFileSync(data)
      bytes[3]! ^= 1
      writeFileSync(data, bytes)
      const { code, err, out } = yield* runCommand("export", directory)
      assert.strictEqual(code, 1)
      assert.deepStrictEqual([...new Set(linesOf(out).map((line) => line.split(" ")[0]))], ["metrics,name=c"])
      assert.match(err, /series "a": checksum is/)
      assert.match(err, /series "b\\\\": the value of tag "name" ends with a backslash\n {2}what to do: .*csv/)
      assert.match(err, /series "d": M3TSZ stream/)
      assert.match(err, /1 series-blocks left out .*, 2 problems/)
      const csv = yield* runCommand("export", directory, "--format", "csv")
      assert.strictEqual(csv.code, 1)
      assert.isTrue(linesOf(csv.out).some((line) => line.includes("b\\")))
    }))

  it.effect("stopped in the middle it says where to go on, and a file does not appear", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      yield* writeFilesets(directory, [{ shard: 0, block: 0, ids: ["a"] }, { shard: 1, block: 1, ids: ["b"] }])
      /** Ends with a signal as soon as shard 1 is written. */
      const stopped = Effect.fnUntraced(function*(...argv: ReadonlyArray<string>) {
        const stop = yield* Deferred.make<"SIGINT">()
        let err = ""
        const code = yield* runProgram({
          program,
          argv: ["export", directory, ...argv],
          terminal: {
            out: (text) =>
              text.includes("name=b") ? Effect.andThen(Deferred.succeed(stop, "SIGINT"), Effect.never) : Effect.void,
            error: (text) => {
              err += text
              // Standard output is not written to with --out: the line of the second block is the moment.
              if (text.includes("\"shard\":1")) Deferred.doneUnsafe(stop, Effect.succeed("SIGINT"))
            },
            isLive: false,
            color: false,
            size: () => ({ columns: 80, rows: 24 })
          },
          stop: Deferred.await(stop),
          read: () => ({ problem: "nothing is read" })
        })
        return { code, err }
      })
      const toOutput = yield* stopped()
      assert.strictEqual(toOutput.code, 130, toOutput.err)
      assert.include(toOutput.err, `stopped; go on with --from 1/${firstBlock + blockSize}\n`)
      const out = join(directory, "x.lp")
      const toFile = yield* stopped("--out", out, "--json")
      assert.strictEqual(toFile.code, 130, toFile.err)
      assert.deepInclude(jsonLinesOf(toFile.err).at(-1), { type: "stopped", next: null })
      assert.deepStrictEqual([existsSync(out), existsSync(`${out}.partial`)], [false, false])
    }))

  it.effect("tells everything wrong with the command line, and asks which namespace", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const wrong = yield* runCommand(
        "export",
        directory,
        "--field=a\\",
        "--measurement=#m",
        "--from=3",
        "--start=2",
        "--end=1"
      )
      assert.strictEqual(wrong.code, 2)
      for (const flag of ["--field", "--measurement", "--from", "--start"]) assert.include(wrong.err, `${flag}: `)
      yield* writeFilesets(directory, [
        { shard: 0, block: 0, ids: ["a"] },
        { namespace: "other", shard: 0, block: 0, ids: ["a"] }
      ])
      const two = yield* runCommand("export", directory)
      assert.deepStrictEqual([two.code, two.out], [2, ""])
      assert.match(two.err, /metrics, other[\s\S]*--namespace/)
      assert.isAbove(streamOf(1, firstBlock, 3).length, 0)
    }))

  it.effect.skipIf(sharedMissing !== undefined)(
    "filesets of a real node: every point, bit for bit",
    () =>
      Effect.gen(function*() {
        for (const [set, namespace] of [["A", "raw"], ["A", "idx"], ["C", "raw"]] as const) {
          const directory = sharedPath(`data/m3db/filesets/${set}`)
          const { code, err, out } = yield* runCommand("export", directory, "--namespace", namespace, "--format", "csv")
          assert.strictEqual(code, 0, err)
          const series = new Map<string, { readonly times: Array<bigint>; readonly values: Array<number> }>()
          for (const line of linesOf(out).slice(1)) {
            const [, shard, start, id, , time, value] = cellsOf(line)
            const hex = id!.startsWith("0x") ? id!.slice(2) : Buffer.from(id!).toString("hex")
            const key = `${shard}\t${hex}\t${start}`
            const points = series.get(key) ?? { times: [], values: [] }
            series.set(key, points)
            points.times.push(BigInt(time!))
            points.values.push(valueOf(value!))
          }
          const expected = linesOf(
            readFileSync(sharedPath(`data/m3db/filesets/${set}-${namespace}.digest.tsv`), "utf8")
          )
            .filter((line) => !line.startsWith("#")).map((line) => line.split("\t"))
          assert.strictEqual(series.size, expected.length)
          for (const [shard, id, , start, , sha256] of expected) {
            const { times, values } = series.get(`${shard}\t${id}\t${start}`)!
            const column = Float64Array.from(values)
            // What nodes store of a NaN is Go's; in text there is only one.
            const bits = new BigUint64Array(column.buffer)
            for (let at = 0; at < bits.length; at++) if (Number.isNaN(column[at])) bits[at] = 0x7ff8000000000001n
            const digest = digestPoints({
              count: times.length,
              timestamps: BigInt64Array.from(times),
              values: column,
              units: new Uint8Array(times.length),
              annotations: new Map()
            })
            assert.strictEqual(digest, sha256, `${set} ${namespace} ${shard} ${id} ${start}`)
          }
        }
      })
  )
})
