/**
 * Tells a `--block-size` that fits all block starts and is still too short (1 h for 2 h): points then lie outside of their blocks. Only data
 * show that, so where metadata leave it open, one series-block of a few jobs is fetched.
 */
import type { NodeClient } from "@peerstrap/m3db-wire"
import * as Effect from "effect/Effect"
import { BlockSizeWatch, type Misfit } from "../bootstrap/BlockSizeWatch.ts"
import { fetchCopies } from "../diff/FetchCopies.ts"
import type { JobForecast } from "./JobForecast.ts"

/** Series-blocks fetched at most. */
const maxSamples = 4

/** Two neighbours that both hold data cannot be halves of one longer block. */
const isOpen = (forecasts: ReadonlyArray<JobForecast>, blockSize: bigint): boolean => {
  const held = new Set(
    forecasts.flatMap(({ blocks }) => blocks.filter((block) => block.seriesBlocks > 0).map((block) => block.blockStart))
  )
  return held.size > 0 && ![...held].some((start) => held.has(start + blockSize))
}

/** Undefined when the block size fits, or nothing says that it does not. */
export const lookAtSamples = Effect.fnUntraced(function*(options: {
  readonly forecasts: ReadonlyArray<JobForecast>
  /** By index in the plan. */
  readonly clients: ReadonlyArray<NodeClient>
  readonly namespace: string
  /** ns. */
  readonly blockSize: bigint
  readonly patienceMillis: number
}) {
  const { blockSize, clients, forecasts, patienceMillis } = options
  if (!isOpen(forecasts, blockSize)) return undefined
  const watch = new BlockSizeWatch(blockSize)
  const namespace = new TextEncoder().encode(options.namespace)
  const samples = forecasts.flatMap(({ sample }) => (sample === undefined ? [] : [sample])).slice(0, maxSamples)
  for (const { blockStart, id, peer, shard } of samples) {
    const ask = { namespace, shard, deadlineMillis: patienceMillis, onRetry: () => Effect.void }
    const [copy] = yield* fetchCopies(clients[peer]!, [{ id, blockStart }], ask).pipe(Effect.orElseSucceed(() => []))
    if (typeof copy === "object") { for (const segment of copy) watch.lookAt(segment, blockStart) }
  }
  return watch.verdict satisfies Misfit | undefined
})
