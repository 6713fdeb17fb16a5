import { assert, describe, it } from "@effect/vitest"
import { allFlags, commandHelp, flagName, programHelp, readSettings } from "@peerstrap/command-line"
import { commands, program } from "../src/commands/Commands.ts"

const names = commands.map(({ name }) => name)
const noFiles = {
  nowNanos: 1_795_341_600_000_000_000n,
  read: (path: string) => ({ problem: `${path} is not read here` })
}

describe("help", () => {
  it("lists every command, and every flag of each with its default", () => {
    for (const command of commands) {
      assert.include(programHelp(program), `  ${command.name}`)
      const help = commandHelp(program, command)
      for (const [key, flag] of Object.entries(allFlags(command))) {
        const at = help.indexOf(`  --${flagName(key)}`)
        assert.isAbove(at, 0, `${command.name} --${flagName(key)}`)
        if (flag.defaultText !== undefined) assert.include(help.replace(/\s+/g, " "), `Default: ${flag.defaultText}.`)
      }
    }
  })

  it("has examples that the parser takes", () => {
    for (const command of commands) {
      assert.isNotEmpty(command.examples, command.name)
      for (const { args } of command.examples) {
        const [name, ...argv] = args.split(/ [>|] /)[0]!.split(" ")
        assert.strictEqual(name, command.name)
        const { problems } = readSettings(command, names, argv, noFiles)
        // Files that an example names do not exist here; without them what they would say is missing.
        const other = /is not read here/.test(JSON.stringify(problems)) ? [] : problems
        assert.deepStrictEqual(other, [], args)
      }
    }
  })

  it("wins over everything else on the command line", () => {
    for (const command of commands) {
      for (const word of ["--help", "-h"]) {
        const { help, problems } = readSettings(command, names, ["--nonsense", word], noFiles)
        assert.isTrue(help)
        assert.deepStrictEqual(problems, [])
      }
    }
  })

  it("has an example value for each flag that its own type accepts", () => {
    for (const command of commands) {
      for (const [key, { type }] of Object.entries(allFlags(command))) {
        if (type.placeholder !== "") assert.notStrictEqual(type.parse(type.example), undefined, flagName(key))
      }
    }
  })
})
