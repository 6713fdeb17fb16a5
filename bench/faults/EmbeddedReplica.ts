/**
 * One of our own scriptable replicas as a process, with the command line and the commands of `m3peer.py serve` as far as the benchmark
 * uses them: what a clone alone has. Everything is encoded before it says that it is ready.
 */
import { type EveryRule, parseEvery, SeededReplica, seededSpec, startReplica } from "@peerstrap/m3db-wire/testing"
import { Tcp } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import { writeFileSync } from "node:fs"
import { createInterface } from "node:readline"
import { parseArgs } from "node:util"
import { heldLine, heldText } from "./Held.ts"

const { values } = parseArgs({
  options: {
    series: { type: "string" },
    points: { type: "string" },
    shards: { type: "string" },
    namespace: { type: "string" },
    held: { type: "string" },
    damage: { type: "string" },
    "lack-series": { type: "string" },
    "lack-points": { type: "string" },
    "other-values": { type: "string" }
  }
})

const ruleOf = (text: string | undefined): EveryRule | undefined => text === undefined ? undefined : parseEvery(text)

const spec = seededSpec({
  seed: 3,
  namespace: values.namespace!,
  numShards: Number(values.shards),
  series: Number(values.series),
  points: Number(values.points)
})
const data = new SeededReplica(spec, {
  lackSeries: ruleOf(values["lack-series"]),
  lackPoints: ruleOf(values["lack-points"]),
  otherValues: ruleOf(values["other-values"])
})

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

const lines: Array<string> = []
for (let shard = 0; shard < spec.numShards; shard++) {
  for (const { blocks, encodedTags, id } of data.shard(shard).series) {
    for (const { start, streams } of blocks) {
      const sum = createHash("sha256").update(streams[0]!.head).update(streams[0]!.tail).digest("hex")
      lines.push(heldLine(shard, hex(id), encodedTags === undefined ? "-" : hex(encodedTags), String(start), sum))
    }
  }
}
if (values.held !== undefined) writeFileSync(values.held, heldText(lines))

const serve = Effect.gen(function*() {
  const always = values.damage === undefined ? "" : `hollow:${values.damage}`
  const replica = yield* startReplica({ data, behaviours: always, onDeath: () => process.exit(9) })
  console.log(JSON.stringify({ address: replica.hostPort, start: String(spec.start), end: String(data.end) }))
  createInterface({ input: process.stdin }).on("line", (line) => {
    const [command, behaviours = ""] = line.trim().split(" ")
    if (command === "behaviour") replica.setBehaviours(behaviours)
    console.log(JSON.stringify({ ok: true, calls: replica.stats().calls }))
  }).on("close", () => process.exit())
  return yield* Effect.never
})

await Effect.runPromise(Effect.scoped(serve).pipe(Effect.provide(Tcp.layer)))
