/** Both sides of S3: the data path from as many peers as there are ports. Usage: SpreadSide.ts PORT[,PORT…] BYTES COUNT BATCH_ITEMS */
import { BlockSink } from "@peerstrap/m3db-bootstrap"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { tell } from "../method/Side.ts"
import { heldRun } from "../runs/HeldRun.ts"

const ports = process.argv[2]!.split(",").map(Number)
const [bytes, count, maxBatchItems] = process.argv.slice(3).map(Number) as [number, number, number]

const drop = Layer.succeed(
  BlockSink,
  BlockSink.of({ write: () => Effect.void, commit: () => Effect.void, abort: () => Effect.void })
)

tell(await heldRun({ ports, sink: drop, count, bytes, maxBatchItems }))
