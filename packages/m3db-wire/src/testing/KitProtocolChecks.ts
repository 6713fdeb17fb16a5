/** The kit's checks of TChannel itself: handshake, ping, health, checksums, fragments, refusals, silence. */
import * as Effect from "effect/Effect"
import { emptyArg3 } from "./KitCalls.ts"
import type { NodeCheck } from "./NodeServerKit.ts"
import { callFrames, initRequest, type RawFrame, rawFrame, readErrorFrame } from "./RawFrames.ts"
import { breach, connectRaw, connectReady, must, type RawPeer, reading } from "./RawPeer.ts"
import { bytesAt, fieldOf, type ThriftTree } from "./RawThrift.ts"

const health = "Node::health"

const check = (name: string, run: NodeCheck["run"], hostile = false): NodeCheck => ({ name, hostile, run })

const initPairs = (payload: Uint8Array): { readonly version: number; readonly pairs: ReadonlyMap<string, string> } => {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
  const pairs = new Map<string, string>()
  let at = 4
  const literal = () => {
    const length = view.getUint16(at)
    const text = new TextDecoder().decode(payload.subarray(at + 2, at + 2 + length))
    at += 2 + length
    return text
  }
  for (let n = view.getUint16(2); n > 0; n--) pairs.set(literal(), literal())
  if (at !== payload.length) throw new RangeError("bytes after the last pair")
  return { version: view.getUint16(0), pairs }
}

/** Error frame FF, then the end of the connection. */
const fatal = Effect.fnUntraced(function*(peer: RawPeer, what: string) {
  const frame = yield* peer.frame
  yield* must(frame.type === 0xff, () => `${what}: want an error frame, got type ${frame.type.toString(16)}`)
  const error = yield* reading(what, () => readErrorFrame(frame.payload))
  yield* must(error.code === 0xff, () => `${what}: want error code ff, got ${error.code.toString(16)}`)
  yield* peer.ended
})

const isHealthy = (result: ThriftTree): boolean => {
  const struct = fieldOf(result, 0)
  const ok = fieldOf(struct, 1)
  const bootstrapped = fieldOf(struct, 3)
  return ok?.type === "bool" && ok.value && bootstrapped?.type === "bool" && bootstrapped.value &&
    new TextDecoder().decode(bytesAt(struct, 2)) === "up"
}

/** After bytes that deserve no answer, the connection still works and nothing else has come. */
const silentAndAlive = Effect.fnUntraced(function*(peer: RawPeer, what: string) {
  const { result } = yield* Effect.mapError(
    peer.answered({ arg1: health, arg3: emptyArg3 }),
    ({ message }) => breach(`after ${what}: ${message}`)
  )
  yield* must(isHealthy(result), () => `after ${what}: not healthy`)
})

const pong = (frame: RawFrame, id: number): boolean =>
  frame.type === 0xd1 && frame.id === id && frame.payload.length === 0

const handshake = check(
  "handshake: version 2, the same id, host_port and process_name",
  (facts) =>
    Effect.gen(function*() {
      const peer = yield* connectRaw(facts.address)
      yield* peer.send(initRequest(77, 2, { host_port: "0.0.0.0:0", process_name: "kit", unknown_key: "kept" }))
      const frame = yield* peer.frame
      yield* must(frame.type === 0x02 && frame.id === 77, () => `init answered by type ${frame.type}, id ${frame.id}`)
      const { pairs, version } = yield* reading("init response", () => initPairs(frame.payload))
      yield* must(version === 2, () => `init response has version ${version}`)
      yield* must((pairs.get("host_port") ?? "") !== "", () => "init response lacks host_port")
      yield* must((pairs.get("process_name") ?? "") !== "", () => "init response lacks process_name")
    })
)

const laterVersion = check("handshake: a later version is accepted", (facts) =>
  Effect.gen(function*() {
    const peer = yield* connectRaw(facts.address)
    yield* peer.send(initRequest(1, 3, { host_port: "0.0.0.0:0", process_name: "kit" }))
    const frame = yield* peer.frame
    yield* must(frame.type === 0x02, () => `version 3 answered by type ${frame.type.toString(16)}`)
  }))

const refusedHandshakes = check(
  "handshake: no process_name, version 1, a call first: error ff and the end",
  (facts) =>
    Effect.gen(function*() {
      const firsts: ReadonlyArray<readonly [string, ReadonlyArray<Uint8Array>]> = [
        ["init without process_name", [initRequest(1, 2, { host_port: "0.0.0.0:0" })]],
        ["init with version 1", [initRequest(1, 1, { host_port: "0.0.0.0:0", process_name: "kit" })]],
        ["a call before init", callFrames({ id: 1, arg1: health, arg3: emptyArg3 })]
      ]
      for (const [what, frames] of firsts) {
        const peer = yield* connectRaw(facts.address)
        yield* peer.send(...frames)
        yield* fatal(peer, what)
      }
    })
)

const ping = check("ping is answered with the same id and no payload", (facts) =>
  Effect.gen(function*() {
    const peer = yield* connectReady(facts.address)
    yield* peer.send(rawFrame(0xd0, 7, []))
    const frame = yield* peer.frame
    yield* must(pong(frame, 7), () => `ping 7 answered by type ${frame.type.toString(16)}, id ${frame.id}`)
  }))

const healthCheck = check(
  "health: ok, up, bootstrapped; empty arg1, empty headers, `as` comes back",
  (facts) =>
    Effect.gen(function*() {
      const peer = yield* connectReady(facts.address)
      const { answer, result } = yield* peer.answered({ arg1: health, arg3: emptyArg3 })
      yield* must(
        isHealthy(result) && answer.code === 0,
        () => `health answered with code ${answer.code} or not healthy`
      )
      yield* must(answer.args[0].length === 0, () => "arg1 of an answer is not empty")
      yield* must(answer.args[1].join() === "0,0", () => "arg2 of an answer is not an empty set of headers")
      yield* must(
        answer.headers.some(([key, value]) => key === "as" && value === "thrift"),
        () => "`as` did not come back"
      )
      const bare = yield* peer.answered({ arg1: health, arg3: emptyArg3, headers: [] })
      yield* must(isHealthy(bare.result), () => "a call without transport headers is not answered")
      const ready = yield* peer.answered({ arg1: "Node::bootstrapped", arg3: emptyArg3 })
      yield* must(
        ready.answer.code === 0 && fieldOf(ready.result, 0)?.type === "struct",
        () => "bootstrapped has no value"
      )
    })
)

const checksums = check("the request's checksum type comes back: 0, 1, 3", (facts) =>
  Effect.gen(function*() {
    const peer = yield* connectReady(facts.address)
    for (const checksumType of [0, 1, 3]) {
      const { answer } = yield* peer.answered({ arg1: health, arg3: emptyArg3, checksumType })
      yield* must(answer.checksumType === checksumType, () =>
        `type ${checksumType} answered with type ${answer.checksumType}`)
    }
  }))

const fragments = check("requests in fragments of 1, 2, 5 and 13 bytes are read", (facts) =>
  Effect.gen(function*() {
    const peer = yield* connectReady(facts.address)
    for (const chunkBytes of [1, 2, 5, 13]) {
      const { result } = yield* peer.answered({ arg1: health, arg3: emptyArg3, chunkBytes })
      yield* must(isHealthy(result), () => `not healthy in fragments of ${chunkBytes} bytes`)
    }
  }))

const unknownMethods = check(
  "unknown method and service: error frame 06 that names both",
  (facts) =>
    Effect.gen(function*() {
      const peer = yield* connectReady(facts.address)
      const calls: ReadonlyArray<readonly [string, string]> = [["Node", "Node::nope"], ["Nope", health], [
        "Cluster",
        "Cluster::health"
      ]]
      for (const [service, arg1] of calls) {
        const reply = yield* peer.call({ service, arg1, arg3: emptyArg3 })
        const seen = reply.kind === "error" ? `${reply.error.code} "${reply.error.message}"` : "an answer"
        const holds = reply.kind === "error" && reply.error.code === 6 &&
          reply.error.message.includes(`"${service}"`) &&
          reply.error.message.includes(`"${arg1}"`)
        yield* must(holds, () => `${service} ${arg1}: want error 06 with both names, got ${seen}`)
      }
      yield* silentAndAlive(peer, "unknown methods")
    })
)

const duplicateId = check("an id that is used twice at once: error ff and the end", (facts) =>
  Effect.gen(function*() {
    const peer = yield* connectReady(facts.address)
    const frames = callFrames({ id: 9, arg1: health, arg3: emptyArg3, chunkBytes: 4 })
    yield* peer.send(frames[0]!, ...callFrames({ id: 9, arg1: health, arg3: emptyArg3 }))
    yield* fatal(peer, "a duplicate id")
  }))

const silences = check(
  "wrong checksum, trailing byte, TTL 0: no answer, and the connection lives",
  (facts) =>
    Effect.gen(function*() {
      const peer = yield* connectReady(facts.address)
      yield* peer.send(...callFrames({ id: 901, arg1: health, arg3: emptyArg3, checksumError: 1 }))
      yield* silentAndAlive(peer, "a wrong checksum")
      yield* peer.send(...callFrames({ id: 902, arg1: health, arg3: Uint8Array.of(0, 0) }))
      yield* silentAndAlive(peer, "a byte after the struct")
      yield* peer.send(...callFrames({ id: 903, arg1: health, arg3: emptyArg3, ttlMillis: 0 }))
      yield* silentAndAlive(peer, "a TTL of 0")
      yield* peer.send(rawFrame(0xc0, 904, new Uint8Array(31)))
      yield* silentAndAlive(peer, "a cancel frame")
    })
)

const interleaved = check(
  "calls whose fragments interleave are answered, each under its id",
  (facts) =>
    Effect.gen(function*() {
      const peer = yield* connectReady(facts.address)
      const one = callFrames({ id: 50, arg1: health, arg3: emptyArg3, chunkBytes: 6 })
      const other = callFrames({ id: 0, arg1: health, arg3: emptyArg3, chunkBytes: 6 })
      yield* peer.send(...one.flatMap((frame, index) => [frame, other[index]!]))
      const ids = [(yield* peer.frame).id, (yield* peer.frame).id].toSorted((a, b) => a - b)
      yield* must(ids.join() === "0,50", () => `answers came under ids ${ids.join()}`)
    })
)

/** A block request whose struct is these bytes. */
const blocksCall = (struct: ReadonlyArray<number>): Uint8Array =>
  Buffer.concat(callFrames({ id: 5, arg1: "Node::fetchBlocksRaw", arg3: Uint8Array.from(struct) }))

/** Bytes that crash or confuse a careless server. Each on a connection of its own; then the node must still be healthy. */
const attacks = (): ReadonlyArray<readonly [string, Uint8Array]> => {
  const first = callFrames({ id: 5, arg1: health, arg3: emptyArg3, chunkBytes: 3 })[0]!
  const nested = new Uint8Array(30_000)
  for (let i = 0; i < nested.length; i += 3) nested.set([12, 0, 9], i)
  return [
    ["a frame size below 16", Uint8Array.of(0, 3, 0x03, 0)],
    ["a fragment without a chunk", Buffer.concat([first, rawFrame(0x13, 5, [0, 1, 0, 0, 0, 0])])],
    ["a continuation of nothing", rawFrame(0x13, 6, [0, 0, 0, 1, 0])],
    ["a call head that is cut", rawFrame(0x03, 5, [0, 0, 0, 1])],
    ["a service name longer than the frame", rawFrame(0x03, 5, [...new Uint8Array(30), 255, 65])],
    ["a chunk longer than its frame", rawFrame(0x13, 5, [0, 0, 255, 255, 1])],
    ["arguments without a request", blocksCall([0])],
    ["a binary of negative length", blocksCall([12, 0, 1, 11, 0, 1, 255, 255, 255, 255, 0, 0])],
    ["a list of 2^31 elements", blocksCall([12, 0, 1, 15, 0, 3, 12, 127, 255, 255, 255, 0, 0])],
    ["10,000 nested structs", Buffer.concat(callFrames({ id: 5, arg1: "Node::fetchBlocksRaw", arg3: nested }))],
    ["an unknown frame type", rawFrame(0x77, 5, [1, 2, 3])],
    ["an init request of 65,535 pairs", initRequest(1, 2, {}).with(19, 255).with(18, 255)],
    ["an error frame", rawFrame(0xff, 5, [1, ...new Uint8Array(25), 0, 1, 65])]
  ]
}

const survives = check("hostile bytes end at most their connection", (facts) =>
  Effect.gen(function*() {
    for (const [what, bytes] of attacks()) {
      const peer = yield* connectReady(facts.address)
      yield* peer.send(bytes)
      const alive = yield* connectReady(facts.address)
      yield* silentAndAlive(alive, what)
    }
  }), true)

export const protocolChecks: ReadonlyArray<NodeCheck> = [
  handshake,
  laterVersion,
  refusedHandshakes,
  ping,
  healthCheck,
  checksums,
  fragments,
  unknownMethods,
  duplicateId,
  silences,
  interleaved,
  survives
]
