/** `peerstrap-lab demo`, which `npm start` runs: a cluster, a bootstrap from it, and the proof that it is right. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { command } from "../cli/Command.ts"
import { optional, shown, text, toggle } from "../cli/Flag.ts"
import { demoFaults, demoReplicas } from "../demo/DemoPlan.ts"
import { runDemo } from "../demo/RunDemo.ts"
import { clusterFlags, clusterPlan, clusterProblems } from "./ClusterFlags.ts"

/** The demonstrations; `all` runs each of them. */
const demos = ["all", "replicas"]

const flags = {
  noFaults: toggle("leave the faults out: all replicas hold the same and none dies"),
  out: optional(
    text("DIR", "a path", (given) => !given.includes("\0")),
    "where to write (default: a fresh directory, its path is printed)"
  ),
  ...clusterFlags,
  json: toggle("JSON lines on standard output: the replicas and the control socket when they serve, then the result")
}

export const demo = command({
  name: "demo",
  operands: "[all|replicas]",
  summary: "bootstrap from three embedded replicas, one lacking data, one differing, one dying, and verify the outcome",
  details: [
    "Starts three replicas, streams their data at level majority into filesets, verifies these, and compares every series-block with what" +
    " the seed says a majority must yield. The directory is kept.",
    "A run that waits for peers says why and goes on waiting; the command that ends it is printed. The processes of the replicas may be" +
    " killed to see that (npm start -- --no-faults)."
  ],
  flags,
  examples: [
    { args: "demo", says: "with faults" },
    { args: "demo replicas --no-faults --json", says: "for a program; kill replicas while it runs" },
    { args: "demo --series 2000 --out /tmp/filesets", says: "a smaller one, into a directory of your choice" }
  ],
  check: (settings, operands) => [
    ...operands.slice(0, 1).filter((name) => !demos.includes(name)).map((name) =>
      `${shown(name)}: no such demonstration; there are: ${demos.join(", ")}`
    ),
    ...operands.slice(1).map((each) => `${shown(each)}: one demonstration at a time`),
    ...clusterProblems(settings, demoReplicas, [])
  ],
  run: Effect.fnUntraced(function*({ settings, terminal }) {
    const nowNanos = BigInt(yield* Clock.currentTimeMillis) * 1_000_000n
    const faults = !settings.noFaults
    const behaviours = faults ? demoFaults(settings.shards) : []
    const cluster = clusterPlan(settings, { replicas: demoReplicas, active: 0, behaviours, nowNanos })
    return yield* runDemo({ cluster, faults, out: settings.out, json: settings.json, terminal })
  })
})
