/** What a load run tells: time and the highest resident memory, of a process of its own. */
export interface Load {
  readonly seconds: number
  readonly items: number
  /** MiB: highest seen of the whole process, Node itself included. */
  readonly peakMebibytes: number
  /** MiB before the load. */
  readonly startMebibytes: number
}

const looksApart = 4_096
const mebibyte = 2 ** 20

/** `look` is cheap: memory is read every 4096th time. `own`: seconds that count, when not all that passes does. */
export const startLoad = () => {
  globalThis.gc?.()
  const start = process.memoryUsage.rss()
  const began = performance.now()
  let peak = start
  let looks = 0
  const look = (): void => {
    if (looks++ % looksApart === 0) peak = Math.max(peak, process.memoryUsage.rss())
  }
  const end = (items: number, own?: number): Load => ({
    seconds: own ?? (performance.now() - began) / 1000,
    items,
    peakMebibytes: Math.max(peak, process.memoryUsage.rss()) / mebibyte,
    startMebibytes: start / mebibyte
  })
  return { look, end }
}

export const tellLoad = (load: Load): void => {
  process.stdout.write(`${JSON.stringify(load)}\n`)
}
