/** `peerstrap-lab demo`, which `npm start` runs: a cluster, a bootstrap from it, and the proof that it is right. */
import { command, type CommandInput, derived, shown, toggle, Type } from "@peerstrap/command-line"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { demoFaults, demoReplicas } from "../demo/DemoPlan.ts"
import { runDemo } from "../demo/RunDemo.ts"
import { checkCluster, clusterFlags, clusterPlan } from "./ClusterFlags.ts"

/** The demonstrations; `all` runs each of them. */
const demos = ["all", "replicas"]

const flags = {
  noFaults: toggle("Leave the faults out: all replicas hold the same and none dies."),
  out: derived(
    Type.path("DIR", "/tmp/filesets"),
    "a fresh directory, its path is printed",
    "Where to write."
  ),
  ...clusterFlags,
  json: toggle("JSON lines on standard output: the replicas and the control socket when they serve, then the result.")
}

const demonstrate = Effect.fnUntraced(function*({ json, settings, terminal }: CommandInput<typeof flags, void>) {
  const nowNanos = BigInt(yield* Clock.currentTimeMillis) * 1_000_000n
  const faults = !settings.noFaults
  const behaviours = faults ? demoFaults(settings.shards) : []
  const cluster = clusterPlan(settings, { replicas: demoReplicas, active: 0, behaviours, nowNanos })
  return yield* runDemo({ cluster, faults, out: settings.out, json, terminal })
})

export const demo = command({
  name: "demo",
  operands: { name: "all|replicas", least: 0, most: 1, help: "which demonstration; all of them if none is named" },
  summary: "Bootstrap from three embedded replicas, one lacking data, one differing, one dying, and verify the outcome",
  details: [
    "Starts three replicas, streams their data at level majority into filesets, verifies these, and compares every series-block with what" +
    " the seed says a majority must yield. The directory is kept.",
    "A run that waits for peers says why and goes on waiting; the command that ends it is printed. The processes of the replicas may be" +
    " killed to see that (npm start -- --no-faults)."
  ],
  flags,
  linesOnly: true,
  examples: [
    { args: "demo", says: "With faults" },
    { args: "demo replicas --no-faults --json", says: "For a program; kill replicas while it runs" },
    { args: "demo --series 2000 --out /tmp/filesets", says: "A smaller one, into a directory of your choice" }
  ],
  check: ({ basePort }, operands, _context, problem) => {
    for (const name of operands.slice(0, 1).filter((each) => !demos.includes(each))) {
      problem({ where: shown(name), message: `no such demonstration; there are: ${demos.join(", ")}` })
    }
    checkCluster({ basePort, behaviours: [], replicas: demoReplicas }, problem)
  },
  run: demonstrate
})
