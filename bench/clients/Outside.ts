/**
 * A program measured from outside, so that a rival in any language and our own side are measured alike: wall time from its start to its
 * end; CPU time and peak resident memory from `/proc/PID`, read every 10 ms until it ends (the peak is the kernel's own high-water mark,
 * so at most what the last 10 ms added is missed, and as much CPU time). Programs that it starts are not counted.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { text } from "node:stream/consumers"

export interface OutsideMeasured {
  /** From the start of the process to its end. */
  readonly seconds: number
  /** User and system time. */
  readonly cpuSeconds: number
  readonly peakMebibytes: number
  /** What it says that it got. */
  readonly items: number
  readonly bytes: number
}

const everyMillis = 10

/** `_SC_CLK_TCK`, in which the kernel tells times: 100 on every Linux that Node runs on. */
const ticksPerSecond = 100

interface Usage {
  readonly cpuSeconds: number
  readonly peakMebibytes: number
}

/** Undefined when the process has ended. */
const usageOf = (pid: number): Usage | undefined => {
  try {
    // The second field is the program's name in parentheses, which may hold spaces; utime and stime are fields 14 and 15.
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1")
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1]
    if (peak === undefined) return undefined
    return {
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
      peakMebibytes: Number(peak) / 1024
    }
  } catch {
    return undefined
  }
}

const counted = (line: string): { readonly blocks: number; readonly bytes: number } | undefined => {
  try {
    const { blocks, bytes } = JSON.parse(line) as { readonly blocks?: unknown; readonly bytes?: unknown }
    return typeof blocks === "number" && typeof bytes === "number" ? { blocks, bytes } : undefined
  } catch {
    return undefined
  }
}

/** Runs a program whose last line of standard output is JSON with the numbers `blocks` and `bytes`; fails loudly otherwise. */
export const runOutside = async (command: ReadonlyArray<string>): Promise<OutsideMeasured> => {
  const [file, ...args] = command
  const began = process.hrtime.bigint()
  const child = spawn(file!, args, { stdio: ["ignore", "pipe", "inherit"] })
  let last: Usage | undefined
  const sample = setInterval(() => {
    last = (child.pid === undefined ? undefined : usageOf(child.pid)) ?? last
  }, everyMillis)
  let ended = began
  const closed = once(child, "exit").then((result) => {
    ended = process.hrtime.bigint()
    return result
  })
  const [out, [code, signal]] = await Promise.all([text(child.stdout), closed]).finally(() => clearInterval(sample))
  const told = counted(out.trim().split("\n").at(-1) ?? "")
  if (code !== 0 || told === undefined || last === undefined) {
    throw new Error(`${command.join(" ")}\nended with ${code ?? signal} and printed: ${out}`)
  }
  return { seconds: Number(ended - began) / 1e9, ...last, items: told.blocks, bytes: told.bytes }
}
