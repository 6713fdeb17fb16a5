/** `peerstrap-lab chain`: a network of embedded peers in several processes, until it is stopped; told on standard input what to do. */
import {
  command,
  type CommandInput,
  type CommandResult,
  derived,
  ExitCode,
  many,
  type Terminal,
  toggle,
  Type,
  withDefault
} from "@peerstrap/command-line"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { resolve } from "node:path"
import { type ChainNetwork, portProblem, startChainNetwork } from "../chains/ChainNetwork.ts"
import type { ChainSpec } from "../chains/ChainSpec.ts"
import { readCommand } from "../chains/NetworkCommands.ts"
import { writeNetworkFile } from "../chains/NetworkOnDisk.ts"
import { maxPeers, type NetworkPlan } from "../chains/PeerPlan.ts"
import { networkLine, networkText } from "../chains/ReadyLine.ts"
import { eachInputLine } from "../chains/StandardInput.ts"
import {
  behavioursOf,
  chainFlags,
  checkForks,
  checkPeers,
  forkFlag,
  headFlag,
  operationSizes,
  peerBehaviourFlag,
  peerBehaviourJson,
  peerBehaviourList
} from "./ChainFlags.ts"
import { clusterFlags } from "./ClusterFlags.ts"

const flags = {
  peers: withDefault(Type.integer(1, maxPeers, 12), "12", "How many; they are called 1, 2, 3 …"),
  processes: withDefault(Type.integer(1, 64, 4), "4", "Processes that they share."),
  ...chainFlags,
  operationBytes: withDefault(operationSizes, "80-260", "Sizes of operations in bytes."),
  fork: many(forkFlag, "A branch beside the main one, e.g. short:1900:40: 40 blocks above level 1900."),
  head: many(headFlag, "The block that is some peers' head. Default: the last one of the main branch."),
  behaviour: many(peerBehaviourFlag, "What some peers do differently, e.g. 11:stall:40 or 12:flap:2000:1000."),
  proofOfWork: withDefault(Type.integer(0, 24, 12), "12", "Difficulty of identities; 26 on public networks."),
  chainName: withDefault(
    Type.text(
      "NAME",
      "a name of 1 to 100 capitals, digits and _",
      "TEZOS_LAB",
      (given) => /^[A-Z\d_]{1,100}$/.test(given)
    ),
    "TEZOS_LAB",
    "The name that peers exchange when they connect."
  ),
  seed: clusterFlags.seed,
  headTime: derived(Type.time, "now", "Time of the latest block."),
  host: clusterFlags.host,
  basePort: withDefault(Type.integer(0, 65_535, 9_732), "0", "Port of the first peer, the next ones follow; 0: any."),
  networkFile: withDefault(
    Type.path("FILE", "network.json"),
    "network.json",
    "The network file for peerstrap-chain, made or replaced."
  ),
  listBehaviours: toggle("Print all behaviours and end."),
  json: toggle("Lines of JSON on standard output: one as soon as all peers serve, then one for each command.")
}

type ChainInput = CommandInput<typeof flags, void>

const specOf = (settings: ChainInput["settings"], nowSeconds: number): ChainSpec => ({
  seed: String(settings.seed),
  chainName: settings.chainName,
  levels: settings.levels,
  operationsPerBlock: settings.operations,
  operationBytes: settings.operationBytes,
  headSeconds: settings.headTime === undefined ? nowSeconds : Number(settings.headTime / 1_000_000_000n),
  forks: settings.fork
})

const ended = (exitCode: ExitCode): CommandResult => ({ exitCode, text: "" })

/** Obeys a line and says how that went. */
const obey = (plan: NetworkPlan, network: ChainNetwork, { json, terminal }: ChainInput) =>
  Effect.fnUntraced(function*(line: string) {
    const order = readCommand(line, { spec: plan.spec, peers: plan.peers, behavioursOf })
    if (order === undefined) return
    const tell = (answer: object, text: string): Effect.Effect<void> =>
      terminal.out(json ? `${JSON.stringify({ command: line, ...answer })}\n` : `${text}\n`)
    if (typeof order === "string") return yield* tell({ done: false, problem: order }, order)
    if (order.do === "activity") {
      const rows = (yield* network.activity).filter(({ id }) => order.peers.includes(id))
      return yield* tell({ done: true, activity: rows }, rows.map((row) => JSON.stringify(row)).join("\n"))
    }
    const problem = yield* network.order(order)
    yield* tell(problem === undefined ? { done: true } : { done: false, problem }, problem ?? "done")
  })

const watch = (network: ChainNetwork, terminal: Terminal): Effect.Effect<void> =>
  Effect.forEach(
    network.processes,
    ({ ended, peers, pid }) => Effect.map(ended, (how) => terminal.error(`process ${pid} of peers ${peers} ${how}\n`)),
    { concurrency: "unbounded", discard: true }
  )

const serve = Effect.fnUntraced(function*(input: ChainInput) {
  const { json, settings, terminal } = input
  if (settings.listBehaviours) {
    yield* terminal.out(json ? `${JSON.stringify(peerBehaviourJson())}\n` : peerBehaviourList())
    return ended(ExitCode.done)
  }
  const { basePort, behaviour: behaviours, head: heads, host, peers, processes, proofOfWork } = settings
  const spec = specOf(settings, Math.floor((yield* Clock.currentTimeMillis) / 1000))
  const plan: NetworkPlan = { spec, host, basePort, proofOfWork, peers, processes, heads, behaviours }
  const network = yield* startChainNetwork(plan)
  const path = resolve(settings.networkFile)
  const { chain, file } = yield* writeNetworkFile(path, plan, network)
  const served = { plan, network, chain, file, path }
  yield* terminal.out(json ? `${JSON.stringify(networkLine(served))}\n` : networkText(served))
  yield* eachInputLine(obey(plan, network, input)).pipe(Effect.forkScoped)
  yield* watch(network, terminal)
  terminal.error("no process is left\n")
  return ended(ExitCode.peers)
})

export const chain = command({
  name: "chain",
  summary: "Start embedded Tezos peers that serve a seeded chain over the real wire",
  details: [
    "The peers share some processes, shake hands as real nodes do and serve until they are stopped. The same seed gives the same identities and" +
    " blocks, apart from the times. All processes end with this one, however it ends.",
    "Lines on standard input move heads, kill and revive peers, or change what they do; what is printed at the start lists them."
  ],
  flags,
  linesOnly: true,
  examples: [
    { args: "chain --json", says: "Twelve honest peers in four processes, for a program" },
    {
      args: "chain --fork short:1900:40 --head 11,12:short --behaviour 1:forger:1000 --behaviour 2:stall:100",
      says: "Two peers are on a fork that loses, one forges, one falls silent"
    },
    {
      args: "chain --levels 2000 --fork better:1997:8 --head all:main",
      says: "For a reorganisation: type head 1-10 better@2001 later"
    },
    { args: "chain --list-behaviours", says: "What peers can do" }
  ],
  check: (
    { basePort, behaviour = [], fork = [], head = [], levels, peers = maxPeers },
    _operands,
    _context,
    problem
  ) => {
    checkForks(levels, fork, problem)
    const spec = levels === undefined
      ? undefined
      : {
        seed: "",
        chainName: "",
        levels,
        operationsPerBlock: 0,
        operationBytes: [0, 0],
        headSeconds: 0,
        forks: fork
      } as const
    checkPeers({ peers, head, behaviour, spec }, problem)
    const ports = basePort === undefined ? undefined : portProblem(basePort, peers)
    if (ports !== undefined) problem({ where: "--base-port", message: ports })
  },
  run: (input) => serve(input as ChainInput)
})
