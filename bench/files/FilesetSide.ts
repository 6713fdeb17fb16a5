/**
 * Our side of S2: one peer's blocks into M3's fileset layout, each file durable, checkpoint last. The listing is done before.
 * Usage: FilesetSide.ts DIRECTORY PORT BYTES COUNT BATCH_ITEMS; the directory must be empty or absent.
 */
import { FilesetSink } from "@peerstrap/m3db-files"
import { NodeFileSystem } from "@peerstrap/storage"
import * as Layer from "effect/Layer"
import { tell } from "../method/Side.ts"
import { blockSize, namespace } from "../replicas/AnswerSet.ts"
import { heldRun } from "../runs/HeldRun.ts"

const directory = process.argv[2]!
const [port, bytes, count, maxBatchItems] = process.argv.slice(3).map(Number) as [number, number, number, number]

const sink = Layer.provide(
  Layer.orDie(FilesetSink.layer({ prefix: directory, namespace, blockSize })),
  NodeFileSystem.layer
)

tell(await heldRun({ ports: [port], sink, count, bytes, maxBatchItems }))
