/** The rig of our own scriptable replicas: what a clone alone can run, and faults that only they know. */
import {
  digestHeader,
  digestLines,
  type EveryRule,
  parseEvery,
  type ScriptedReplica,
  SeededReplica,
  seededSpec,
  startReplica
} from "@peerstrap/m3db-wire/testing"
import { Tcp } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import type { Difference, Rig, Suspect } from "./Rig.ts"

const spec = seededSpec({
  seed: 3,
  namespace: "ns",
  numShards: 2,
  series: 120,
  blocks: 2,
  points: 12,
  odd: 9,
  annotate: 11,
  active: 1
})

const serve = (data: SeededReplica, behaviours = "") =>
  Effect.orDie(Effect.provide(startReplica({ data, behaviours }), Tcp.layer))

const suspectOf = ({ hostPort, setBehaviours }: ScriptedReplica): Suspect => ({
  hostPort,
  behave: (behaviours) => Effect.sync(() => setBehaviours(behaviours))
})

const ruleOf = (text: string | undefined): EveryRule | undefined => text === undefined ? undefined : parseEvery(text)

const differing = (difference: Difference) => {
  const variation = {
    lackSeries: ruleOf(difference["lack-series"]),
    lackPoints: ruleOf(difference["lack-points"]),
    otherValues: ruleOf(difference["other-values"])
  }
  const { damage, "wrong-checksum": wrong } = difference
  const behaviours = damage !== undefined ? `hollow:${damage}` : wrong !== undefined ? `lie-data:${wrong}` : ""
  return Effect.map(serve(new SeededReplica(spec, variation), behaviours), suspectOf)
}

export const embeddedRig = Effect.gen(function*() {
  const data = new SeededReplica(spec)
  const honest: ReadonlyArray<ScriptedReplica> = [yield* serve(data), yield* serve(data)]
  return {
    name: "embedded replicas",
    namespace: spec.namespace,
    numShards: spec.numShards,
    start: String(spec.start),
    end: String(data.end),
    honest: honest.map(({ hostPort }, at) => ({ id: "AB"[at]!, hostPort })),
    truth: [digestHeader, ...digestLines(data.truth()), ""].join("\n"),
    suspect: Effect.map(serve(data), suspectOf),
    differing
  } satisfies Rig as Rig
})
