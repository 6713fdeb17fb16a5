/** `config.md`: keys of the config file. Those under a command are its flags, those of a part are its plugin's Schema. */
import { allFlags, type Command, flagName, listedCommands, type Program } from "@peerstrap/command-line"
import { programs } from "./Cli.ts"
import { configTable, pluginModules } from "./Plugins.ts"
import { code, page, table } from "./Sources.ts"

const notInFile = new Set(["config", "help", "json"])

const commandSection = (program: Program, command: Command): string => {
  const rows = Object.entries(allFlags(command)).filter(([key]) => !notInFile.has(key)).map(([key, flag]) => {
    const { expected, placeholder } = flag.type
    const takes = placeholder === "" ? "true or false" : expected
    return [
      code(flagName(key)),
      flag.repeatable ? `list of: ${takes}` : takes,
      flag.required ? "required" : flag.defaultText ?? "none",
      flag.help
    ]
  })
  return `### ${program.name}: \`${command.name}:\`\n\n${table(["key", "takes", "default", ""], rows)}`
}

export const configPage = async (): Promise<string> => {
  const all = await programs()
  const parts = (await pluginModules()).flatMap(({ plugins }) => plugins.map(([, plugin]) => plugin))
    .toSorted((a, b) => a.id < b.id ? -1 : 1)
  const commands = all.flatMap((program) =>
    listedCommands(program).filter(({ noConfigFile }) => noConfigFile !== true).map((command) =>
      commandSection(program, command)
    )
  )
  return page(
    "Config files",
    "One YAML document for `--config FILE`: a command's name, and its flags' names under it. Flags of the command line win. `plugins:` stands\n" +
      "beside it, a list of parts: `use` names a plugin, `from` a file or an npm package it comes from, `with` is its config,\n" +
      "`as` a name of its own, where a plugin has several parts. A flag that such a part leaves without effect is refused: leave one of the two out.",
    `## Keys under a command\n\n${commands.join("\n")}\n## Keys of \`with:\` under \`plugins:\`\n\n${
      parts.map((plugin) => `### ${code(plugin.id)}\n\n${plugin.summary}\n\n${configTable(plugin)}`).join("\n")
    }`
  )
}
