/**
 * The side of a process with embedded peers: reads its plan from the first line of standard input, serves its peers, says so on standard
 * output, obeys orders, and ends when standard input ends, which is when the parent is gone, however it ended.
 *
 *   parent ── plan, then orders ──► stdin        stdout ──► {"peers":[…]} or {"problem":"…"}, then {"order":7,"answer":…}
 */
import { type CommandResult, ExitCode, type Terminal } from "@peerstrap/command-line"
import { loadCrypto } from "@peerstrap/tezos-wire"
import { type ScriptedPeer, startScriptedPeer, type TestChain } from "@peerstrap/tezos-wire/testing"
import { Tcp } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { createInterface } from "node:readline"
import { chainOf, headBlock, type HeadName } from "./ChainSpec.ts"
import type { Order, OrderAnswer, ServedPeer } from "./Orders.ts"
import { peerActivity } from "./PeerActivity.ts"
import type { PeerPlan, ProcessPlan } from "./PeerPlan.ts"
import { seededIdentity } from "./SeededIdentity.ts"

/** Lines of standard input; when it ends, so does the process. */
const readLines = Effect.gen(function*() {
  const lines = yield* Queue.unbounded<string>()
  createInterface({ input: process.stdin })
    .on("line", (line) => void Queue.offerUnsafe(lines, line))
    .once("close", () => process.exit(ExitCode.done))
  return lines
})

/** A peer with the branch that it is on. */
interface Serving {
  readonly id: number
  readonly peer: ScriptedPeer
  branch: string
}

const startPeers = Effect.fnUntraced(function*({ host, peers, proofOfWork, spec }: ProcessPlan) {
  const crypto = yield* loadCrypto
  const chain = chainOf(crypto, spec)
  const serving: Array<Serving> = []
  for (const { behaviours, head, id, port } of peers) {
    const peer = yield* startScriptedPeer({
      crypto,
      chain,
      identity: seededIdentity(crypto, `${spec.seed}/${id}`, proofOfWork),
      head: headBlock(chain, head),
      address: { host, port },
      behaviours,
      powDifficulty: proofOfWork
    })
    serving.push({ id, peer, branch: head.branch })
  }
  return { chain, serving }
})

const moveHead = (chain: TestChain, serving: Serving, head: HeadName): void => {
  serving.peer.setHead(headBlock(chain, head))
  serving.peer.announce(serving.branch === head.branch ? "head" : "branch")
  serving.branch = head.branch
}

const obey = (chain: TestChain, all: ReadonlyArray<Serving>, order: Order): Effect.Effect<OrderAnswer> => {
  const serving = all.filter(({ id }) => order.peers.includes(id))
  const each = (act: (serving: Serving) => Effect.Effect<void, { readonly message: string }>) =>
    Effect.forEach(serving, act, { discard: true }).pipe(
      Effect.as<OrderAnswer>({ done: true }),
      Effect.catch(({ message }) => Effect.succeed<OrderAnswer>({ problem: message }))
    )
  switch (order.do) {
    case "head":
      return each((serving) => Effect.sync(() => moveHead(chain, serving, order.head)))
    case "behave":
      return each(({ peer }) => Effect.sync(() => peer.setBehaviours(order.behaviours)))
    case "kill":
      return each(({ peer }) => peer.leave)
    case "revive":
      return each(({ peer }) => peer.comeBack)
    case "activity":
      return Effect.sync(() => ({ activity: serving.map(({ id, peer }) => peerActivity(id, peer.stats())) }))
  }
}

const addressOf = ({ id, port }: PeerPlan, host: string): string => `peer ${id} at ${host}:${port}`

/** Serves until the process ends. */
export const peerProcess = Effect.fnUntraced(function*(terminal: Terminal) {
  const lines = yield* readLines
  const say = (value: object): Effect.Effect<void> => terminal.out(`${JSON.stringify(value)}\n`)
  const plan = JSON.parse(yield* Queue.take(lines)) as ProcessPlan
  const started = yield* startPeers(plan).pipe(Effect.provide(Tcp.layer), Effect.result)
  if (started._tag === "Failure") {
    yield* say({
      problem: `${plan.peers.map((peer) => addressOf(peer, plan.host)).join(", ")}: ${started.failure.message}`
    })
    const result: CommandResult = { exitCode: ExitCode.local, text: "" }
    return result
  }
  const { chain, serving } = started.success
  const served = serving.map(({ id, peer }): ServedPeer => ({ id, address: peer.point, peerId: peer.peerIdText }))
  yield* say({ peers: served })
  const next = Effect.flatMap(Queue.take(lines), (line) => {
    const { order, ...rest } = JSON.parse(line) as Order & { readonly order: number }
    return Effect.flatMap(obey(chain, serving, rest as Order), (answer) => say({ order, answer }))
  })
  return yield* Effect.forever(next)
})
