/** What goes wrong on our own side: the disk, memory, the deadline (the clock: WholeStack). No peer has evidence against it with verdict `peer` for that. */
import { assert, describe, it } from "@effect/vitest"
import { seedsFor } from "@peerstrap/simulator"
import { faultRows } from "./Behaviours.ts"
import { blameOf, fullSize, makeTruth, type Played, playFaults, type PlayOptions, wrongData } from "./FaultRun.ts"

const truths = seedsFor("fault-local", 1).map((seed) => makeTruth(seed, fullSize))

interface LocalFault {
  readonly name: string
  readonly options: PlayOptions
  readonly outcomes: ReadonlyArray<string>
  /** × healthy. */
  readonly ratio: number
}

const at = (share: number, what: (played: Played) => void): PlayOptions["before"] => (played) =>
  played.simulation.after(share * 1_500, () => what(played))

const localFaults: ReadonlyArray<LocalFault> = [
  {
    name: "the disk is full in mid-run",
    options: { before: at(0.5, ({ simulation }) => (simulation.failWrites = "no space left on device")) },
    outcomes: ["failed"],
    ratio: 1
  },
  {
    name: "a sink that takes 300 ms a write",
    options: { spec: { sinkDelay: 300 } },
    outcomes: ["complete"],
    ratio: 30
  },
  { name: "memory for little", options: { spec: { memoryBytes: 2 << 20 } }, outcomes: ["complete"], ratio: 4 },
  { name: "memory for nothing", options: { spec: { memoryBytes: 100_000 } }, outcomes: ["failed"], ratio: 1 },
  {
    name: "our deadline",
    options: { before: at(0.5, ({ simulation }) => simulation.send({ _tag: "stop", why: "deadline" })) },
    outcomes: ["deadline"],
    ratio: 1
  },
  {
    name: "stopped by hand",
    options: { before: at(0.2, ({ simulation }) => simulation.send({ _tag: "stop", why: "stopped" })) },
    outcomes: ["stopped"],
    ratio: 1
  }
]

const legalRows = faultRows.filter(({ name }) =>
  ["delay:20", "error:overloaded:4", "not-bootstrapped:1", "rate-limit:5", "unmerged:3", "wiped"].includes(name)
)

const judge = (fault: LocalFault, rows: typeof legalRows): void => {
  for (const truth of truths) {
    const played = playFaults(truth, rows, fault.options)
    const { simulation } = played
    assert.include(fault.outcomes, simulation.run.outcome?._tag, JSON.stringify(simulation.run.waits().slice(0, 2)))
    const { outcome } = simulation.run
    if (outcome?._tag === "complete") assert.deepStrictEqual(wrongData(truth, played), [])
    if (outcome?._tag === "failed") assert.strictEqual(outcome.fault, "self", outcome.message)
    for (const peer of ["A", "B", "C"]) assert.deepStrictEqual(blameOf(played, peer), [], peer)
    assert.isAtMost(played.tookMillis, fault.ratio * truth.healthyMillis("majority") + 2_000)
    assert.strictEqual(simulation.ledger.used, 0)
  }
}

describe("a fault of ours, three honest replicas: nobody is blamed", { timeout: 60_000 }, () => {
  for (const fault of localFaults) {
    it(fault.name, () => judge(fault, []))
    for (const row of legalRows) it(`${fault.name}, one does what is legal: ${row.name}`, () => judge(fault, [row]))
  }
})
