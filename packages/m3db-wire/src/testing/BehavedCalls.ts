/** Misbehaviours of calls: refusals, delays, silence, hostile structs and broken frames, as an interceptor of the node server. */
import * as Effect from "effect/Effect"
import type { CallOutcome, Intercept, ServerCall } from "../adapter/ServerCall.ts"
import { answerFrames } from "../adapter/ServerConnection.ts"
import { declaredOutcome } from "../adapter/ServerDispatch.ts"
import { decodeCallHead } from "../codec/CallHead.ts"
import { encodeFrame, frameHeaderBytes, FrameType } from "../codec/Frame.ts"
import { WireFault } from "../codec/WireFault.ts"
import { DeclaredErrors } from "../contract/ReplicaSource.ts"
import type { DeclaredErrorKind, FrameErrorKind } from "./Behaviours.ts"
import { declaredErrors, frameErrors, isDeclaredKind } from "./Refusals.ts"
import type { ReplicaControl } from "./ReplicaControl.ts"

const text = new TextDecoder()

const refusal = (call: ServerCall, kind: DeclaredErrorKind | FrameErrorKind): CallOutcome => {
  if (!isDeclaredKind(kind)) return { kind: "error-frame", code: frameErrors[kind], message: `replica says ${kind}` }
  const { request } = call
  if (request.kind !== "listing" && request.kind !== "blocks") return declaredOutcome(declaredErrors[kind](0, ""))
  return declaredOutcome(declaredErrors[kind](request.request.shard, text.decode(request.request.namespace)))
}

const int32 = (
  value: number
): ReadonlyArray<number> => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]

/** Field 1, a list of so many structs. */
const listHead = (count: number): ReadonlyArray<number> => [0x0f, 0, 1, 0x0c, ...int32(count)]

/** Field 1, a binary that claims a length before its 64 bytes. */
const binary = (
  length: number
): ReadonlyArray<number> => [0x0b, 0, 1, ...int32(length), ...new Uint8Array(64).fill(0x78)]

/** Result structs whose lengths attack a reader. */
const hostileLength = (kind: "binary" | "list" | "negative"): Uint8Array => {
  const body = kind === "list"
    ? listHead(0x7ffffff0)
    : [...listHead(1), ...binary(kind === "binary" ? 0x7ffffff0 : -5)]
  return Uint8Array.from([0x0c, 0, 0, ...body, 0, 0, 0])
}

/** A struct in field 0 of a struct in field 0 … */
const nestedStructs = (depth: number): Uint8Array => {
  const out = new Uint8Array(depth * 4 + 1)
  for (let i = 0; i < depth; i++) out[i * 3] = 0x0c
  return out
}

/** Where the checksum type of an answer's frame stands. */
const checksumAt = (frame: Uint8Array, first: boolean): number => {
  if (!first) return frameHeaderBytes + 1
  const head = decodeCallHead("response", frame, frameHeaderBytes, frame.length)
  if (head instanceof WireFault) throw new RangeError(head.message)
  return head.end
}

/** The last frame with a checksum that is wrong. Nothing to break in an answer without checksums. */
const withBadChecksum = (frames: Array<Uint8Array>): Array<Uint8Array> => {
  const last = frames.at(-1)!
  const at = checksumAt(last, frames.length === 1)
  if (last[at] === 0) return frames
  const broken = last.slice()
  broken[at + 1] = broken[at + 1]! ^ 0x55
  return [...frames.slice(0, -1), broken]
}

/** One more fragment, with a right checksum and no chunk: it crashes a Go peer. */
const withChunklessFragment = (call: ServerCall, frames: Array<Uint8Array>): Array<Uint8Array> => {
  const last = frames.at(-1)!.slice()
  const at = checksumAt(last, frames.length === 1)
  last[frameHeaderBytes] = last[frameHeaderBytes]! | 1
  const checksum = last.subarray(at, at + (last[at] === 0 ? 1 : 5))
  return [
    ...frames.slice(0, -1),
    last,
    encodeFrame(FrameType.callResponseContinue, call.id, Uint8Array.of(0, ...checksum))
  ]
}

const brokenFrames = (control: ReplicaControl, call: ServerCall, arg3: Uint8Array): CallOutcome => {
  const behaviours = control.behaviours
  let frames = answerFrames(call, 0, arg3, behaviours.get("frame-size")?.bytes)
  if (control.turn("chunkless-fragment")) frames = withChunklessFragment(call, frames)
  if (control.turn("bad-crc")) frames = withBadChecksum(frames)
  const dieAfter = behaviours.get("die-after")
  if (dieAfter !== undefined && control.dataCalls >= dieAfter.calls) {
    control.dying = call.sequence
    const first = frames[0]!
    return { kind: "frames", frames: [first.subarray(0, Math.max(20, first.length >> 1))], close: true }
  }
  return { kind: "frames", frames, close: false }
}

const breaksFrames = ["frame-size", "chunkless-fragment", "bad-crc", "die-after"] as const

const answerData = Effect.fnUntraced(function*(
  control: ReplicaControl,
  call: ServerCall,
  proceed: Effect.Effect<CallOutcome>
) {
  control.dataCalls++
  if (control.overRate()) return declaredOutcome(DeclaredErrors.overloaded())
  const delay = control.behaviours.get("delay")
  if (delay !== undefined) yield* Effect.sleep(delay.millis)
  const error = control.behaviours.get("error")
  if (error !== undefined && control.turn("error")) return refusal(call, error.kind)
  const hostile = control.behaviours.get("huge-length")
  const blocks = call.request.kind === "blocks"
  const outcome: CallOutcome = blocks && hostile !== undefined
    ? { kind: "result", code: 0, arg3: hostileLength(hostile.kind) }
    : blocks && control.behaviours.has("deep-thrift")
    ? { kind: "result", code: 0, arg3: nestedStructs(10_000) }
    : yield* proceed
  if (outcome.kind !== "result" || outcome.code !== 0) return outcome
  return breaksFrames.some((name) => control.behaviours.has(name)) ? brokenFrames(control, call, outcome.arg3) : outcome
})

/** The interceptor of a replica under `control`. */
export const behavedCalls = (control: ReplicaControl): Intercept => (call, proceed) => {
  if (control.behaviours.get("hang")?.method === call.method) return Effect.never
  const isData = call.request.kind === "listing" || call.request.kind === "blocks"
  return isData ? answerData(control, call, proceed) : proceed
}
