/**
 * S2: the data path of a bootstrap into durable filesets beside `cp` and `sync -d` of the same files, on the same file system.
 * Usage: npm run bench -- S2 [--pairs 10] [--mib 256] [--bytes 200,2048,4096] [--dir DIR] [--json]
 */
import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs"
import { join } from "node:path"
import { whenEnding } from "./method/Children.ts"
import { machine } from "./method/Machine.ts"
import { benchOptions, progress } from "./method/Options.ts"
import { compare, runRounds } from "./method/Pairs.ts"
import { print, type Result } from "./method/Report.ts"
import { runSide } from "./method/Side.ts"
import { startFeeder } from "./replicas/StartFeeder.ts"

const options = benchOptions({ blockBytes: [200, 2_048, 4_096], pairs: 10 })
const measuredOn = machine()
const results: Array<Result> = []
mkdirSync(options.directory, { recursive: true })
const directory = mkdtempSync(join(options.directory, "S2-"))
whenEnding(() => rmSync(directory, { recursive: true, force: true }))

/** What the file system still has to write of earlier rounds must not slow the next side down. */
const settle = (): void => void execFileSync("sync", ["-f", directory])

const sizeOf = (folder: string): number =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)

for (const blockBytes of options.blockBytes) {
  progress(`preparing ${options.mebibytes} MiB of answers with blocks of ${blockBytes} bytes`)
  const feeder = await startFeeder(blockBytes, options.mebibytes)
  const numbers = [feeder.port, feeder.bytes, feeder.count, feeder.batchItems].map(String)
  const [source, target] = [join(directory, "source"), join(directory, "target")]
  const intoFilesets = async (folder: string) => {
    rmSync(folder, { recursive: true, force: true })
    settle()
    return runSide(new URL("files/FilesetSide.ts", import.meta.url), [folder, ...numbers])
  }
  await intoFilesets(source)
  const filesetBytes = sizeOf(source)
  const copy = async () => {
    rmSync(target, { recursive: true, force: true })
    settle()
    const sizes = [filesetBytes, feeder.count].map(String)
    return runSide(new URL("files/CopySide.ts", import.meta.url), [source, target, ...sizes])
  }
  const [ours, rival] = await runRounds(
    [{ name: "into filesets", run: () => intoFilesets(target) }, { name: "cp and sync -d", run: copy }],
    options.pairs,
    (round) => progress(`round ${round + 1} of ${options.pairs}`)
  )
  feeder.stop()
  results.push({
    row: "S2",
    what: `blocks of ${blockBytes} bytes, ${feeder.count} of them, ${filesetBytes} bytes of files`,
    goal: 0.4,
    comparison: compare({ name: "into filesets", runs: ours! }, { name: "cp and sync -d", runs: rival! })
  })
  rmSync(source, { recursive: true, force: true })
}

print(measuredOn, results, options.json)
