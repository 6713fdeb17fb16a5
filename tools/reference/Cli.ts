/** `cli.md`: every command's help, from the tables that `--help` prints. */
import { commandHelp, listedCommands, type Program, programHelp } from "@peerstrap/command-line"
import { load, page } from "./Sources.ts"

export const programPaths = ["m3db-bootstrapper", "chain-bootstrapper", "lab"].map((app) =>
  `apps/${app}/src/commands/Commands.ts`
)

export const programs = (): Promise<ReadonlyArray<Program>> =>
  Promise.all(programPaths.map(async (path) => (await load(path))["program"] as Program))

const block = (text: string): string => `\`\`\`text\n${text}\`\`\`\n`

const sectionOf = (program: Program): string =>
  `## ${program.name}\n\n${block(programHelp(program))}` +
  listedCommands(program).map((command) =>
    `\n### ${program.name} ${command.name}\n\n${block(commandHelp(program, command))}`
  ).join("")

export const cliPage = async (): Promise<string> => {
  const all = await programs()
  const index = all.map((program) =>
    `- [${program.name}](#${program.name}): ${
      listedCommands(program).map(({ name }) => `[${name}](#${program.name}-${name.replaceAll(" ", "-")})`).join(", ")
    }\n`
  ).join("")
  return page(
    "Commands",
    "What each program prints for `--help`. `--json` makes standard output JSON alone, `-h` is `--help`.",
    `${index}\n${all.map(sectionOf).join("\n")}`
  )
}
