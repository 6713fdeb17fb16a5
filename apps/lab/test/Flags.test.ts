import { assert, describe, it } from "@effect/vitest"
import { seededSpec } from "@peerstrap/m3db-wire/testing"
import { readArguments } from "../src/cli/Arguments.ts"
import { commandHelp, programHelp } from "../src/cli/Command.ts"
import { duration, flagName, integer, many, Refused, text, time, toggle, withDefault } from "../src/cli/Flag.ts"
import { commands } from "../src/commands/Commands.ts"
import { behaviourFlag, behaviourList } from "../src/replicas/ReplicaBehaviour.ts"
import { completeBlocksStart, decodePlan, encodePlan, replicaPlans } from "../src/replicas/ReplicaPlan.ts"

const flags = {
  count: withDefault(integer(1, 9), "3", "how many"),
  blockSize: withDefault(duration, "2h", "size"),
  word: many(text("WORD", "a word", (given) => /^\w+$/.test(given)), "words"),
  quiet: toggle("no words")
}

const refusal = (given: string): string => {
  const parsed = behaviourFlag.parse(given)
  assert.instanceOf(parsed, Refused)
  return parsed.message
}

describe("command line", () => {
  it("reads values, defaults, lists, switches and operands", () => {
    const read = readArguments(flags, ["--word", "a", "x", "--word=b", "--quiet", "--block-size=90m", "--", "--count"])
    assert.deepEqual(read.problems, [])
    assert.deepEqual(read.operands, ["x", "--count"])
    assert.deepEqual(read.settings, { count: 3, blockSize: 5_400_000_000_000n, word: ["a", "b"], quiet: true })
    assert.isFalse(readArguments(flags, ["--quiet=false"]).settings.quiet)
  })

  it("tells every problem at once", () => {
    const { problems } = readArguments(flags, [
      "--count=10",
      "--nope",
      "--quiet=maybe",
      "--block-size",
      "1h",
      "--block-size",
      "2h",
      "--word"
    ])
    assert.lengthOf(problems, 5)
    assert.match(problems.join("\n"), /--count: "10" is not a whole number from 1 to 9/)
    assert.match(problems.join("\n"), /"--nope": no such flag; there are: --count --block-size/)
    assert.match(problems.join("\n"), /--quiet: "maybe" is neither/)
    assert.match(problems.join("\n"), /--block-size: given twice/)
    assert.match(problems.join("\n"), /--word: a value is missing \(WORD\)/)
  })

  it("keeps control characters of what was given from the terminal", () => {
    const { problems } = readArguments(flags, ["--count=\u001b[2J\u009b"])
    // oxlint-disable-next-line no-control-regex
    assert.notMatch(problems.join(""), /[\u001b\u009b]/)
  })

  it("reads times and durations, and refuses dates that do not exist", () => {
    assert.equal(time.parse("2026-11-21T10:00:00Z"), 1_795_255_200_000_000_000n)
    assert.equal(time.parse("1795255200000000000"), 1_795_255_200_000_000_000n)
    for (const wrong of ["2026-02-30T00:00:00Z", "9223372036854775808", "1969-12-31T23:59:59Z", "now", ""]) {
      assert.instanceOf(time.parse(wrong), Refused, wrong)
    }
    for (const wrong of ["0h", "2", "2d", "-1h", ""]) assert.instanceOf(duration.parse(wrong), Refused, wrong)
  })

  it("has help with every flag and examples for every command", () => {
    const all = programHelp(commands)
    for (const command of commands) {
      const help = commandHelp(command)
      assert.equal(all.includes(command.summary), command.internal !== true)
      assert.isAbove(command.examples.length, 0)
      for (const key of Object.keys(command.flags)) assert.include(help, `--${flagName(key)}`)
      for (const { args } of command.examples) {
        const own = readArguments(command.flags, args.split(" ").slice(1))
        assert.deepEqual([...own.problems, ...command.check(own.settings, own.operands)], [], args)
      }
    }
  })
})

describe("behaviours of replicas", () => {
  it("splits differences of the data from misbehaviours", () => {
    assert.deepEqual(behaviourFlag.parse("B:lack-series:5/2+delay:20,other-values:3"), {
      id: "B",
      variation: { lackSeries: { every: 5, remainder: 2 }, otherValues: { every: 3, remainder: 0 } },
      behaviours: "delay:20"
    })
  })

  it("says what exists when a name is wrong, and how it is written when an argument is", () => {
    assert.match(refusal("B:lazy"), /no behaviour "lazy"; there are: slow.*of the data: lack-series:K/)
    assert.match(refusal("B:lack-series"), /want lack-series:K or/)
    assert.match(refusal("B:slow:x"), /want slow:BYTES_PER_S/)
    assert.match(refusal("lack-series:5"), /is not a replica and a list/)
  })

  it("adds up for one replica and crosses to another process unchanged", () => {
    const behaviours = ["B:lack-series:5", "B:delay:20", "B:slow:1000"].map((each) => {
      const parsed = behaviourFlag.parse(each)
      assert.notInstanceOf(parsed, Refused)
      return parsed as Exclude<typeof parsed, Refused>
    })
    const plans = replicaPlans({ replicas: 2, host: "127.0.0.1", basePort: 7_000, spec: seededSpec(), behaviours })
    assert.deepEqual(plans.map(({ behaviours, id, port }) => [id, port, behaviours]), [["A", 7_000, ""], [
      "B",
      7_001,
      "delay:20+slow:1000"
    ]])
    assert.deepEqual(plans[1]?.variation, { lackSeries: { every: 5, remainder: 0 } })
    assert.deepEqual(decodePlan(encodePlan(plans[1]!)), plans[1])
  })

  it("lists them all for people", () => {
    assert.match(behaviourList(), /lack-series:K\[\/R\] +every K-th[^]*die-after:CALLS/)
  })
})

describe("block range", () => {
  it("ends with the newest block that takes no more writes", () => {
    const hour = 3_600_000_000_000n
    const ten = 10n * hour
    assert.equal(completeBlocksStart(ten + 600_000_000_000n, 2n * hour, 2), ten - 4n * hour)
    assert.equal(completeBlocksStart(ten + 599_999_999_999n, 2n * hour, 2), ten - 6n * hour)
  })
})
