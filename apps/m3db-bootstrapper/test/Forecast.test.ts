import { assert, describe, it } from "@effect/vitest"
import { type Forecast, type ForecastSettings, makeForecast } from "../src/plan/Forecast.ts"
import { forecastCode, forecastText } from "../src/plan/ForecastText.ts"
import type { JobForecast, PeerShare } from "../src/plan/JobForecast.ts"
import type { JobsListed } from "../src/plan/ListJobs.ts"

const mib = 2 ** 20

const settings: ForecastSettings = {
  level: "majority",
  peers: [{ id: "a", address: "a:9000" }, { id: "b", address: "b:9000" }],
  memoryBytes: 512 * mib,
  jobsInFlight: 8,
  window: 3,
  batchBytes: 4 * mib,
  assumedBytesPerSecond: 1_000_000,
  assumedBlocksPerSecond: 100,
  deadlineMillis: undefined,
  freeBytes: undefined,
  refusal: undefined,
  kept: 0,
  numShards: 4,
  hashSeed: 0
}

const share = (peer: number, askedBlocks: number, askedBytes: number): PeerShare => ({
  peer,
  series: 10,
  heldBlocks: 20,
  heldBytes: 4000,
  askedBlocks,
  askedBytes,
  foreignBlocks: 0,
  unaligned: 0
})

const job = (changed: Partial<JobForecast> = {}): JobForecast => ({
  shard: 0,
  holders: 2,
  listed: [share(0, 10, 3_000_000), share(1, 500, 1000)],
  required: 2,
  agreeing: 2,
  levelMet: true,
  series: 10,
  blocks: [{ blockStart: 0n, seriesBlocks: 10, bytes: 100_000, atMostBytes: 300_000, nameBytes: 500 }],
  fanOut: 0,
  fanOutBytes: 0,
  absentOnSome: 0,
  metadataBytes: 10_000,
  foreign: 0,
  foreignAgreed: 0,
  sample: undefined,
  ...changed
})

const listed = (forecasts: ReadonlyArray<JobForecast>, changed: Partial<JobsListed> = {}): JobsListed => ({
  forecasts,
  failures: [undefined, undefined],
  notOwned: [0, 0],
  rates: [{ pages: 2, elements: 40, busyMillis: 20 }, { pages: 0, elements: 0, busyMillis: 0 }],
  tooLarge: undefined,
  millis: 50,
  ...changed
})

/** One job on a disk with so much free. */
const of = (freeBytes: number): Forecast => makeForecast(listed([job()]), { ...settings, freeBytes })

const faults = ({ obstacles }: Forecast) => obstacles.map(({ fault }) => fault)

describe("forecast", () => {
  it("takes the time of the slowest peer, by bytes or by blocks", () => {
    const { peers, timeMillis, total } = makeForecast(listed([job()]), settings)
    // 500 blocks at 100/s take longer than 3 MB at 1 MB/s.
    assert.deepStrictEqual([timeMillis.listing, timeMillis.data], [50, 5000])
    assert.deepStrictEqual([total.askedBlocks, total.askedBytes], [510, 3_001_000])
    assert.deepStrictEqual(peers.map(({ listedPerSecond }) => listedPerSecond), [2000, undefined])
  })

  it("counts the series of a shard once, however many jobs it has", () => {
    const jobs = [job(), job({ series: 14 }), job({ shard: 1, series: 3 })]
    assert.strictEqual(makeForecast(listed(jobs), settings).total.series, 17)
  })

  it("compares the disk with what is needed, and warns of what merging may need", () => {
    const needed = 102_400 + 4096 * 6
    assert.strictEqual(of(0).disk.needed, needed)
    assert.deepStrictEqual(faults(of(needed - 1)), ["local"])
    assert.strictEqual(forecastCode(of(needed - 1)), 4)
    const just = of(needed)
    assert.deepStrictEqual([forecastCode(just), just.risks.some((risk) => risk.startsWith("merged blocks"))], [0, true])
    assert.deepStrictEqual(of(mib).risks.filter((risk) => risk.startsWith("merged blocks")), [])
  })

  it("knows when one shard does not fit into the memory", () => {
    const large = makeForecast(listed([job({ metadataBytes: 400 * mib })]), settings)
    assert.deepStrictEqual([faults(large), forecastCode(large)], [["local"], 4])
    assert.match(large.obstacles[0]!.message, /need 400(\.0)? MiB, 307(\.2)? MiB of --memory/)
    const refused = makeForecast(listed([], { tooLarge: { shard: 7, rows: 1000, bytes: 600 * mib } }), settings)
    assert.match(refused.obstacles[0]!.message, /shard 7 do not fit: 1,000 series-blocks/)
  })

  it("adds up what is held at once, within the memory", () => {
    const jobs = Array.from({ length: 20 }, (_, shard) => job({ shard, metadataBytes: mib }))
    const few = makeForecast(listed(jobs), settings).memory.peak
    assert.isAbove(few, 8 * mib)
    const small = makeForecast(listed(jobs), { ...settings, memoryBytes: 32 * mib })
    assert.isAtMost(small.memory.peak, 32 * mib)
    assert.isBelow(few, 512 * mib)
  })

  it("tells peers that are silent from peers that are too few, and the worst first", () => {
    const failure = { _tag: "PeerFailure", peer: "b", address: "b:9000", reason: "timeout", message: "silent" } as const
    const silent = makeForecast(
      listed([job({ listed: [share(0, 1, 1)], levelMet: false })], { failures: [undefined, failure] }),
      settings
    )
    assert.deepStrictEqual([faults(silent), forecastCode(silent)], [["peers"], 3])
    assert.include(silent.risks, "b does not list: timeout: silent")
    const both = makeForecast(
      listed([
        job({ listed: [share(0, 1, 1)], levelMet: false }),
        job({ shard: 1, holders: 1, listed: [share(0, 1, 1)], levelMet: false })
      ]),
      settings
    )
    assert.deepStrictEqual([faults(both), forecastCode(both), both.blocks.belowLevel], [["holders", "peers"], 1, 2])
    const text = forecastText(both, settings)
    assert.match(text, /^a run CANNOT finish at level majority as things stand\n {2}too few peers hold shard 1: /)
    assert.match(
      text,
      /too few peers listed shard 0: level majority needs 2 of 2 peers, 1 listed; what to do: bring back/
    )
  })
})
