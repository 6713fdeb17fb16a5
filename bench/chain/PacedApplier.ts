/** An applier with a fixed cost a block, in a worker thread; it knows when its first batch began and its last one ended. */
import type { ApplyResult } from "@peerstrap/chain-bootstrap"
import * as Effect from "effect/Effect"
import { once } from "node:events"
import { Worker } from "node:worker_threads"
import type { Measured } from "../method/Side.ts"
import { startTiming } from "../method/Side.ts"

export const startPacedApplier = async (millisPerBlock: number, blocks: number, bytes: number) => {
  const worker = new Worker(new URL("PacedWorker.ts", import.meta.url), { workerData: { millisPerBlock } })
  await once(worker, "online")
  let end: ReturnType<typeof startTiming> | undefined
  let applied = 0
  let measured: Measured | undefined
  const apply = (batch: ReadonlyArray<unknown>): Effect.Effect<ApplyResult> =>
    Effect.callback<ApplyResult>((resume) => {
      end ??= startTiming()
      worker.once("message", () => {
        applied += batch.length
        if (applied === blocks) measured = end!({ bytes, items: blocks })
        resume(Effect.succeed({ applied: batch.length, outcome: "ok", reason: "" }))
      })
      worker.postMessage(batch.length, [])
    })
  return { apply, measured: () => measured }
}
