/** What the help of any program must hold to: complete, true, with examples that work. */
import assert from "node:assert/strict"
import type { Program } from "../contract/Program.ts"
import { allFlags } from "../engine/Arguments.ts"
import { flagName } from "../engine/FlagDefinition.ts"
import { commandHelp, programHelp } from "../engine/Help.ts"
import { readSettings } from "../engine/ReadSettings.ts"

/** How a test runner is told of a test: `it` of vitest, `test` of node:test, and others. */
export type RegisterTest = (name: string, run: () => void) => unknown

const noFiles = {
  nowNanos: 1_795_341_600_000_000_000n,
  read: (path: string) => ({ problem: `${path} is not read here` })
}

const listsEverything = (program: Program): void => {
  for (const command of program.commands) {
    assert.ok(programHelp(program).includes(`  ${command.name}`), command.name)
    const help = commandHelp(program, command)
    for (const [key, flag] of Object.entries(allFlags(command))) {
      assert.ok(help.includes(`  --${flagName(key)}`), `${command.name} --${flagName(key)}`)
      if (flag.defaultText === undefined) continue
      assert.ok(
        help.replace(/\s+/g, " ").includes(`Default: ${flag.defaultText}.`),
        `${command.name} --${flagName(key)}`
      )
    }
  }
}

const examplesParse = (program: Program): void => {
  const names = program.commands.map(({ name }) => name)
  for (const command of program.commands) {
    assert.notEqual(command.examples.length, 0, `${command.name} has no example`)
    for (const { args } of command.examples) {
      const [name, ...argv] = args.split(/ [>|] /)[0]!.split(" ")
      assert.equal(name, command.name)
      const { problems } = readSettings(command, names, argv, noFiles)
      // Files that an example names do not exist here; without them what they would say is missing.
      const other = /is not read here/.test(JSON.stringify(problems)) ? [] : problems
      assert.deepEqual(other, [], args)
    }
  }
}

const helpWins = (program: Program): void => {
  const names = program.commands.map(({ name }) => name)
  for (const command of program.commands) {
    for (const word of ["--help", "-h"]) {
      const { help, problems } = readSettings(command, names, ["--nonsense", word], noFiles)
      assert.equal(help, true, `${command.name} ${word}`)
      assert.deepEqual(problems, [])
    }
  }
}

const exampleValuesParse = (program: Program): void => {
  for (const command of program.commands) {
    for (const [key, { type }] of Object.entries(allFlags(command))) {
      if (type.placeholder !== "") {
        assert.notEqual(type.parse(type.example), undefined, `${command.name} --${flagName(key)}`)
      }
    }
  }
}

/**
 * Registers the checks of a program's help.
 *
 * `helpSuite(program, it)`
 */
export const helpSuite = (program: Program, register: RegisterTest): void => {
  register("lists every command, and every flag of each with its default", () => listsEverything(program))
  register("has examples that the parser takes", () => examplesParse(program))
  register("wins over everything else on the command line", () => helpWins(program))
  register("has an example value for each flag that its own type accepts", () => exampleValuesParse(program))
}
