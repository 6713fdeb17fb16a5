// Frames through chunks without a network: fragmentation, pauses, sizes, memory, and every kind of damage.
import { assert, describe, it } from "@effect/vitest"
import { ChunkStream, ChunkWriter, FrameReader, Limits, SessionLimits, sessionNonces } from "@peerstrap/tezos-wire"
import { ByteLedger } from "@peerstrap/transport"
import * as fc from "fast-check"
import { text } from "./vectors.ts"
import { collect, connected, crypto, deliver, type End, pattern } from "./wire.ts"

const same = (actual: ReadonlyArray<Uint8Array>, expected: ReadonlyArray<Uint8Array>) => {
  assert.deepStrictEqual(actual.map((each) => each.length), expected.map((each) => each.length))
  for (const [i, body] of expected.entries()) assert.isTrue(Buffer.from(actual[i]!).equals(body), `frame ${i} differs`)
}

const key = new Uint8Array(32).fill(7)
const nonce = new Uint8Array(24).fill(0xff)

/** Chunks with any plaintexts, as a writer that is not ours could cut them. */
const chunksOf = (plaintexts: ReadonlyArray<Uint8Array>, writer = new ChunkWriter(crypto, key, nonce)) =>
  plaintexts.map((plaintext) => writer.sealChunk(plaintext))

const framed = (...bodies: ReadonlyArray<Uint8Array>): Uint8Array =>
  new Uint8Array(Buffer.concat(bodies.flatMap((body) => {
    const size = Buffer.alloc(4)
    size.writeUInt32BE(body.length)
    return [size, body]
  })))

/** Frames of a stream of chunks, and the faults of either layer. */
const readAll = (chunks: ReadonlyArray<Uint8Array>, pieceBytes = 65_537) => {
  const stream = new ChunkStream(crypto, key, nonce)
  const frames: Array<Uint8Array> = []
  const reader = new FrameReader((body) => frames.push(body) > 0)
  const bytes = new Uint8Array(Buffer.concat(chunks))
  for (let start = 0; start < bytes.length; start += pieceBytes) {
    const piece = bytes.slice(start, start + pieceBytes)
    for (let at = 0; at < piece.length && stream.fault === undefined && reader.fault === undefined;) {
      at = stream.take(piece, at)
      if (stream.plaintext !== undefined) reader.push(stream.plaintext, 0)
    }
    piece.fill(0xdd)
  }
  return { frames, fault: stream.fault ?? reader.fault, opened: stream.opened, reader, stream }
}

/** A frame's beginning that claims so many bytes. */
const sized = (size: number) => {
  const plain = new Uint8Array(8)
  new DataView(plain.buffer).setUint32(0, size)
  return readAll(chunksOf([plain]))
}

describe("chunks and frames", () => {
  const bodies = [1, 2, 100, 65_499, 65_500, 65_503, 70_000, 140_000].map((length, i) => pattern(length, i))

  it("what is written is read, however it is cut", () => {
    const sealed = new ChunkWriter(crypto, key, nonce).sealFrames(bodies)
    for (const pieceBytes of [1_000_000, 65_521, 4_096, 1]) same(readAll([sealed], pieceBytes).frames, bodies)
  })

  it("every frame begins a chunk, no chunk is above 65,503 bytes or empty, and the first holds the size", () => {
    const sealed = new ChunkWriter(crypto, key, nonce).sealFrames(bodies)
    const stream = new ChunkStream(crypto, key, nonce)
    let left = 0
    let frame = 0
    for (let at = 0; at < sealed.length;) {
      at = stream.take(sealed, at)
      const plaintext = stream.plaintext!
      assert.isAtMost(plaintext.length, SessionLimits.maxPlaintextChunkBytes)
      if (left === 0) {
        assert.isAtLeast(plaintext.length, 4)
        left = 4 + new DataView(plaintext.buffer, plaintext.byteOffset).getUint32(0)
        assert.strictEqual(left, 4 + bodies[frame++]!.length)
      }
      assert.isAtMost(plaintext.length, left, "a chunk reaches into the next frame")
      left -= plaintext.length
    }
    assert.strictEqual(left, 0)
    assert.strictEqual(frame, bodies.length)
    assert.strictEqual(stream.opened, 13)
  })

  it("two frames in one chunk, a size cut in two, a tail with a start, and empty chunks", () => {
    const [a, b, c] = [pattern(10, 1), pattern(300, 2), pattern(5, 3)]
    const plain = framed(a, b, c)
    same(readAll(chunksOf([plain])).frames, [a, b, c])
    for (let cut = 1; cut < plain.length; cut++) {
      same(readAll(chunksOf([plain.subarray(0, cut), plain.subarray(cut)])).frames, [a, b, c])
    }
    same(readAll(chunksOf(Array.from(plain, (byte) => Uint8Array.of(byte)))).frames, [a, b, c])
    const empty = new Uint8Array(18)
    empty[1] = 16
    crypto.sealInto(empty, 2, new Uint8Array(0), nonce, key)
    const read = readAll([empty])
    assert.strictEqual(read.opened, 1)
    assert.isUndefined(read.fault)
  })

  it("any cut into chunks and pieces gives the same frames", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(2_000), { minLength: 1, maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 700 }),
        (sizes, cuts, pieceBytes) => {
          const wanted = sizes.map((size, i) => pattern(size + 1, i))
          const plain = framed(...wanted)
          const pieces: Array<Uint8Array> = []
          for (let at = 0, i = 0; at < plain.length; i++) {
            const next = at + cuts[i % cuts.length]!
            pieces.push(plain.subarray(at, next))
            at = next
          }
          same(readAll(chunksOf(pieces), pieceBytes).frames, wanted)
        }
      ),
      { seed: 5, numRuns: 60 }
    )
  })

  it("size 0, a size above the cap, and lengths that lie end it before anything is buffered", () => {
    for (const size of [0, Limits.maxFrameBytes + 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]) {
      const { fault } = sized(size)
      assert.strictEqual(fault?.what, "frame size", `${size}`)
      assert.include(fault?.message, `${size}`)
    }
    for (const size of [1, 4, Limits.maxFrameBytes]) assert.isUndefined(sized(size).fault, `${size}`)
    for (const length of [0, 1, 15]) {
      const { fault } = readAll([Uint8Array.of(0, length)])
      assert.strictEqual(fault?.what, "chunk length")
      assert.deepInclude(fault, { chunk: 0, offset: 0 })
    }
    const writer = new ChunkWriter(crypto, key, nonce)
    assert.throws(() => writer.sealFrames([Uint8Array.of(1), new Uint8Array(0)]), RangeError)
    assert.throws(() => writer.sealFrames([new Uint8Array(Limits.maxFrameBytes + 1)]), RangeError)
    assert.throws(() => writer.sealChunk(new Uint8Array(0)), RangeError)
    assert.strictEqual(writer.sealed, 0)
  })

  it("a flipped bit anywhere in a stream is noticed at its chunk, and no wrong frame comes out", () => {
    const wanted = [pattern(20, 1), pattern(40, 2), pattern(300, 3)]
    const sealed = new ChunkWriter(crypto, key, nonce).sealFrames(wanted)
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const changed = sealed.slice()
      changed[bit >> 3]! ^= 1 << (bit & 7)
      const { fault, frames, stream } = readAll([changed])
      assert.isTrue(fault !== undefined || stream.midChunk, `bit ${bit} went unnoticed`)
      same(frames, wanted.slice(0, frames.length))
      assert.isBelow(frames.length, 3)
      if (fault !== undefined && "chunk" in fault) assert.strictEqual(fault.chunk, frames.length)
    }
  })

  it("chunks swapped, repeated or left out do not open", () => {
    const [a, b, c] = chunksOf([framed(pattern(9, 1)), framed(pattern(9, 2)), framed(pattern(9, 3))])
    for (const order of [[b!], [a!, a!], [a!, c!], [a!, c!, b!]]) {
      assert.strictEqual(readAll(order).fault?.what, "authentication")
    }
    assert.isUndefined(readAll([a!, b!, c!]).fault)
  })

  it("random bytes after the handshake end it, or wait for more", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (bytes) => {
        const { frames, stream } = readAll([bytes])
        assert.strictEqual(frames.length, 0)
        assert.isTrue(stream.fault !== undefined || stream.midChunk)
      }),
      { seed: 8, numRuns: 500 }
    )
  })
})

const send = (from: End, to: End, bodies: ReadonlyArray<Uint8Array>, pieceBytes?: number) =>
  deliver(to, from.wire.seal(bodies), pieceBytes)

describe("WireSession", () => {
  it("carries frames both ways, in pieces of one byte", () => {
    const [a, b] = connected({}, {}, 1)
    collect(a)
    collect(b)
    const bodies = [pattern(3, 1), pattern(500, 2)]
    send(a, b, bodies, 1)
    send(b, a, bodies, 1)
    same(a.frames, bodies)
    same(b.frames, bodies)
    assert.strictEqual(a.wire.framesOut, 2)
    assert.strictEqual(a.wire.framesIn, 2)
    assert.isFalse(a.wire.midway)
  })

  it("carries a header of 754,032 bytes in twelve chunks", () => {
    const [a, b] = connected()
    collect(b)
    const body = pattern(754_034, 1)
    const sealed = a.wire.seal([body])
    assert.strictEqual(sealed.length, 754_034 + 4 + 12 * 18)
    for (const pieceBytes of [sealed.length, 1_448]) {
      const bytes = pieceBytes === sealed.length ? sealed : a.wire.seal([body])
      assert.isTrue(deliver(b, bytes, pieceBytes))
    }
    same(b.frames, [body, body])
  })

  it("frames wait for the consumer, and for the end of a pause, each once and in order", () => {
    const [a, b] = connected()
    const bodies = Array.from({ length: 30 }, (_, i) => pattern(20 + i * 700, i))
    assert.isFalse(send(a, b, bodies.slice(0, 10)), "reading goes on without a consumer")
    let allowed = 3
    const seen: Array<Uint8Array> = []
    assert.isFalse(b.wire.receive((body) => {
      seen.push(body)
      return --allowed > 0
    }))
    same(seen, bodies.slice(0, 3))
    assert.isTrue(b.wire.midway)
    allowed = 4
    assert.isFalse(b.wire.resume())
    same(seen, bodies.slice(0, 7))
    allowed = 1_000
    assert.isTrue(b.wire.resume())
    send(a, b, bodies.slice(10))
    same(seen, bodies)
    assert.isFalse(b.wire.midway)
    assert.throws(() => b.wire.receive(() => true), "already installed")
  })

  it("a pause is exact within one chunk that holds many frames", () => {
    const [a, b] = connected()
    if (a.outcome?.kind !== "established") throw new Error("no session")
    const bodies = [pattern(5, 1), pattern(6, 2), pattern(7, 3)]
    let paused = 0
    b.wire.receive((body) => {
      b.frames.push(body)
      paused++
      return false
    })
    deliver(b, a.outcome.writer.sealChunk(framed(...bodies)))
    for (let expected = 1; expected <= 3; expected++) {
      assert.strictEqual(paused, expected)
      b.wire.resume()
    }
    same(b.frames, bodies)
  })

  it("a resume from within the consumer takes the pause back", () => {
    const [a, b] = connected()
    b.wire.receive((body) => {
      b.frames.push(body)
      b.wire.resume()
      return false
    })
    assert.isTrue(send(a, b, [pattern(1, 1), pattern(2, 2), pattern(3, 3)]))
    assert.strictEqual(b.frames.length, 3)
  })

  it("a flipped bit, a wrong size and a wrong length are reported once, with their place, and nothing follows", () => {
    const damages: ReadonlyArray<readonly ["authentication" | "chunk length", (sealed: Uint8Array) => void]> = [
      ["authentication", (sealed) => void (sealed[30]! ^= 4)],
      ["chunk length", (sealed) => sealed.fill(0, 0, 2)]
    ]
    for (const [what, damage] of damages) {
      const [a, b] = connected()
      collect(b)
      const before = b.wire.bytesIn
      const good = a.wire.seal([pattern(9, 1)])
      const bad = a.wire.seal([pattern(9, 2)])
      damage(bad)
      deliver(b, good)
      assert.isFalse(deliver(b, bad))
      assert.deepInclude(b.fault, { what, chunk: 3, offset: before + good.length })
      assert.isFalse(send(a, b, [pattern(9, 3)]))
      same(b.frames, [pattern(9, 1)])
    }
    const [a, b] = connected()
    collect(b)
    if (a.outcome?.kind !== "established") throw new Error("no session")
    deliver(b, a.outcome.writer.sealChunk(new Uint8Array(4)))
    assert.deepInclude(b.fault, { what: "frame size", chunk: 2 })
  })

  it("large frames draw from the ledger; its refusal pauses, its release resumes, and nothing stays drawn", () => {
    const ledger = new ByteLedger(300_000)
    const [a, b] = connected({}, {}, undefined, ledger)
    const drawn: Array<number> = []
    b.wire.receive((body) => {
      b.frames.push(body)
      drawn.push(ledger.used)
      return true
    })
    ledger.tryReserve("others", 200_000)
    const bodies = [pattern(1_000, 1), pattern(150_000, 2), pattern(2_000, 3)]
    assert.isFalse(send(a, b, bodies))
    assert.isTrue(b.wire.waitsForMemory)
    same(b.frames, bodies.slice(0, 1))
    assert.isFalse(b.wire.retry())
    ledger.release("others", 60_000)
    assert.isTrue(b.wire.retry())
    assert.isFalse(b.wire.waitsForMemory)
    same(b.frames, bodies)
    assert.deepStrictEqual(drawn, [200_000, 140_000, 140_000])
    assert.strictEqual(ledger.usedBy("frames"), 0)
    const half = a.wire.seal([pattern(140_000, 4)])
    deliver(b, half.subarray(0, 100_000))
    assert.strictEqual(ledger.usedBy("frames"), 140_000)
    b.wire.end()
    assert.strictEqual(ledger.usedBy("frames"), 0)
  })

  it("a frame above the whole budget ends the session as a local fault", () => {
    const [a, b] = connected({}, {}, undefined, new ByteLedger(100_000))
    collect(b)
    assert.isFalse(send(a, b, [pattern(100_001, 1)]))
    assert.strictEqual(b.fault?.what, "memory budget")
    const [c, d] = connected({}, {}, undefined, new ByteLedger(10))
    collect(d)
    assert.isTrue(send(c, d, [pattern(65_000, 1)]), "small frames need no ledger")
  })

  it("a budget that is made smaller while a frame waits for it: one that does not fit any more is a fault, others wait", () => {
    const ledger = new ByteLedger(300_000)
    const [a, b] = connected({}, {}, undefined, ledger)
    collect(b)
    assert.isTrue(ledger.tryReserve("others", 200_000))
    send(a, b, [pattern(150_000, 1)])
    ledger.resize(160_000)
    assert.isFalse(b.wire.retry())
    assert.isTrue(b.wire.waitsForMemory)
    ledger.release("others", 200_000)
    assert.isTrue(b.wire.retry())
    assert.deepStrictEqual([b.frames.length, ledger.used], [1, 0])
    assert.isTrue(ledger.tryReserve("others", 100_000))
    send(a, b, [pattern(150_000, 2)])
    assert.isTrue(b.wire.waitsForMemory)
    ledger.resize(140_000)
    assert.isFalse(b.wire.retry())
    assert.deepStrictEqual([b.fault?.what, ledger.usedBy("frames")], ["memory budget", 0])
    assert.match(b.fault!.message, /a frame of 150000 bytes exceeds the whole memory budget of 140000/)
  })

  it("a claimed size alone allocates little", () => {
    const [a, b] = connected()
    collect(b)
    if (a.outcome?.kind !== "established") throw new Error("no session")
    const claim = new Uint8Array(5)
    new DataView(claim.buffer).setUint32(0, Limits.maxFrameBytes)
    const before = process.memoryUsage().arrayBuffers
    deliver(b, a.outcome.writer.sealChunk(claim))
    assert.isBelow(process.memoryUsage().arrayBuffers - before, 1_000_000)
    assert.isTrue(b.wire.midway)
  })

  it("sessions of the same two nodes never share a key stream: the message nonce makes the nonces", () => {
    const [one, two] = [1, 2].map((nonceByte) => {
      const [a] = connected({ messageNonce: new Uint8Array(24).fill(nonceByte) })
      return text(a.wire.seal([pattern(9, 1)]))
    })
    assert.notStrictEqual(one, two)
    const nonces = sessionNonces(crypto, Uint8Array.of(1), Uint8Array.of(2))
    assert.notStrictEqual(text(nonces.initiatorSends), text(nonces.responderSends))
  })
})
