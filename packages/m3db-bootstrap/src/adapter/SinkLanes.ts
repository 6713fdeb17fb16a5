/**
 * Writes to the sink run in a few lanes, a shard always in the same one, so that what concerns a block happens in order. After
 * the first failure nothing more is written: deliveries are acknowledged so that their memory comes back, commits fail.
 */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type { BlockSink, SinkError } from "../contract/BlockSink.ts"
import type { StreamAction, StreamEvent } from "../contract/StreamRun.ts"

export type SinkAction = Extract<StreamAction, { readonly _tag: "deliver" | "commit" | "abort" }>

/** More lanes than this do not make a disk faster. */
const laneCount = 4

export interface SinkLanes {
  offer(action: SinkAction): void
}

const shardOfAction = (action: SinkAction): number =>
  action._tag === "deliver" ? action.batch.key.shard : action.key.shard

/** The lanes end with the scope. Their queues hold what the ledger lets the engine deliver. */
export const startSinkLanes = Effect.fnUntraced(
  function*(sink: BlockSink["Service"], tell: (event: StreamEvent) => void) {
    let failed = false
    const onFailure = (error: SinkError) =>
      Effect.sync(() => {
        failed = true
        tell({ _tag: "sink-failed", message: `${error.subject}: ${error.message}`, remedy: error.remedy })
      })
    const execute = (action: SinkAction): Effect.Effect<void> => {
      switch (action._tag) {
        case "deliver": {
          const written = Effect.sync(() => tell({ _tag: "written", delivery: action.delivery }))
          return failed ? written : sink.write(action.batch).pipe(Effect.catch(onFailure), Effect.andThen(written))
        }
        case "commit": {
          const { block, job } = action
          const refused = Effect.sync(() => tell({ _tag: "commit-failed", job, block }))
          if (failed) return sink.abort(action.key).pipe(Effect.andThen(refused))
          return sink.commit(action.key).pipe(
            Effect.matchEffect({
              onSuccess: () => Effect.sync(() => tell({ _tag: "committed", job, block })),
              onFailure: (error) =>
                onFailure(error).pipe(Effect.andThen(sink.abort(action.key)), Effect.andThen(refused))
            })
          )
        }
        case "abort":
          return sink.abort(action.key)
      }
    }
    const lanes: Array<Queue.Queue<SinkAction>> = []
    for (let lane = 0; lane < laneCount; lane++) {
      const queue = yield* Queue.unbounded<SinkAction>()
      lanes.push(queue)
      yield* Queue.take(queue).pipe(Effect.flatMap(execute), Effect.forever, Effect.forkScoped)
    }
    const lanesOf: SinkLanes = {
      offer: (action) => void Queue.offerUnsafe(lanes[shardOfAction(action) % laneCount]!, action)
    }
    return lanesOf
  }
)
