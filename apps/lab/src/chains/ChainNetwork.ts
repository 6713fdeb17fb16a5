/** Starts the processes of an embedded network and owns them; moves heads, kills and revives peers of it while it runs. */
import { CommandError } from "@peerstrap/command-line"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { type OwnProcess, startOwnProcess } from "../processes/OwnProcess.ts"
import type { Order, OrderAnswer, ServedPeer } from "./Orders.ts"
import type { PeerActivity } from "./PeerActivity.ts"
import { type NetworkPlan, type PeerPlan, peerSetText, type ProcessPlan, processPlans } from "./PeerPlan.ts"

export interface NetworkPeer extends ServedPeer {
  readonly plan: PeerPlan
  readonly pid: number
}

export interface NetworkProcess {
  readonly pid: number
  /** Ids of its peers as people write them: `1-4`. */
  readonly peers: string
  readonly ended: Effect.Effect<string>
}

export interface ChainNetwork {
  readonly processes: ReadonlyArray<NetworkProcess>
  readonly peers: ReadonlyArray<NetworkPeer>
  /** Has peers do something; undefined when all did, else why one did not. Peers of a process that has gone do nothing. */
  readonly order: (order: Order) => Effect.Effect<string | undefined>
  /** What the peers have seen so far; those of a process that has gone are left out. */
  readonly activity: Effect.Effect<ReadonlyArray<PeerActivity>>
}

/** The name of the command under which this program runs a process of peers. */
export const peersCommand = "peers-process"

/** A chain is in memory as a whole. */
const maxHeapMebibytes = 4_096

interface Answer {
  readonly peers: ReadonlyArray<ServedPeer>
}

interface Running extends OwnProcess<Answer> {
  readonly plan: ProcessPlan
  readonly ask: (order: Order) => Effect.Effect<OrderAnswer>
}

const gone: OrderAnswer = { done: true }

const idsOf = ({ peers }: ProcessPlan): ReadonlyArray<number> => peers.map(({ id }) => id)

const startProcess = Effect.fnUntraced(function*(plan: ProcessPlan) {
  const open = new Map<number, Deferred.Deferred<OrderAnswer>>()
  let orders = 0
  const process = yield* startOwnProcess<Answer>({
    command: peersCommand,
    plan: JSON.stringify(plan),
    maxHeapMebibytes,
    what: `the process of peers ${peerSetText(idsOf(plan))}`,
    onLine: (line) => {
      const { answer, order } = JSON.parse(line) as { readonly order: number; readonly answer: OrderAnswer }
      const asked = open.get(order)
      open.delete(order)
      if (asked !== undefined) Deferred.doneUnsafe(asked, Effect.succeed(answer))
    }
  })
  const ask = (order: Order): Effect.Effect<OrderAnswer> =>
    Effect.suspend(() => {
      const number = ++orders
      const answered = Deferred.makeUnsafe<OrderAnswer>()
      open.set(number, answered)
      process.send(JSON.stringify({ order: number, ...order }))
      return Effect.raceFirst(Deferred.await(answered), Effect.as(process.ended, gone))
    })
  const running: Running = { ...process, plan, ask }
  return running
})

/** Ports that are wanted one after the other must exist. */
export const portProblem = (basePort: number, peers: number): string | undefined =>
  basePort > 0 && basePort + peers - 1 > 65_535 ? `${peers} peers from port ${basePort} on go beyond 65535` : undefined

const peersOf = ({ answer, pid, plan }: Running): ReadonlyArray<NetworkPeer> =>
  answer.peers.map((served) => ({ ...served, plan: plan.peers.find(({ id }) => id === served.id)!, pid }))

/** All processes, started at once; all peers serve when this completes. They end with the scope. */
export const startChainNetwork = Effect.fnUntraced(function*(plan: NetworkPlan) {
  const running = yield* Effect.forEach(processPlans(plan), startProcess, { concurrency: "unbounded" })
  const askAll = (order: Order) =>
    Effect.forEach(
      running.filter(({ plan }) => idsOf(plan).some((id) => order.peers.includes(id))),
      ({ ask, plan }) => ask({ ...order, peers: order.peers.filter((id) => idsOf(plan).includes(id)) }),
      { concurrency: "unbounded" }
    )
  const network: ChainNetwork = {
    processes: running.map(({ ended, pid, plan }) => ({ pid, peers: peerSetText(idsOf(plan)), ended })),
    peers: running.flatMap(peersOf),
    order: (order) =>
      Effect.map(askAll(order), (answers) => {
        const failed = answers.find((answer) => "problem" in answer)
        return failed === undefined || !("problem" in failed) ? undefined : failed.problem
      }),
    activity: Effect.map(
      askAll({ do: "activity", peers: running.flatMap(({ plan }) => idsOf(plan)) }),
      (answers) => answers.flatMap((answer) => "activity" in answer ? answer.activity : [])
    )
  }
  return network
})

/** A network that cannot be made to do what the demonstration wants. */
export const orderFailed = (problem: string): CommandError =>
  new CommandError({
    exitCode: 4,
    message: `a peer did not do as told: ${problem}`,
    remedy: "choose other ports (--base-port 0 takes any)"
  })
