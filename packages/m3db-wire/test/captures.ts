// The recorded sessions of real nodes: streams, their frames as listed by another parser, and the decoded calls.
import { FrameSplitter, FrameType, MessageReader, type WireFault } from "@peerstrap/m3db-wire"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { sharedMissing, sharedPath } from "../../../tools/shared.ts"

export const capturesMissing = sharedMissing

const folder = sharedPath("data/m3db/wire")

/** Parses JSON with integers above 2^53 as bigint. */
export const parseExact = (text: string): any =>
  JSON.parse(
    text,
    ((_key: string, value: unknown, context: { readonly source?: string }) =>
      typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value)
        ? BigInt(context.source!)
        : value) as (key: string, value: unknown) => unknown
  )

export interface Capture {
  /** Path without `.bin`, below the folder of captures. */
  readonly name: string
  readonly bytes: Uint8Array
  readonly frames: ReadonlyArray<any>
}

const binaries = (): ReadonlyArray<string> =>
  (readdirSync(folder, { recursive: true }) as Array<string>).filter((path) => path.endsWith(".bin")).toSorted()

export const loadCaptures = (): ReadonlyArray<Capture> =>
  binaries().map((path) => {
    const name = path.slice(0, -".bin".length)
    return {
      name,
      bytes: new Uint8Array(readFileSync(`${folder}/${path}`)),
      frames: readFileSync(`${folder}/${name}.frames.jsonl`, "utf8").trim().split("\n").map(parseExact)
    }
  })

/** The decoded calls of a capture, in call order; undefined for whole sessions. */
export const loadDecoded = (name: string): ReadonlyArray<any> | undefined => {
  const path = `${folder}/${name.replace(/-conn\d+\.(c2s|s2c)$/, "")}.decoded.json`
  return existsSync(path) ? parseExact(readFileSync(path, "utf8")).answers : undefined
}

export interface SeenFrame {
  readonly type: number
  readonly id: number
  readonly payload: Uint8Array
}

/** All frames of a stream that comes in chunks of the sizes given (the last one repeats). */
export const splitFrames = (
  bytes: Uint8Array,
  nextSize: () => number
): { readonly frames: Array<SeenFrame>; readonly fault: WireFault | undefined; readonly pendingBytes: number } => {
  const frames: Array<SeenFrame> = []
  const splitter = new FrameSplitter((type, id, buffer, start, end) => {
    frames.push({ type, id, payload: buffer.slice(start, end) })
  })
  let fault: WireFault | undefined
  for (let position = 0; position < bytes.length && fault === undefined;) {
    const size = Math.max(1, nextSize())
    // A copy that is overwritten afterwards, as a socket's buffer is.
    const chunk = bytes.slice(position, position + size)
    fault = splitter.push(chunk)
    chunk.fill(0xee)
    position += size
  }
  return { frames, fault, pendingBytes: splitter.pendingBytes }
}

export interface SeenMessage {
  readonly id: number
  readonly reader: MessageReader
}

/** Calls or answers of a stream by id, in the order in which they ended. */
export const messagesOf = (kind: "request" | "response", frames: ReadonlyArray<SeenFrame>): Array<SeenMessage> => {
  const open = new Map<number, MessageReader>()
  const done: Array<SeenMessage> = []
  const types: ReadonlyArray<number> = kind === "request"
    ? [FrameType.callRequest, FrameType.callRequestContinue]
    : [FrameType.callResponse, FrameType.callResponseContinue]
  for (const frame of frames) {
    if (!types.includes(frame.type)) continue
    const reader = open.get(frame.id) ?? new MessageReader(kind, { maxBytes: 1 << 24 })
    open.set(frame.id, reader)
    const progress = reader.push(frame.type, frame.payload, 0, frame.payload.length)
    if (typeof progress !== "string") throw new Error(`call ${frame.id}: ${progress.toString()}`)
    if (progress === "done") {
      open.delete(frame.id)
      done.push({ id: frame.id, reader })
    }
  }
  if (open.size > 0) throw new Error(`${open.size} messages did not end`)
  return done
}

/** A small seeded generator (mulberry32): the same numbers for the same seed. */
export const seeded = (seed: number): () => number => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
