/** Applies by calling back: indexers and analytics give functions and get blocks in order. */
import * as Effect from "effect/Effect"
import type { Block, BlockId, BlockRef } from "../contract/Block.ts"
import { ApplierFailed, type ApplyResult, type BlockApplierService } from "../contract/BlockApplier.ts"

/** `ok`: done. `invalid`: never this block. `retry`: not now. */
export type Verdict = "ok" | { readonly invalid: string } | { readonly retry: string }

type MaybePromise<A> = A | Promise<A>

/** The functions that are called with blocks, heads and rollbacks. */
export interface CallbackOptions {
  /** Default `callback`. */
  readonly name?: string
  /** Called block by block, in order, one at a time; after an interruption no further one. What it throws ends the run. */
  readonly block: (block: Block) => MaybePromise<Verdict>
  /** Whether blocks come with their units. Default true. */
  readonly bodies?: boolean
  /** Default `one`; `many` when a block may build on any block done before. */
  readonly branches?: "one" | "many"
  /** The last block done, when the functions keep that themselves; default: what the store says. */
  readonly head?: () => MaybePromise<BlockRef | undefined>
  /** Undoes everything above a block. Without it a reorganisation ends the run. */
  readonly rollback?: (to: BlockRef) => MaybePromise<void>
  readonly moveHead?: (to: BlockRef) => MaybePromise<void>
  readonly forget?: (id: BlockId) => MaybePromise<void>
}

/** An applier of user functions. */
export const callback = (options: CallbackOptions): BlockApplierService => {
  const applier = options.name ?? "callback"
  /** What was called last: an interrupted call ends in its own time, and nothing is called beside it. */
  let last: Promise<unknown> = Promise.resolve()
  const call = <A>(what: string, body: (signal: AbortSignal) => MaybePromise<A>): Effect.Effect<A, ApplierFailed> =>
    Effect.tryPromise({
      try: (signal) => {
        const result = last.then(() => {
          signal.throwIfAborted()
          return body(signal)
        })
        last = result.then(() => undefined, () => undefined)
        return result
      },
      catch: (cause) =>
        new ApplierFailed({
          applier,
          message: `${what} failed: ${
            cause instanceof Error ? cause.message : String(cause)
          }. Mend it and start again: the store goes on from its last applied block`
        })
    })
  const missing = (what: string): Effect.Effect<never, ApplierFailed> =>
    Effect.fail(
      new ApplierFailed({ applier, message: `the chain was reorganised, and there is no ${what} function. Give one` })
    )
  const inOrder = async (blocks: ReadonlyArray<Block>, signal: AbortSignal): Promise<ApplyResult> => {
    let applied = 0
    for (const block of blocks) {
      signal.throwIfAborted()
      const verdict = await options.block(block)
      if (verdict !== "ok") {
        return "invalid" in verdict
          ? { applied, outcome: "invalid", reason: verdict.invalid }
          : { applied, outcome: "transient", reason: verdict.retry }
      }
      applied++
    }
    return { applied, outcome: "ok", reason: "" }
  }
  const { forget, head, moveHead, rollback } = options
  return {
    name: applier,
    needsBodies: options.bodies ?? true,
    branches: options.branches ?? "one",
    head: call("head", () => head?.()),
    apply: (blocks) => call("block", (signal) => inOrder(blocks, signal)),
    rollback: (to) => rollback === undefined ? missing("rollback") : call("rollback", () => rollback(to)),
    moveHead: (to) => moveHead === undefined ? missing("moveHead") : call("moveHead", () => moveHead(to)),
    forget: (id) => forget === undefined ? Effect.void : call("forget", () => forget(id))
  }
}
