import { assert, describe, it } from "@effect/vitest"
import { allFlags, commandHelp, flagName, programHelp, readSettings } from "@peerstrap/command-line"
import { seededSpec } from "@peerstrap/m3db-wire/testing"
import { commands, program } from "../src/commands/Commands.ts"
import { behaviourFlag, behaviourList, type ReplicaBehaviour } from "../src/replicas/ReplicaBehaviour.ts"
import { completeBlocksStart, decodePlan, encodePlan, replicaPlans } from "../src/replicas/ReplicaPlan.ts"

const refusal = (given: string): string => {
  assert.isUndefined(behaviourFlag.parse(given))
  return behaviourFlag.explain!(given)
}

const read = (args: string) => {
  const [name, ...argv] = args.split(" ")
  const command = commands.find((each) => each.name === name)!
  const context = { nowNanos: 0n, read: (path: string) => ({ problem: path }) }
  const { problems } = readSettings(command, commands.map((each) => each.name), argv, context)
  return problems.map(({ message, where }) => `${where}: ${message}`)
}

describe("command line", () => {
  it("has help with every flag, and examples that are accepted, for every command", () => {
    const all = programHelp(program)
    for (const command of commands) {
      const help = commandHelp(program, command)
      assert.equal(all.includes(command.summary), command.internal !== true)
      assert.isAbove(command.examples.length, 0)
      for (const [key, { type }] of Object.entries(allFlags(command))) {
        assert.include(help, `--${flagName(key)}`)
        if (type.placeholder !== "") assert.notStrictEqual(type.parse(type.example), undefined, key)
      }
      for (const { args } of command.examples) assert.deepEqual(read(args), [], args)
    }
  })

  it("tells what flags say together, beside what is wrong with single ones", () => {
    const problems = read("replicas --replicas 2 --base-port 65535 --behaviour C:delay:1 --active 3 --seed x more")
    assert.deepEqual(problems.map((each) => each.split(":")[0]).toSorted(), [
      "--active",
      "--base-port",
      "--behaviour",
      "--seed",
      "argument 1"
    ])
    assert.include(problems.join("\n"), "--behaviour: there is no replica C, the last one is B")
    assert.include(problems.join("\n"), "--base-port: 2 replicas from port 65535 on go beyond 65535")
    assert.match(read("demo everything").join(), /"everything": no such demonstration; there are: all, replicas, chain/)
  })

  it("takes block sizes of whole seconds, as the bootstrapper is told them", () => {
    assert.deepEqual(read("replicas --block-size 1h30m"), [])
    assert.match(
      read("replicas --block-size 1500ms").join(),
      /--block-size: "1500ms"; want a duration of whole seconds/
    )
  })

  it("keeps control characters of what was given from the terminal", () => {
    for (const given of ["B:\u001b[2J", "B:slow:\u009b", "\u001b", "B:lack-series:\u0007"]) {
      // oxlint-disable-next-line no-control-regex
      assert.notMatch(read(`replicas --behaviour ${given} --host ${given}`).join(""), /[\u0000-\u001f\u007f-\u009f]/)
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
      assert.isDefined(parsed)
      return parsed as ReplicaBehaviour
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
