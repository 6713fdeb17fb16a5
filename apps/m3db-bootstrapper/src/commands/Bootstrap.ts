/** `bootstrap`: streams a namespace from its replicas into filesets. */
import { command } from "@peerstrap/command-line"
import { NodeFileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import { bootstrapFlags } from "../bootstrap/BootstrapFlags.ts"
import { type BootstrapPlan, planBootstrap } from "../bootstrap/BootstrapPlan.ts"
import { type BootstrapParts, resolveParts } from "../bootstrap/Parts.ts"
import { type BootstrapInput, runBootstrap } from "../bootstrap/RunBootstrap.ts"
import { boundYoungGeneration } from "../bootstrap/YoungGeneration.ts"

export const bootstrap = command<typeof bootstrapFlags, BootstrapPlan | undefined, BootstrapParts>({
  name: "bootstrap",
  summary: "Stream a namespace's blocks from its replicas into filesets",
  details: [
    "Lists every shard on every peer, fetches what the consistency level asks for, merges what differs, writes M3's fileset layout, and reads " +
    "every written fileset again before exit 0. A block that the level confirms empty gets an empty fileset. A killed run leaves " +
    "only whole filesets (with their checkpoint): go on with --resume.",
    "Progress goes to standard error, the result to standard output. DIR/peerstrap-report.json holds the last run's report. While it runs, " +
    "status, why and set-level talk to it.",
    "Flags name the parts of a run: transport, files, level, peers, ranking, merge rule, sink. In a config file a list plugins: beside bootstrap: " +
    "puts others in their place, also ones of your own (see plugins); a flag that would then do nothing is refused. What another sink than filesets " +
    "takes is not read again: exit 0 then says that every block was committed."
  ],
  flags: bootstrapFlags,
  examples: [
    {
      args:
        "bootstrap --peer a=10.0.0.1:9000 --peer b=10.0.0.2:9000 --namespace metrics --num-shards 64 --block-size 2h " +
        "--retention 48h --out /var/lib/m3db",
      says: "All shards and all immutable blocks in retention, from two replicas"
    },
    {
      args: "bootstrap --placement placement.json --origin node-4 --namespace metrics --block-size 2h " +
        "--from 2026-11-21T00:00:00Z --to 2026-11-21T12:00:00Z --level unstrict_majority --deadline 30m --out /var/lib/m3db",
      says: "The shards of node-4 for half a day, at most half an hour long"
    },
    {
      args: "bootstrap --config bootstrap.yaml --resume --json",
      says: "Flags from a file; keep what is whole; one JSON document as the result"
    }
  ],
  check: planBootstrap,
  resolve: resolveParts,
  stopsItself: true,
  run: (input) =>
    Effect.andThen(boundYoungGeneration, runBootstrap(input as BootstrapInput)).pipe(
      Effect.provide(NodeFileSystem.layer)
    )
})
