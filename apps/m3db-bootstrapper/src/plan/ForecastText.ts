/** A forecast for people, for programs, and as an exit code. Pure. */
import { ExitCode } from "@peerstrap/command-line"
import { formatBytes, formatCount, formatDuration, formatRate } from "@peerstrap/progress"
import {
  type Forecast,
  type ForecastSettings,
  type Obstacle,
  type PeerForecast,
  readAgainBytesPerSecond
} from "./Forecast.ts"

const codes: Readonly<Record<Obstacle["fault"], ExitCode>> = {
  usage: ExitCode.usage,
  holders: ExitCode.no,
  peers: ExitCode.peers,
  local: ExitCode.local
}

/** That of the first obstacle: usage, too few holders, peers, this machine. */
export const forecastCode = ({ obstacles }: Forecast): ExitCode =>
  obstacles.length === 0 ? ExitCode.done : codes[obstacles[0]!.fault]

const header = ["PEER", "ADDRESS", "SERIES", "BLOCKS", "BYTES", "TO FETCH", "BYTES", "LISTED/S"] as const

const rowOf = (peer: PeerForecast): ReadonlyArray<string> => [
  peer.id,
  peer.address,
  ...(peer.failure !== undefined && peer.listedJobs === 0
    ? ["–", "–", "–", "–", "–"]
    : [
      formatCount(peer.series),
      formatCount(peer.heldBlocks),
      formatBytes(peer.heldBytes),
      formatCount(peer.askedBlocks),
      formatBytes(peer.askedBytes)
    ]),
  peer.listedPerSecond === undefined ? "–" : formatCount(peer.listedPerSecond)
]

const tableLines = ({ peers, total }: Forecast): Array<string> => {
  const rows = [
    header,
    ...peers.map(rowOf),
    ["all", "", "", "", "", formatCount(total.askedBlocks), formatBytes(total.askedBytes), ""]
  ]
  const widths = header.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows.map((row) =>
    `  ${row.map((cell, at) => (at < 2 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!))).join("  ").trimEnd()}`
  )
}

const diskLine = ({ disk }: Forecast): string => {
  const most = disk.atMost > disk.needed ? ` (up to ${formatBytes(disk.atMost)} where merged blocks grow)` : ""
  const free = disk.free === undefined
    ? "; give --out to compare it with a disk"
    : `, ${formatBytes(disk.free)} are free`
  return `  disk: about ${formatBytes(disk.needed)}${most}${free}`
}

export const forecastText = (forecast: Forecast, settings: ForecastSettings): string => {
  const { blocks, memory, obstacles, risks, timeMillis, total } = forecast
  const { assumedBlocksPerSecond, assumedBytesPerSecond, level } = settings
  const waited = forecast.peers.some(({ failure }) => failure !== undefined) ? ", with the wait for who is silent" : ""
  const lines = [
    obstacles.length === 0
      ? `a run can finish at level ${level}`
      : `a run CANNOT finish at level ${level} as things stand`,
    ...obstacles.map(({ message, remedy }) => `  ${message}; what to do: ${remedy}`),
    ...tableLines(forecast),
    `  work: ${formatCount(total.series)} series, ${formatCount(total.seriesBlocks)} series-blocks, ${
      formatBytes(total.bytes)
    }; ${formatCount(total.fanOut)} differ and are fetched from every peer that has them, ${
      formatCount(total.absentOnSome)
    } are absent on some`,
    `  blocks: ${formatCount(blocks.total)} to write, ${formatCount(blocks.empty)} of them empty, ${
      formatCount(blocks.kept)
    } kept, ${formatCount(blocks.belowLevel)} below the level`,
    `  time: about ${formatDuration(timeMillis.total)}: listing ${
      formatDuration(timeMillis.listing)
    } (measured${waited}), data ${formatDuration(timeMillis.data)} (if each peer sends ${
      formatRate(assumedBytesPerSecond)
    } and ${formatCount(assumedBlocksPerSecond)} series-blocks/s), reading again ${
      formatDuration(timeMillis.readingAgain)
    } (at ${formatRate(readAgainBytesPerSecond)})`,
    `  memory: at most about ${formatBytes(memory.peak)} of ${
      formatBytes(memory.capacity)
    }; the largest job's metadata ${formatBytes(memory.largestJob)}`,
    diskLine(forecast),
    ...risks.map((risk) => `  risk: ${risk}`)
  ]
  return `${lines.join("\n")}\n`
}

export const forecastJson = (forecast: Forecast, settings: ForecastSettings) => ({
  ...forecast,
  canFinish: forecast.obstacles.length === 0,
  level: settings.level,
  peers: forecast.peers.map((peer) => ({
    ...peer,
    listedPerSecond: peer.listedPerSecond === undefined ? null : Math.round(peer.listedPerSecond),
    failure: peer.failure ?? null
  })),
  disk: { ...forecast.disk, free: forecast.disk.free ?? null },
  assumed: {
    peerBytesPerSecond: settings.assumedBytesPerSecond,
    peerBlocksPerSecond: settings.assumedBlocksPerSecond,
    readAgainBytesPerSecond
  }
})
