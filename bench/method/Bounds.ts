/** Loads that must stay within bounds: each run in a fresh process, the worst one counts. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { text } from "node:stream/consumers"
import { fileURLToPath } from "node:url"
import type { Load } from "../load/Load.ts"
import { type Machine, machineLine } from "./Machine.ts"
import { median } from "./Statistics.ts"

export interface BoundedLoad {
  readonly row: string
  readonly what: string
  readonly mostSeconds: number
  readonly mostMebibytes: number
  readonly runs: ReadonlyArray<Load>
}

export const runLoad = async (script: URL, args: ReadonlyArray<string>): Promise<Load> => {
  const flags = ["--conditions=@peerstrap/source", "--expose-gc"]
  const child = spawn(process.execPath, [...flags, fileURLToPath(script), ...args], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  const [out, [code, signal]] = await Promise.all([text(child.stdout), once(child, "close")])
  if (code !== 0) throw new Error(`${script.pathname} ended with ${code ?? signal}: ${out}`)
  return JSON.parse(out) as Load
}

const verdict = (worst: number, most: number): string => worst <= most ? "met" : "missed"

export const printLoads = (machine: Machine, loads: ReadonlyArray<BoundedLoad>, json: boolean): void => {
  if (json) return console.log(JSON.stringify({ measuredAt: new Date().toISOString(), machine, loads }))
  console.log(machineLine(machine))
  for (const { mostMebibytes, mostSeconds, row, runs, what } of loads) {
    const seconds = runs.map((run) => run.seconds)
    const peaks = runs.map((run) => run.peakMebibytes)
    const [worstSeconds, worstPeak] = [Math.max(...seconds), Math.max(...peaks)]
    const before = median(runs.map((run) => run.startMebibytes))
    console.log(`\n${row}  ${what}, ${runs.length} runs`)
    console.log(
      `  time    median ${median(seconds).toFixed(1)} s, worst ${worstSeconds.toFixed(1)} s, ` +
        `at most ${mostSeconds} s: ${verdict(worstSeconds, mostSeconds)}`
    )
    console.log(
      `  memory  median ${median(peaks).toFixed(0)} MiB resident, worst ${worstPeak.toFixed(0)} MiB ` +
        `(${before.toFixed(0)} before the load), at most ${mostMebibytes} MiB: ${verdict(worstPeak, mostMebibytes)}`
    )
  }
}
