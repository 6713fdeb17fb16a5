/** Settings that are not the cluster's, from what was listed: by the rules by which a run ends with a usage error. Pure. */
import { isLargeForeignShare } from "@peerstrap/m3db-bootstrap"
import { formatCount } from "@peerstrap/progress"
import type { ForecastSettings, Obstacle } from "./Forecast.ts"
import type { JobForecast, PeerShare } from "./JobForecast.ts"
import type { JobsListed } from "./ListJobs.ts"

const reasons: Readonly<Record<string, string>> = {
  "unknown-namespace": "check --namespace",
  "other-protocol": "give the node port (9000): check --peer",
  "bad-request": "check --namespace, --num-shards and --block-size"
}

const refusedByAll = ({ failures }: JobsListed): string | undefined => {
  const [first] = failures
  return first !== undefined && failures.every((failure) => failure?.reason === first.reason) ? first.reason : undefined
}

/** Whether in some job enough peers, of those of which it `holds`, also agree. */
const isAgreed = (
  forecasts: ReadonlyArray<JobForecast>,
  holds: (share: PeerShare) => boolean,
  agrees: (job: JobForecast) => boolean
): boolean => forecasts.some((job) => agrees(job) && job.listed.filter(holds).length >= job.agreeing)

/** What peers listed of other shards, when that is no single peer's lie: who, and how much. */
const foreignOf = ({ forecasts }: JobsListed, { peers }: ForecastSettings): string | undefined => {
  const foreign = peers.map(() => 0)
  const rows = peers.map(() => 0)
  for (const { listed } of forecasts) {
    for (const { foreignBlocks, heldBlocks, peer } of listed) {
      foreign[peer]! += foreignBlocks
      rows[peer]! += foreignBlocks + heldBlocks
    }
  }
  const isWitness = (peer: number): boolean => isLargeForeignShare(foreign[peer]!, rows[peer]!)
  if (!isAgreed(forecasts, ({ peer }) => isWitness(peer), (job) => job.foreignAgreed > 0)) return undefined
  return peers.flatMap(({ id }, peer) =>
    isWitness(peer) ? [`${formatCount(foreign[peer]!)} of ${formatCount(rows[peer]!)} by ${id}`] : []
  ).join(", ")
}

/** Empty when the settings fit. */
export const usageObstacles = (listed: JobsListed, settings: ForecastSettings): ReadonlyArray<Obstacle> => {
  const { forecasts, misfit } = listed
  const obstacles: Array<Obstacle> = []
  const usage = (message: string, remedy: string) => obstacles.push({ fault: "usage", message, remedy })
  const remedy = reasons[refusedByAll(listed) ?? ""]
  if (remedy !== undefined) usage(`all peers say: ${listed.failures[0]!.message}`, remedy)
  const foreign = foreignOf(listed, settings)
  if (foreign !== undefined) {
    const { hashSeed, numShards } = settings
    usage(
      `series do not hash to the shard that they are listed for with ${numShards} shards and seed ${hashSeed}: ${foreign}`,
      "give the cluster's own --num-shards and --hash-seed"
    )
  }
  if (isAgreed(forecasts, ({ unaligned }) => unaligned > 0, () => true)) {
    usage("listed blocks begin between two block starts", "give the namespace's own --block-size")
  }
  if (misfit !== undefined) usage(misfit.message, misfit.remedy)
  return obstacles
}
