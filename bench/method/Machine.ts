/** What the figures were measured on; printed with them, because they mean nothing without it. */
import { availableParallelism, cpus, loadavg, totalmem } from "node:os"

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly node: string
  readonly platform: string
  /** Load of the last minute before the measurement: above 0 the machine is shared. */
  readonly load: number
}

export const machine = (): Machine => ({
  cpu: cpus()[0]?.model.trim() ?? "unknown",
  cores: availableParallelism(),
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  node: process.version,
  platform: `${process.platform} ${process.arch}`,
  load: Number(loadavg()[0]!.toFixed(2))
})

export const machineLine = (m: Machine): string =>
  `${m.cores} cores ${m.cpu}, ${m.memoryGiB} GiB, ${m.platform}, Node ${m.node}, load ${m.load} before the run`
