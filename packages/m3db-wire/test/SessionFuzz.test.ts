// A whole connection's bytes, damaged in every way: the session never throws, and every call comes to an end or still waits.
import { assert, describe, it } from "@effect/vitest"
import {
  type CallFailure,
  ChecksumType,
  ClientSession,
  emptyArguments,
  encodeCallResponse,
  encodeErrorFrame,
  encodeFrame,
  encodeHealthAnswer,
  encodeInit,
  FrameType,
  makeCounters,
  Method,
  type PendingCall
} from "@peerstrap/m3db-wire"
import { seeded } from "./captures.ts"

interface Opened {
  readonly session: ClientSession
  readonly calls: ReadonlyArray<PendingCall>
  readonly failures: Array<CallFailure>
}

const initAnswer = encodeInit(FrameType.initResponse, 1, {
  version: 2,
  pairs: [["host_port", "peer:9000"], ["process_name", "p"]]
})

/** A session whose handshake is done and that waits for two answers, ids 2 and 3. */
const opened = (handshake = true): Opened => {
  const failures: Array<CallFailure> = []
  const session = new ClientSession({ processName: "test", checksumType: ChecksumType.crc32 }, {
    send: (_frames, written) => written(),
    nowMillis: () => 0,
    onOpen: () => undefined,
    onEnd: (failure) => failures.push(failure)
  }, makeCounters())
  session.start()
  if (!handshake) return { session, calls: [], failures }
  session.receive(initAnswer)
  const options = { ttlMillis: 1000, maxAnswerBytes: 4096, capacityHint: 64 }
  return { session, failures, calls: [2, 3].map(() => session.begin(Method.health, emptyArguments(), options)) }
}

const arg3 = encodeHealthAnswer({ ok: true, status: "up".repeat(20), bootstrapped: true })
const stream = Buffer.concat([
  ...encodeCallResponse({ id: 2, code: 0, arg3, checksumType: ChecksumType.crc32 }, 80),
  encodeFrame(FrameType.pingRequest, 9),
  encodeErrorFrame(3, 5, "x")
])

const feed = ({ calls, failures, session }: Opened, bytes: Uint8Array, nextSize: () => number) => {
  for (let position = 0; position < bytes.length;) {
    const size = Math.max(1, nextSize())
    if (!session.receive(bytes.slice(position, position + size))) break
    position += size
  }
  assert.isAtMost(failures.length, 1)
  assert.strictEqual(session.ended, failures[0])
  const waiting = calls.filter(({ outcome }) => outcome === undefined)
  assert.strictEqual(session.outstanding, waiting.length)
  if (session.ended !== undefined) assert.strictEqual(waiting.length, 0)
}

describe("session under damaged streams", () => {
  it("the sound stream ends both calls, whatever the chunks", () => {
    for (let seed = 1; seed <= 200; seed++) {
      const random = seeded(seed)
      const session = opened()
      feed(session, stream, () => Math.floor(random() * 60))
      assert.deepStrictEqual(session.calls.map(({ outcome }) => outcome?._tag), ["answer", "failure"], `seed ${seed}`)
      assert.isUndefined(session.session.ended)
      // All bytes of the two calls, and only those, are credited to them: the ping's 16 are not.
      const credited = session.calls.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0)
      assert.strictEqual(credited, stream.length - 16, `seed ${seed}`)
    }
  })

  it("every bit flip, every cut, and every byte set to 00, 7f, 80 and ff", () => {
    for (let position = 0; position < stream.length; position++) {
      for (const change of [1, 2, 4, 8, 16, 32, 64, 128, -1, -2, -3, -4]) {
        const bytes = Uint8Array.from(stream)
        bytes[position] = change > 0 ? bytes[position]! ^ change : [0, 0x7f, 0x80, 0xff][-change - 1]!
        const session = opened()
        feed(session, bytes, () => 37)
        session.session.streamEnded("end")
        assert.strictEqual(session.session.outstanding, 0)
      }
      const session = opened()
      feed(session, stream.subarray(0, position), () => 37)
      session.session.streamEnded("end")
      assert.isTrue(session.calls.every(({ outcome }) => outcome !== undefined))
    }
  })

  it("every bit flip of the handshake's answer opens or ends the session", () => {
    for (let bit = 0; bit < initAnswer.length * 8; bit++) {
      const bytes = initAnswer.slice()
      bytes[bit >> 3]! ^= 1 << (bit & 7)
      const session = opened(false)
      feed(session, bytes, () => 5)
      session.session.streamEnded("end")
      assert.strictEqual(session.failures.length, 1)
      assert.include(["other-protocol", "protocol", "closed"], session.failures[0]!.reason)
    }
  })

  it("5,000 streams of random frames", () => {
    const types = [...Object.values(FrameType), 0, 0x55]
    for (let seed = 1; seed <= 5_000; seed++) {
      const random = seeded(seed)
      const below = (count: number) => Math.floor(random() * count)
      const frames = Array.from({ length: 1 + below(5) }, () => {
        const payload = Uint8Array.from({ length: below(60) }, () => below(4))
        return encodeFrame(types[below(types.length)]!, below(5), payload)
      })
      feed(opened(), Buffer.concat(frames), () => below(90))
    }
  })
})
