/** The command line that all benchmarks share. */
import { resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"

/** Ignored by git, and on the file system of the repository. */
export const defaultDirectory = fileURLToPath(new URL("../../.peerstrap/bench", import.meta.url))

export interface BenchOptions {
  /** At least 10 for a ratio that counts; runs, where nothing is compared. */
  readonly pairs: number
  readonly json: boolean
  /** MiB of answers, where the benchmark has any. */
  readonly mebibytes: number
  /** Bytes a block. */
  readonly blockBytes: ReadonlyArray<number>
  /** Series of a load, where the benchmark has any. */
  readonly series: number
  /** Where files are written, where the benchmark writes any. */
  readonly directory: string
}

const whole = (name: string, text: string): number => {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new RangeError(`--${name} needs a whole number from 1, got "${text}"`)
  }
  return value
}

export const benchOptions = (
  defaults: { readonly blockBytes: ReadonlyArray<number>; readonly pairs?: number }
): BenchOptions => {
  const { values } = parseArgs({
    options: {
      pairs: { type: "string", default: String(defaults.pairs ?? 12) },
      mib: { type: "string", default: "256" },
      bytes: { type: "string" },
      series: { type: "string", default: "1000000" },
      dir: { type: "string", default: defaultDirectory },
      json: { type: "boolean", default: false }
    }
  })
  return {
    pairs: whole("pairs", values.pairs),
    mebibytes: whole("mib", values.mib),
    blockBytes: values.bytes === undefined
      ? defaults.blockBytes
      : values.bytes.split(",").map((text) => whole("bytes", text)),
    series: whole("series", values.series),
    directory: resolve(values.dir),
    json: values.json
  }
}

/** Progress goes to standard error: standard output is the result's alone. */
export const progress = (line: string): void => {
  process.stderr.write(`${line}\n`)
}
