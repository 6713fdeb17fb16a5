/** `peerstrap-m3db bootstrap` from its bundle against three replicas of a load, and what it took. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { startServing, whenEnding } from "../method/Children.ts"
import { type AtExit, variable } from "./AtExit.ts"
import { blockSize, blockStart, type LoadSize, namespace } from "./LoadSource.ts"

export interface BootstrapTook {
  /** Wall time of the process, replicas started before. */
  readonly seconds: number
  readonly cpuSeconds: number
  /** Highest resident memory. */
  readonly peakBytes: number
  readonly ledgerBytes: number
  readonly ledgerPeakBytes: number
  /** Series-blocks stored, all of them in filesets that were read again. */
  readonly stored: number
  readonly filesets: number
}

interface ResultDocument {
  readonly report: {
    readonly memory: { readonly capacity: number; readonly peak: number }
    readonly seriesBlocks: { readonly stored: number }
  }
  readonly verification: { readonly filesets: number; readonly damaged: number } | null
}

const peers = ["a", "b", "c"]
const preload = new URL("AtExit.ts", import.meta.url).href

const measure = async (bundle: string, args: ReadonlyArray<string>, folder: string): Promise<BootstrapTook> => {
  const told = join(folder, "at-exit.json")
  const began = performance.now()
  const child = spawn(process.execPath, ["--import", preload, bundle, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, [variable]: told }
  })
  // Without its replicas it would go on trying.
  whenEnding(() => child.kill("SIGKILL"))
  const [out, errors, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close")
  ])
  const seconds = (performance.now() - began) / 1000
  if (code !== 0) throw new Error(`bootstrap ended with ${code ?? signal}: ${out}${errors.slice(-4000)}`)
  const { report, verification } = JSON.parse(out) as ResultDocument
  if (verification === null || verification.damaged > 0) throw new Error(`filesets are not whole: ${out}`)
  const { cpuSeconds, peakBytes } = JSON.parse(readFileSync(told, "utf8")) as AtExit
  return {
    seconds,
    cpuSeconds,
    peakBytes,
    ledgerBytes: report.memory.capacity,
    ledgerPeakBytes: report.memory.peak,
    stored: report.seriesBlocks.stored,
    filesets: verification.filesets
  }
}

/** One run into a fresh folder below `directory`, removed afterwards. Throws when it does not bring everything, whole. */
export const runBootstrap = async (
  bundle: string,
  size: LoadSize,
  memory: string,
  directory: string
): Promise<BootstrapTook> => {
  mkdirSync(directory, { recursive: true })
  const folder = mkdtempSync(join(directory, "memory-"))
  whenEnding(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }))
  const numbers = [size.series, size.blocks, size.shards, size.points]
  const script = new URL("LoadReplica.ts", import.meta.url)
  const replicas = await Promise.all(peers.map(() => startServing<{ readonly address: string }>(script, numbers)))
  try {
    const took = await measure(bundle, [
      "bootstrap",
      ...replicas.flatMap(({ ready }, index) => ["--peer", `${peers[index]}=${ready.address}`]),
      `--namespace=${namespace}`,
      `--num-shards=${size.shards}`,
      "--block-size=2h",
      `--from=${blockStart}`,
      `--to=${blockStart + BigInt(size.blocks) * blockSize}`,
      `--memory=${memory}`,
      `--out=${join(folder, "out")}`,
      "--json"
    ], folder)
    if (took.stored !== size.series * size.blocks) throw new Error(`${took.stored} series-blocks were stored`)
    return took
  } finally {
    for (const { stop } of replicas) stop()
    rmSync(folder, { recursive: true, force: true })
  }
}
