/**
 * Applies blocks by injecting them into a real Octez node (specs: chain bootstrap 7.2): the node validates, we are its network.
 *
 *     apply ──► POST /injection/block?chain=main ──► the hash, or a trace of errors ──► ok · invalid · transient · gone
 *
 * The node keeps all branches and switches by itself as soon as one has the greater fitness, so that `rollback` and `moveHead` only look
 * whether the node is where it should be.
 */
import {
  ApplierFailed,
  type ApplyResult,
  type Block,
  BlockApplier,
  type BlockApplierService,
  type BlockId,
  type BlockRef
} from "@peerstrap/chain-bootstrap"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Network } from "../contract/Network.ts"
import { TezosLimits } from "../contract/TezosLimits.ts"
import type { HttpFault } from "./HttpExchange.ts"
import { applierName, blockText, makeOctezNode, type OctezNode } from "./OctezNode.ts"

/** Which node, of which chain, and how patient the applier is. */
export interface OctezRpcOptions {
  /** Base of the node's RPC, e.g. `http://127.0.0.1:8732`. User and password in it go into `Authorization`, and nowhere else. */
  readonly url: string
  /** The chain that the node must be on. */
  readonly network: Pick<Network, "chainId" | "chainName">
  /** Time for one answer. Default `TezosLimits.rpcTimeoutMillis`. */
  readonly timeoutMillis?: number
}

const failed = (message: string) => new ApplierFailed({ applier: applierName, message })

/** Where an answer must come and none does. */
const orGone = <A>(
  node: OctezNode,
  effect: Effect.Effect<A, ApplierFailed | HttpFault>
): Effect.Effect<A, ApplierFailed> =>
  Effect.catchTag(
    effect,
    "HttpFault",
    (fault) => Effect.fail(failed(`${node.place} does not answer (${fault.message}): start it, or correct the URL`))
  )

/** One block: done, or what the batch ends with. */
type Step = { readonly done: true } | Pick<ApplyResult, "outcome" | "reason"> & { readonly done: false }

const done: Step = { done: true }
const transient = (reason: string): Step => ({ done: false, outcome: "transient", reason })

class Injection {
  private readonly node: OctezNode
  private readonly network: OctezRpcOptions["network"]
  private isChecked = false
  private lost: { readonly id: BlockId; readonly times: number } = { id: "", times: 0 }

  constructor(node: OctezNode, network: OctezRpcOptions["network"]) {
    this.node = node
    this.network = network
  }

  /** The node may have been replaced by one of another chain before we came, but not while we are here. */
  private readonly checkChain = Effect.suspend(() => {
    if (this.isChecked) return Effect.void
    const { chainId, chainName } = this.network
    return Effect.flatMap(this.node.chainId, (found) => {
      this.isChecked = found === chainId
      return this.isChecked ? Effect.void : Effect.fail(
        failed(
          `${this.node.place} is on chain ${found}; this run is on ${chainId} (${chainName}): give the URL of a node of this network, `
            + "or start the run with that node's network"
        )
      )
    })
  })

  readonly head: Effect.Effect<BlockRef, ApplierFailed | HttpFault> = Effect.suspend(() =>
    Effect.andThen(this.checkChain, this.node.head)
  )

  private unknownPredecessor(block: Block, reason: string): Effect.Effect<Step, ApplierFailed | HttpFault> {
    const { id, level, parent } = block.header
    this.lost = this.lost.id === id ? { id, times: this.lost.times + 1 } : { id, times: 1 }
    if (this.lost.times < TezosLimits.unknownPredecessorTries) {
      return Effect.succeed(transient(`the node does not know ${blockText(parent)} below level ${level}: ${reason}`))
    }
    return Effect.flatMap(this.node.head, (head) =>
      Effect.fail(
        failed(
          `${this.node.place} has lost ${
            blockText(parent)
          }, which it had applied; its head is at level ${head.level}, so level ${level} cannot `
            + "follow: start the run again, it continues from the node's head"
        )
      ))
  }

  private known(block: Block): Effect.Effect<Step, ApplierFailed | HttpFault> {
    const text = blockText(block.header.id)
    return Effect.map(
      this.node.has(block.header.id, block.header.bytes),
      (has) =>
        has
          ? done
          : transient(`the node says that it knows ${text}, but does not show it: it may still be validating it`)
    )
  }

  /** By force only what the node has just called unfit, so that its other checks are never passed over. */
  private one(block: Block, force = false): Effect.Effect<Step, ApplierFailed | HttpFault> {
    return Effect.flatMap(this.node.inject(block, force), (outcome): Effect.Effect<Step, ApplierFailed | HttpFault> => {
      switch (outcome.kind) {
        case "applied":
          return Effect.succeed(done)
        case "known":
          return this.known(block)
        case "unfit":
          return force ? Effect.succeed(transient(outcome.reason)) : this.unfit(block)
        case "unknown-predecessor":
          return this.unknownPredecessor(block, outcome.reason)
        case "refused":
          return Effect.fail(failed(`${this.node.place} refuses the block (${outcome.reason}): ${outcome.remedy}`))
        default:
          return Effect.succeed({ done: false, outcome: outcome.kind, reason: outcome.reason })
      }
    })
  }

  private unfit(block: Block): Effect.Effect<Step, ApplierFailed | HttpFault> {
    return Effect.flatMap(
      this.node.has(block.header.id, block.header.bytes),
      (has) => has ? Effect.succeed(done) : this.one(block, true)
    )
  }

  /** The chain first, so that a node of another one never gets a block. */
  readonly apply = (blocks: ReadonlyArray<Block>): Effect.Effect<ApplyResult, ApplierFailed> => {
    let applied = 0
    const all = Effect.gen({ self: this }, function*() {
      yield* this.checkChain
      for (const block of blocks) {
        const step = yield* this.one(block)
        if (!step.done) return { applied, outcome: step.outcome, reason: step.reason }
        applied++
      }
      return { applied, outcome: "ok" as const, reason: "" }
    })
    return Effect.catchTag(
      all,
      "HttpFault",
      (fault) =>
        Effect.succeed({ applied, outcome: "transient" as const, reason: `${this.node.place}: ${fault.message}` })
    )
  }

  /** Undoing is not needed: the next block builds on an older one. It only must still be there. */
  readonly rollback = (to: BlockRef): Effect.Effect<void, ApplierFailed | HttpFault> =>
    Effect.gen({ self: this }, function*() {
      if (to.level > 0 && !(yield* this.node.has(to.id, undefined))) {
        return yield* failed(
          `${this.node.place} no longer has ${
            blockText(to.id)
          } at level ${to.level}, to which the chain goes back: give it a longer history `
            + "(--history-mode full), and start the run again"
        )
      }
    })

  /** Waits until the node has followed. A node that stays elsewhere has found something fitter by itself, which is no fault of the run. */
  readonly moveHead = (to: BlockRef): Effect.Effect<void, ApplierFailed | HttpFault> =>
    Effect.gen({ self: this }, function*() {
      for (let look = 0; look < TezosLimits.moveHeadLooks; look++) {
        if (look > 0) yield* Effect.sleep(TezosLimits.moveHeadPauseMillis)
        if ((yield* this.node.blockAt(to.level)) === to.id) return
      }
      const head = yield* this.node.head
      yield* Effect.logWarning(
        `${this.node.place} stays at ${blockText(head.id)} (level ${head.level}) though ${
          blockText(to.id)
        } (level ${to.level}) was chosen: it may `
          + "know a fitter branch from peers of its own"
      )
    })
}

/**
 * The applier over a node's RPC. A RangeError for a URL that is none. Nothing is asked before `head` or the first `apply`; the first of them checks
 * that the node is on the network's chain. A block that the node has already counts as applied once it shows the same header.
 */
export const octezRpc = (options: OctezRpcOptions): BlockApplierService => {
  const node = makeOctezNode({ url: options.url, timeoutMillis: options.timeoutMillis ?? TezosLimits.rpcTimeoutMillis })
  const injection = new Injection(node, options.network)
  return {
    name: applierName,
    needsBodies: true,
    branches: "many",
    head: orGone(node, injection.head),
    apply: injection.apply,
    rollback: (to) => orGone(node, injection.rollback(to)),
    moveHead: (to) => orGone(node, injection.moveHead(to)),
    forget: () => Effect.void
  }
}

/** `octezRpc` as the `BlockApplier`. */
export const octezRpcLayer = (options: OctezRpcOptions): Layer.Layer<BlockApplier> =>
  Layer.sync(BlockApplier, () => BlockApplier.of(octezRpc(options)))
