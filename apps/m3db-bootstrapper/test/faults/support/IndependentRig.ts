/** The rig of replicas that share no code with ours: processes of `m3peer.py`. */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
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

/** Replicas C that wait for their next test. One that died is replaced. */
const makePool = Effect.fnUntraced(function*(size: number) {
  const scope = yield* Effect.scope
  const idle = yield* Queue.unbounded<M3Peer>()
  const begin = Scope.provide(startM3Peer(served), scope)
  yield* Queue.offerAll(idle, yield* Effect.replicateEffect(begin, size, { concurrency: "unbounded" }))
  const giveBack = Effect.fnUntraced(function*(peer: M3Peer) {
    const isAlive = (yield* peer.tell("behaviour")) && (yield* peer.tell("drop"))
    yield* Queue.offer(idle, isAlive ? peer : yield* begin)
  })
  const lend = Effect.map(
    Effect.acquireRelease(Queue.take(idle), giveBack),
    (peer): Suspect => ({ hostPort: peer.hostPort, behave: (behaviours) => behave(peer, behaviours) })
  )
  return { lend }
})

/** `suspects`: how many tests may use a C at the same time. */
export const independentRig = Effect.fnUntraced(function*(suspects: number) {
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
    suspect: (yield* makePool(suspects)).lend
  } satisfies Rig as Rig
})
