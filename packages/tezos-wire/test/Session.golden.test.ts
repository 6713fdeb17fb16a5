// A captured session of two real nodes, replayed byte for byte: what they sent is opened, and sealing it again gives the same bytes.
import { assert, describe, it } from "@effect/vitest"
import { ChunkStream, ChunkWriter, FrameReader, sessionNonces } from "@peerstrap/tezos-wire"
import { existsSync, readFileSync } from "node:fs"
import { sharedPath } from "../../../tools/shared.ts"
import { bytes, text } from "./vectors.ts"
import { crypto } from "./wire.ts"

interface RecordedChunk {
  /** Nonce increments before it. */
  readonly chunk: number
  readonly wire: string
  readonly plain: string
}

interface RecordedSession {
  readonly identity: { readonly public_key: string; readonly secret_key: string }
  readonly sent_connection: string
  readonly received_connection: string
  readonly shared_key: string
  readonly send_nonce_start: string
  readonly recv_nonce_start: string
  readonly sent: ReadonlyArray<RecordedChunk>
  readonly received: ReadonlyArray<RecordedChunk>
}

const file = sharedPath("data/tezos/blocks/carthagenet-session.json")
const missing = existsSync(file) ? undefined : `captured session not found at ${file}: set PEERSTRAP_SHARED`
if (missing !== undefined) console.warn(`Session.golden.test.ts: ${missing}`)

/** The nonce after so many chunks. */
const nonceAfter = (start: string, chunks: number): Uint8Array =>
  bytes(((BigInt(`0x${start}`) + BigInt(chunks)) % BigInt(2) ** BigInt(192)).toString(16).padStart(48, "0"))

const frames = (plaintexts: ReadonlyArray<string>): ReadonlyArray<Uint8Array> => {
  const found: Array<Uint8Array> = []
  const reader = new FrameReader((body) => found.push(body) > 0)
  for (const plain of plaintexts) reader.push(bytes(plain), 0)
  assert.isUndefined(reader.fault)
  return found
}

describe("the captured session", () => {
  // Without the recording there is nothing to replay; said aloud above.
  it.skipIf(missing !== undefined)("replays", () => {
    const session: RecordedSession = JSON.parse(readFileSync(file, "utf8"))
    const theirs = bytes(session.received_connection)
    const key = crypto.sharedKey(theirs.subarray(4, 36), bytes(session.identity.secret_key))!
    assert.strictEqual(text(key), session.shared_key)
    const nonces = sessionNonces(crypto, bytes(session.sent_connection), theirs)
    assert.strictEqual(text(nonces.initiatorSends), session.send_nonce_start)
    assert.strictEqual(text(nonces.responderSends), session.recv_nonce_start)
    assert.strictEqual(session.sent.length, 54)
    assert.strictEqual(session.received.length, 54)
    for (
      const [start, chunks] of [
        [session.send_nonce_start, session.sent],
        [session.recv_nonce_start, session.received]
      ] as const
    ) {
      for (const { chunk, plain, wire } of chunks) {
        const stream = new ChunkStream(crypto, key, nonceAfter(start, chunk))
        const sealed = bytes(wire)
        assert.strictEqual(stream.take(sealed, 0), sealed.length)
        assert.strictEqual(text(stream.plaintext!), plain)
        if (plain !== "" && plain.length / 2 <= 65_503) {
          const writer = new ChunkWriter(crypto, key, nonceAfter(start, chunk))
          assert.strictEqual(text(writer.sealChunk(bytes(plain))), wire)
        }
      }
    }
  })

  it.skipIf(missing !== undefined)(
    "its first chunks in a row are one stream of frames, and our writer cuts them as the node did",
    () => {
      const session: RecordedSession = JSON.parse(readFileSync(file, "utf8"))
      const key = bytes(session.shared_key)
      let run = 0
      while (session.sent[run]?.chunk === run) run++
      assert.isAtLeast(run, 40)
      const bodies = frames(session.sent.slice(2, run).map(({ plain }) => plain))
      assert.isAtLeast(bodies.length, 38)
      const writer = new ChunkWriter(crypto, key, nonceAfter(session.send_nonce_start, 2))
      assert.strictEqual(text(writer.sealFrames(bodies)), session.sent.slice(2, run).map(({ wire }) => wire).join(""))
    }
  )
})
