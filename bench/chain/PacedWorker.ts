/**
 * A worker thread that stands for a node which applies blocks elsewhere: each block takes a fixed time, one after the other, and costs this
 * process nothing meanwhile. Says `true` when a batch is done.
 */
import { parentPort, workerData } from "node:worker_threads"

const { millisPerBlock } = workerData as { readonly millisPerBlock: number }
const never = new Int32Array(new SharedArrayBuffer(4))

parentPort!.on("message", (blocks: number) => {
  const end = performance.now() + blocks * millisPerBlock
  // The wait may end early or late by some tens of microseconds; late ends are not made good by the next batch.
  for (let left = end - performance.now(); left > 0; left = end - performance.now()) Atomics.wait(never, 0, 0, left)
  parentPort!.postMessage(true, [])
})
