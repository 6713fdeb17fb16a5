/**
 * S6: the complete decoder of block answers beside a prototype with a fixed order of fields. Both are in
 * `packages/m3db-wire/bench/Decode.bench.ts`, which times them in turns within a process; here that runs in fresh processes.
 * Usage: npm run bench -- S6 [--pairs 12] [--bytes 200] [--json]
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { text } from "node:stream/consumers"
import { fileURLToPath } from "node:url"
import { machine } from "./method/Machine.ts"
import { benchOptions, progress } from "./method/Options.ts"
import { compare } from "./method/Pairs.ts"
import { print, type Result } from "./method/Report.ts"
import type { Measured } from "./method/Side.ts"

const script = fileURLToPath(new URL("../packages/m3db-wire/bench/Decode.bench.ts", import.meta.url))
const options = benchOptions({ blockBytes: [200] })
const measuredOn = machine()
const blocks = 4_096

const decodeBench = async (blockBytes: number): Promise<string> => {
  const args = ["--conditions=@peerstrap/source", script, String(blockBytes), String(blocks)]
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] })
  const [out, [code]] = await Promise.all([text(child.stdout), once(child, "close")])
  if (code !== 0) throw new Error(`${script} ended with ${code}`)
  return out
}

/** The median round of one decoder: `NAME   12.34 M blocks/s  …`. Rounds are too short for the CPU clock. */
const measuredIn = (out: string, name: string): Measured => {
  const found = new RegExp(`^${name} +([\\d.]+) M blocks/s`, "m").exec(out)
  const bytes = /answer of (\d+) B/.exec(out)
  if (found === null || bytes === null) throw new Error(`${script} prints no line "${name}": ${out}`)
  const seconds = blocks / (Number(found[1]) * 1e6)
  return { seconds, cpuSeconds: Number.NaN, bytes: Number(bytes[1]), items: blocks }
}

const results: Array<Result> = []
for (const blockBytes of options.blockBytes) {
  const outputs: Array<string> = []
  for (let run = 0; run < options.pairs; run++) {
    outputs.push(await decodeBench(blockBytes))
    progress(`run ${run + 1} of ${options.pairs}`)
  }
  const of = (name: string) => ({ name, runs: outputs.map((out) => measuredIn(out, name)) })
  for (const name of ["complete, a node's order", "complete, all backwards"]) {
    results.push({
      row: "S6",
      what: `${blocks} blocks of ${blockBytes} bytes, median rounds of ${options.pairs} processes`,
      goal: name === "complete, a node's order" ? 0.5 : undefined,
      comparison: compare(of(name), of("prototype, fixed order"))
    })
  }
}

print(measuredOn, results, options.json)
