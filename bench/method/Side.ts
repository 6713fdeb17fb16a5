/**
 * A side of a comparison: a program of its own that runs in a fresh process, does its work once and prints one JSON line. A side
 * imports only what it needs, so that neither pays for the other's code.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { text } from "node:stream/consumers"
import { fileURLToPath } from "node:url"

/** What a side tells. */
export interface Measured {
  /** Wall time of the timed part. */
  readonly seconds: number
  /** User and system time of the side's process in the timed part; NaN where it cannot be told. */
  readonly cpuSeconds: number
  /** Bytes handled in the timed part, as they came. */
  readonly bytes: number
  /** Items (blocks, reports, …) handled in the timed part. */
  readonly items: number
}

/** Flags with which the launcher runs a benchmark; a side runs under the same. */
const nodeFlags = ["--conditions=@peerstrap/source", "--expose-gc"]

const isMeasured = (value: unknown): value is Measured =>
  typeof value === "object" && value !== null &&
  ["seconds", "cpuSeconds", "bytes", "items"].every((key) => typeof Reflect.get(value, key) === "number")

/** Runs a side once; it fails loudly with whatever the side printed. */
export const runSide = async (script: URL, args: ReadonlyArray<string>): Promise<Measured> => {
  const child = spawn(process.execPath, [...nodeFlags, fileURLToPath(script), ...args], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  const [out, [code, signal]] = await Promise.all([text(child.stdout), once(child, "close")])
  if (code !== 0) throw new Error(`${script.pathname} ended with ${code ?? signal}: ${out}`)
  const measured: unknown = JSON.parse(out)
  if (!isMeasured(measured)) throw new Error(`${script.pathname} printed ${out}`)
  return measured
}

/** Clock of a side's timed part. */
export const startTiming = (): (counted: { readonly bytes: number; readonly items: number }) => Measured => {
  const cpu = process.cpuUsage()
  const began = process.hrtime.bigint()
  return (counted) => {
    const seconds = Number(process.hrtime.bigint() - began) / 1e9
    const { system, user } = process.cpuUsage(cpu)
    return { seconds, cpuSeconds: (user + system) / 1e6, ...counted }
  }
}

/** Prints a side's one line. */
export const tell = (measured: Measured): void => {
  process.stdout.write(`${JSON.stringify(measured)}\n`)
}
