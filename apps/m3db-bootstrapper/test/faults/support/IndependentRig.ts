/** The rig of replicas that share no code with ours: processes of `m3peer.py`. */
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { temporaryDirectory } from "../../support/InspectProgram.ts"
import { type M3Peer, startM3Peer } from "./M3Peer.ts"
import type { Rig, Suspect } from "./Rig.ts"

const namespace = "ns"
const numShards = 2

/** Two blocks, the second still in the replicas' memory; some ids that are no text, some annotations. */
const spec = "series=120,points=12,blocks=2,start=1600000000000000000,seed=3,odd=9,annotate=11,active=1"

const served = { spec, namespace, numShards }

const behave = (peer: M3Peer, behaviours: string) =>
  Effect.flatMap(
    peer.tell(`behaviour ${behaviours}`),
    (ok) => ok ? Effect.void : Effect.die(new Error(`m3peer.py refused "${behaviours}"`))
  )

/** Lends replicas C, one to each test that needs one now. One that died is not lent again. */
const makePool = Effect.gen(function*() {
  const scope = yield* Effect.scope
  const idle: Array<M3Peer> = []
  const take = Effect.suspend(() => {
    const peer = idle.pop()
    return peer === undefined ? Scope.provide(startM3Peer(served), scope) : Effect.succeed(peer)
  })
  const giveBack = Effect.fnUntraced(function*(peer: M3Peer) {
    if ((yield* peer.tell("behaviour")) && (yield* peer.tell("drop"))) idle.push(peer)
  })
  const lend = Effect.map(
    Effect.acquireRelease(take, giveBack),
    (peer): Suspect => ({ hostPort: peer.hostPort, behave: (behaviours) => behave(peer, behaviours) })
  )
  return { lend }
})

export const independentRig = Effect.gen(function*() {
  const digest = join(yield* temporaryDirectory, "truth.tsv")
  const a = yield* startM3Peer({ ...served, flags: ["--digest", digest] })
  const b = yield* startM3Peer(served)
  return {
    name: "independent replicas",
    namespace,
    numShards,
    start: a.start,
    end: a.end,
    honest: [{ id: "A", hostPort: a.hostPort }, { id: "B", hostPort: b.hostPort }],
    truth: readFileSync(digest, "utf8"),
    differing: (difference) =>
      Effect.map(
        startM3Peer({ ...served, flags: Object.entries(difference).map(([name, rule]) => `--${name}=${rule}`) }),
        (peer): Suspect => ({ hostPort: peer.hostPort, behave: (behaviours) => behave(peer, behaviours) })
      ),
    suspect: (yield* makePool).lend
  } satisfies Rig as Rig
})
