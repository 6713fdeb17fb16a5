/**
 * Writes to the sink run in a few lanes, a shard always in the same one, so that what concerns a block happens in order. After
 * the first failure nothing more is written: deliveries are acknowledged so that their memory comes back, commits fail.
 */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { type BlockSink, SinkError } from "../contract/BlockSink.ts"
import type { StreamAction, StreamEvent } from "../contract/StreamRun.ts"

export type SinkAction = Extract<StreamAction, { readonly _tag: "deliver" | "commit" | "abort" }>

/** More lanes than this do not make a disk faster. */
const laneCount = 4

export interface SinkLanes {
  offer(action: SinkAction): void
}

const shardOfAction = (action: SinkAction): number =>
  action._tag === "deliver" ? action.batch.key.shard : action.key.shard

/** A sink that throws has a defect; the run ends like after any other failure of it. */
const guarded = (call: () => Effect.Effect<void, SinkError>): Effect.Effect<void, SinkError> =>
  Effect.catchDefect(Effect.suspend(call), (defect) =>
    Effect.fail(
      new SinkError({
        subject: "the sink",
        reason: "io",
        message: `it threw ${String(defect)}`,
        remedy: "this is a defect of the sink: report it to its author"
      })
    ))

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
          if (failed) return written
          return guarded(() => sink.write(action.batch)).pipe(Effect.catch(onFailure), Effect.andThen(written))
        }
        case "commit": {
          const { block, job } = action
          const refused = Effect.sync(() => tell({ _tag: "commit-failed", job, block }))
          const abort = guarded(() => sink.abort(action.key)).pipe(Effect.catch(onFailure))
          if (failed) return Effect.andThen(abort, refused)
          return guarded(() => sink.commit(action.key)).pipe(
            Effect.matchEffect({
              onSuccess: () => Effect.sync(() => tell({ _tag: "committed", job, block })),
              onFailure: (error) => onFailure(error).pipe(Effect.andThen(abort), Effect.andThen(refused))
            })
          )
        }
        case "abort":
          return guarded(() => sink.abort(action.key)).pipe(Effect.catch(onFailure))
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
