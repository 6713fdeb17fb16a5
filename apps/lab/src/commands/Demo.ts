/** `peerstrap-lab demo`, which `npm start` runs: embedded networks, our apps on them, and the proof that the outcome is right. */
import {
  command,
  type CommandInput,
  type CommandResult,
  derived,
  ExitCode,
  shown,
  toggle,
  Type
} from "@peerstrap/command-line"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { portProblem } from "../chains/ChainNetwork.ts"
import { demoPeers, leastDemoLevels } from "../demo/ChainDemoPlan.ts"
import { demoFaults, demoReplicas } from "../demo/DemoPlan.ts"
import { runChainDemo } from "../demo/RunChainDemo.ts"
import { runDemo } from "../demo/RunDemo.ts"
import { chainFlags } from "./ChainFlags.ts"
import { checkCluster, clusterFlags, clusterPlan } from "./ClusterFlags.ts"

/** The demonstrations; `all` runs each of them. */
const demos = ["all", "replicas", "chain"]

const flags = {
  noFaults: toggle("Leave the faults out: all replicas hold the same and none dies, all peers are honest."),
  out: derived(
    Type.path("DIR", "/tmp/filesets"),
    "a fresh directory for each, its path is printed",
    "Where to write."
  ),
  ...clusterFlags,
  ...chainFlags,
  json: toggle(
    "JSON lines on standard output: of each demonstration one when its network serves, with the control socket, then its result."
  )
}

type DemoInput = CommandInput<typeof flags, void>

const onReplicas = Effect.fnUntraced(function*({ json, settings, terminal }: DemoInput) {
  const nowNanos = BigInt(yield* Clock.currentTimeMillis) * 1_000_000n
  const faults = !settings.noFaults
  const behaviours = faults ? demoFaults(settings.shards) : []
  const cluster = clusterPlan(settings, { replicas: demoReplicas, active: 0, behaviours, nowNanos })
  return yield* runDemo({ cluster, faults, out: settings.out, json, terminal })
})

const onChain = ({ json, settings, terminal }: DemoInput) =>
  runChainDemo({ settings, faults: !settings.noFaults, out: settings.out, json, terminal })

/** One after the other, all of them, whatever comes out; the exit code is the first that is not 0. */
const demonstrate = Effect.fnUntraced(function*(input: DemoInput) {
  const [named = "all"] = input.operands
  const results: Array<CommandResult> = []
  if (named !== "chain") results.push(yield* onReplicas(input))
  if (named !== "replicas") results.push(yield* onChain(input))
  return results.find(({ exitCode }) => exitCode !== ExitCode.done) ?? results[0]!
})

export const demo = command({
  name: "demo",
  operands: {
    name: "all|replicas|chain",
    least: 0,
    most: 1,
    help: "which demonstration; all of them if none is named"
  },
  summary: "Bootstrap from embedded replicas and sync from embedded peers, some of them bad, and verify the outcome",
  details: [
    "replicas: starts three replicas, one lacking data, one differing, one dying, streams at level majority into filesets, verifies these, and" +
    " compares every series-block with what the seed says a majority must yield.",
    "chain: starts thirteen peers in four processes, among them a forger, a staller and one that leaves and returns, syncs their chain, follows a" +
    " reorganisation at its tip, says who was blamed for what, verifies the store, and compares every block with the seed.",
    "The directories are kept. A run that waits for peers says why. The processes of replicas and peers may be killed to see that" +
    " (npm start -- replicas --no-faults)."
  ],
  flags,
  linesOnly: true,
  examples: [
    { args: "demo", says: "All, with faults" },
    { args: "demo chain --seed 7", says: "The one on a chain, with another one" },
    { args: "demo replicas --no-faults --json", says: "For a program; kill replicas while it runs" },
    { args: "demo --series 2000 --out /tmp/filesets", says: "A smaller one, into a directory of your choice" }
  ],
  check: ({ basePort, levels }, operands, _context, problem) => {
    for (const name of operands.slice(0, 1).filter((each) => !demos.includes(each))) {
      problem({ where: shown(name), message: `no such demonstration; there are: ${demos.join(", ")}` })
    }
    checkCluster({ basePort, behaviours: [], replicas: demoReplicas }, problem)
    const ports = basePort === undefined ? undefined : portProblem(basePort, demoPeers)
    if (ports !== undefined && operands[0] !== "replicas") problem({ where: "--base-port", message: ports })
    if (levels !== undefined && levels < leastDemoLevels) {
      problem({ where: "--levels", message: `the demonstration needs ${leastDemoLevels} at least, not ${levels}` })
    }
  },
  run: (input) => demonstrate(input as DemoInput)
})
