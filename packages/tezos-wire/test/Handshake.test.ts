// The handshake as a state machine: the recorded one, the order of the checks, every outcome, and the codecs of its messages.
import { assert, describe, it } from "@effect/vitest"
import {
  type Ack,
  chooseVersion,
  ChunkWriter,
  type ConnectionMessage,
  decodeAck,
  decodeConnectionMessage,
  decodeMetadata,
  decodeNetworkVersion,
  encodeAck,
  encodeConnectionMessage,
  encodeMetadata,
  encodeNetworkVersion,
  formatNackMotive,
  formatPeerId,
  type HandshakeOutcome,
  type HandshakeSetup,
  incrementNonce,
  Malformed,
  maxAckBytes,
  NackMotive,
  proofOfWorkTarget,
  sessionNonces
} from "@peerstrap/tezos-wire"
import * as fc from "fast-check"
import { bytes, eachVector, text, vectorsMissing } from "./vectors.ts"
import { connected, crypto, deliver, endOf, exchange, identityOf, setupOf } from "./wire.ts"

if (vectorsMissing !== undefined) console.warn(`Handshake.test.ts: ${vectorsMissing}`)

const must = <A>(value: A | Malformed): A => {
  if (value instanceof Malformed) throw new Error(`${value.what}: ${value.offset}: ${value.message}`)
  return value
}

describe("messages of the handshake", () => {
  it("vectors: connection messages", () =>
    eachVector("connection_message", 5, ({ expected, input, name }) => {
      const raw = bytes(input.hex)
      const whole = name.includes("no length prefix") ? Uint8Array.of(0, raw.length, ...raw) : raw
      const message = must(decodeConnectionMessage(whole))
      assert.strictEqual(message.port, expected.port)
      assert.strictEqual(text(message.publicKey), expected.public_key)
      assert.strictEqual(text(message.proofOfWorkStamp), expected.proof_of_work_stamp)
      assert.strictEqual(text(message.messageNonce), expected.message_nonce)
      assert.strictEqual(message.chainName, expected.chain_name)
      assert.strictEqual(message.distributedDbVersion, expected.distributed_db_version)
      assert.strictEqual(message.p2pVersion, expected.p2p_version)
      assert.strictEqual(text(encodeConnectionMessage(message)), text(whole))
    }))

  it("vectors: metadata, acks, network version, nonces", () => {
    eachVector("metadata", 4, ({ expected, input }) => {
      const metadata = must(decodeMetadata(bytes(input.hex)))
      assert.strictEqual(metadata.disableMempool, expected.disable_mempool)
      assert.strictEqual(metadata.privateNode, expected.private_node)
      assert.strictEqual(text(encodeMetadata(metadata)), input.hex)
    })
    eachVector("ack", 5, ({ expected, input }) => {
      const ack = must(decodeAck(bytes(input.hex)))
      assert.strictEqual(ack.kind, expected.kind === "Ack" ? "ack" : "nack")
      if (ack.kind === "nack") {
        assert.strictEqual(ack.motive, expected.motive)
        assert.deepStrictEqual(ack.points, expected.points ?? [])
      }
      assert.strictEqual(text(encodeAck(ack)), input.hex)
    })
    eachVector("network_version", 1, ({ expected, input }) => {
      const version = must(decodeNetworkVersion(bytes(input.hex)))
      assert.deepStrictEqual(version, {
        chainName: expected.chain_name,
        distributedDbVersion: expected.distributed_db_version,
        p2pVersion: expected.p2p_version
      })
      assert.strictEqual(text(encodeNetworkVersion(version)), input.hex)
    })
    eachVector("nonce_pair", 2, ({ expected, input }) => {
      const sent = bytes(input.sent_message_with_length_prefix)
      const received = bytes(input.received_message_with_length_prefix)
      const nonces = input.incoming ? sessionNonces(crypto, received, sent) : sessionNonces(crypto, sent, received)
      const [local, remote] = input.incoming
        ? [nonces.responderSends, nonces.initiatorSends]
        : [nonces.initiatorSends, nonces.responderSends]
      assert.strictEqual(text(local), expected.local)
      assert.strictEqual(text(remote), expected.remote)
    })
    eachVector("nonce_increment", 2, ({ expected, input }) => {
      const nonce = bytes(input.nonce)
      incrementNonce(nonce)
      assert.strictEqual(text(nonce), expected.next)
    })
  })

  it("of a bare clone: metadata, acks, the increment over a carry", () => {
    assert.deepStrictEqual(must(decodeMetadata(Uint8Array.of(1, 0x80))), { disableMempool: true, privateNode: true })
    assert.strictEqual(text(encodeMetadata({ disableMempool: true, privateNode: false })), "ff00")
    assert.deepStrictEqual(must(decodeAck(bytes("010003000000120000000e3132372e302e302e313a39383332"))), {
      kind: "nack",
      motive: NackMotive.deprecatedP2pVersion,
      points: ["127.0.0.1:9832"]
    })
    assert.deepStrictEqual(must(decodeAck(bytes("01fffe00000000"))), { kind: "nack", motive: -2, points: [] })
    assert.include(formatNackMotive(77), "77")
    const nonce = bytes("00".repeat(22) + "feff")
    incrementNonce(nonce)
    assert.strictEqual(text(nonce), "00".repeat(22) + "ff00")
  })

  it("versions: own greatest, else the remote's, else none", () => {
    assert.strictEqual(chooseVersion([0, 1, 2], 3), 2)
    assert.strictEqual(chooseVersion([0, 1, 2], 2), 2)
    assert.strictEqual(chooseVersion([0, 1, 2], 0), 0)
    assert.strictEqual(chooseVersion([1, 2], 0), undefined)
    assert.strictEqual(chooseVersion([0, 2], 1), undefined)
  })

  it("limits: chain name, points, sizes, and one above", () => {
    const base = must(decodeConnectionMessage(endOf(setupOf(1)).wire.handshake.sent))
    const longest = encodeConnectionMessage({ ...base, chainName: "x".repeat(128) })
    assert.strictEqual(must(decodeConnectionMessage(longest)).chainName.length, 128)
    assert.throws(() => encodeConnectionMessage({ ...base, chainName: "x".repeat(129) }), RangeError)
    assert.throws(() => encodeConnectionMessage({ ...base, chainName: "\u0416" }), RangeError)
    const points = Array.from({ length: 100 }, () => "1".repeat(47))
    const most = encodeAck({ kind: "nack", motive: 1, points })
    assert.strictEqual(most.length, maxAckBytes)
    assert.deepStrictEqual((must(decodeAck(most)) as { points: unknown }).points, points)
    assert.throws(() => encodeAck({ kind: "nack", motive: 1, points: [...points, ""] }), RangeError)
    assert.throws(() => encodeAck({ kind: "nack", motive: 1, points: ["1".repeat(48)] }), RangeError)
    const tooMany = new Uint8Array(7 + 101 * 4)
    tooMany.set([1, 0, 1, 0, 0, 1, 148])
    assert.instanceOf(decodeAck(tooMany), Malformed)
  })
})

/** Every cut, every bit flipped, and every four bytes as lengths that lie: a value or `Malformed`, and a value encodes to what was read. */
const torment = <A>(
  name: string,
  golden: Uint8Array,
  decode: (b: Uint8Array) => A | Malformed,
  encode: (a: A) => Uint8Array
) => {
  const attempt = (input: Uint8Array, canonical: boolean) => {
    const value = decode(input)
    if (value instanceof Malformed) {
      assert.isAtMost(value.offset, input.length, `${name}: the offset lies outside`)
      assert.isNotEmpty(value.message)
    } else if (canonical) assert.strictEqual(text(encode(value)), text(input), name)
  }
  for (let length = 0; length < golden.length; length++) {
    assert.instanceOf(decode(golden.slice(0, length)), Malformed, `${name} cut to ${length} bytes`)
  }
  attempt(Uint8Array.of(...golden, 0), true)
  for (let bit = 0; bit < golden.length * 8; bit++) {
    const changed = golden.slice()
    changed[bit >> 3]! ^= 1 << (bit & 7)
    attempt(changed, name !== "metadata")
  }
  for (const lie of [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]) {
    for (let at = 0; at + 4 <= golden.length; at++) {
      const changed = golden.slice()
      new DataView(changed.buffer).setUint32(at, lie)
      attempt(changed, name !== "metadata")
    }
  }
}

describe("bad input", () => {
  const message: ConnectionMessage = must(decodeConnectionMessage(endOf(setupOf(1)).wire.handshake.sent))
  const acks: ReadonlyArray<Ack> = [
    { kind: "ack" },
    { kind: "nack", motive: undefined, points: [] },
    ...Array.from({ length: 24 }, (_, i): Ack => ({
      kind: "nack",
      motive: i - 2,
      points: Array.from({ length: i % 7 }, (_, j) => `10.0.${i}.${j}:9732`)
    }))
  ]

  it("connection messages", () => {
    for (let i = 0; i < 20; i++) {
      const golden = { ...message, port: i * 3_000, chainName: "TEZOS_MAINNET".repeat(i % 5), p2pVersion: i % 3 }
      torment("connection message", encodeConnectionMessage(golden), decodeConnectionMessage, encodeConnectionMessage)
    }
  })

  it("network versions, metadata, acks", () => {
    for (let i = 0; i < 20; i++) {
      const version = { chainName: "A".repeat(i * 6), distributedDbVersion: i, p2pVersion: 65_535 - i }
      torment("network version", encodeNetworkVersion(version), decodeNetworkVersion, encodeNetworkVersion)
    }
    for (const disableMempool of [true, false]) {
      torment("metadata", encodeMetadata({ disableMempool, privateNode: true }), decodeMetadata, encodeMetadata)
    }
    for (const ack of acks) torment("ack", encodeAck(ack), decodeAck, encodeAck)
  })

  it("random bytes", () =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (input) => {
        for (const decode of [decodeConnectionMessage, decodeMetadata, decodeAck, decodeNetworkVersion]) decode(input)
      }),
      { seed: 17, numRuns: 2_000 }
    ))
})

const outcomes = (one: Partial<HandshakeSetup> = {}, two: Partial<HandshakeSetup> = {}) => {
  const [a, b] = connected(one, two)
  return [a.outcome, b.outcome] as const
}

const failure = (outcome: HandshakeOutcome | undefined) =>
  outcome?.kind === "failed" ? outcome.reason : `no failure: ${outcome?.kind}`

describe("Handshake", () => {
  it("two nodes agree, however the bytes are cut", () => {
    for (const pieceBytes of [undefined, 1, 2, 3, 7, 100]) {
      const [a, b] = connected({}, { metadata: { disableMempool: false, privateNode: true } }, pieceBytes)
      if (a.outcome?.kind !== "established" || b.outcome?.kind !== "established") throw new Error("no session")
      assert.strictEqual(formatPeerId(a.outcome.remote.peerId), formatPeerId(identityOf(2).peerId))
      assert.strictEqual(text(b.outcome.remote.publicKey), text(identityOf(1).publicKey))
      assert.deepInclude(a.outcome.remote, {
        port: 9_002,
        chainName: "TEZOS_TEST",
        announced: { distributedDb: 2, p2p: 1 },
        effective: { distributedDb: 2, p2p: 1 },
        disableMempool: false,
        privateNode: true
      })
      assert.isTrue(b.outcome.remote.disableMempool)
    }
  })

  it("vector: the recorded handshake, byte for byte, seen from its initiator", () =>
    eachVector("handshake", 1, ({ input }) => {
      const ours = must(decodeConnectionMessage(bytes(input.sent_connection)))
      const { publicKey, secretKey } = crypto.keyPair(bytes(input.secret_key))
      const identity = { peerId: new Uint8Array(16), publicKey, secretKey, proofOfWorkStamp: ours.proofOfWorkStamp }
      const end = endOf({
        ...setupOf(1),
        identity,
        chainName: ours.chainName,
        versions: { distributedDb: [0], p2p: [0, 1] },
        port: ours.port,
        metadata: { disableMempool: false, privateNode: false },
        messageNonce: ours.messageNonce,
        powTarget: proofOfWorkTarget(26)
      })
      end.wire.start()
      deliver(end, bytes(input.received_connection), 5)
      const received: ReadonlyArray<string> = input.received_chunks
      for (const chunk of received.slice(0, 2)) deliver(end, bytes(chunk), 3)
      assert.strictEqual(end.outcome?.kind, "established")
      assert.deepStrictEqual(end.out.map(text), [input.sent_connection, ...input.sent_chunks.slice(0, 2)])
    }))

  it("versions: the smaller of both, and a refusal where there is none", () => {
    const [newer, older] = outcomes({}, { versions: { distributedDb: [0, 1], p2p: [0] } })
    assert.deepStrictEqual(newer?.kind === "established" && newer.remote.effective, { distributedDb: 1, p2p: 0 })
    assert.deepStrictEqual(older?.kind === "established" && older.remote.effective, { distributedDb: 1, p2p: 0 })
    const [strict, refused] = outcomes({ versions: { distributedDb: [2], p2p: [1] } }, {
      versions: { distributedDb: [0, 1], p2p: [0, 1] }
    })
    assert.deepInclude(strict, { kind: "refused", motive: NackMotive.deprecatedDistributedDbVersion })
    assert.deepInclude(refused, { kind: "nacked", motive: NackMotive.deprecatedDistributedDbVersion })
    const [first] = outcomes({ versions: { distributedDb: [2], p2p: [1] } }, {
      versions: { distributedDb: [0], p2p: [0] }
    })
    assert.deepInclude(first, { kind: "refused", motive: NackMotive.deprecatedP2pVersion })
  })

  it("another chain is refused by both, and named", () => {
    const [a, b] = outcomes({}, { chainName: "TEZOS_OTHER" })
    for (const outcome of [a, b]) assert.deepInclude(outcome, { kind: "refused", motive: NackMotive.unknownChainName })
    assert.include(a?.kind === "refused" ? a.message : "", "TEZOS_OTHER")
  })

  it("a refusal carries its motive and points, in the list form only where that is read", () => {
    const points = ["10.0.0.1:9732", "x".repeat(48), ...Array.from({ length: 60 }, (_, i) => `10.0.1.${i}:9732`)]
    const accept = () => ({ motive: NackMotive.tooManyConnections, points })
    const [a, b] = outcomes({}, { accept })
    assert.deepInclude(b, { kind: "refused", motive: 1 })
    if (a?.kind !== "nacked") throw new Error("not nacked")
    assert.strictEqual(a.motive, 1)
    assert.strictEqual(a.points.length, 50)
    assert.deepStrictEqual(a.points.slice(0, 2), ["10.0.0.1:9732", "10.0.1.0:9732"])
    const [old] = outcomes({ versions: { distributedDb: [2], p2p: [0] } }, { accept })
    assert.deepInclude(old, { kind: "nacked", motive: undefined })
    assert.deepStrictEqual(old?.kind === "nacked" && old.points, [])
  })

  it("the checks in their order: form, work, key, metadata, self, acceptance", () => {
    const asked: Array<string> = []
    const accept = (remote: { readonly peerId: Uint8Array }) => {
      asked.push(formatPeerId(remote.peerId))
      return undefined
    }
    const [worked] = outcomes({ powTarget: proofOfWorkTarget(40), accept })
    assert.strictEqual(failure(worked), "proof-of-work")
    assert.include(worked?.kind === "failed" ? worked.proof : "", text(identityOf(2).publicKey))
    const lowOrder = { ...identityOf(2), publicKey: new Uint8Array(32) }
    assert.strictEqual(failure(outcomes({ accept }, { identity: lowOrder })[0]), "public-key")
    const [self, itself] = outcomes({ accept, chainName: "A" }, { identity: identityOf(1), chainName: "B" })
    assert.strictEqual(failure(self), "self")
    assert.strictEqual(failure(itself), "self")
    assert.deepStrictEqual(asked, [])
    outcomes({ accept })
    assert.deepStrictEqual(asked, [formatPeerId(identityOf(2).peerId)])
  })

  it("a node of another kind is told from its first two bytes", () => {
    const end = endOf(setupOf(1))
    end.wire.start()
    deliver(end, new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n"))
    assert.strictEqual(failure(end.outcome), "malformed")
  })

  it("metadata or an ack of another length, and a changed bit, are malformed", () => {
    for (const [plaintext, after] of [["00", 0], ["000000", 0], ["02", 1], ["0000", 1], ["", 0]] as const) {
      const a = endOf(setupOf(1))
      const b = endOf(setupOf(2))
      a.wire.start()
      b.wire.start()
      deliver(a, b.out[0]!)
      deliver(b, a.out[0]!)
      const nonces = sessionNonces(crypto, a.out[0]!, b.out[0]!)
      const key = crypto.sharedKey(identityOf(1).publicKey, identityOf(2).secretKey)!
      const writer = new ChunkWriter(crypto, key, nonces.responderSends)
      if (after === 1) deliver(a, writer.sealChunk(Uint8Array.of(0, 0)))
      if (plaintext === "") {
        const changed = writer.sealChunk(Uint8Array.of(0, 0))
        changed[7]! ^= 1
        deliver(a, changed)
      } else deliver(a, writer.sealChunk(bytes(plaintext)))
      assert.strictEqual(failure(a.outcome), "malformed", `${plaintext} after ${after}`)
    }
  })

  it("every bit of the responder's bytes matters: flipped, there is never a session with both Acks", () => {
    const a = endOf(setupOf(1))
    const b = endOf(setupOf(2))
    a.wire.start()
    b.wire.start()
    exchange(a, b)
    const replay = endOf(setupOf(1))
    const sentByB: Array<Uint8Array> = []
    const c = endOf(setupOf(2))
    c.wire.start()
    replay.wire.start()
    while (c.out.length + replay.out.length > 0) {
      for (const chunk of c.out.splice(0)) {
        sentByB.push(chunk)
        deliver(replay, chunk)
      }
      for (const chunk of replay.out.splice(0)) deliver(c, chunk)
    }
    const stream = Buffer.concat(sentByB)
    for (let bit = 0; bit < stream.length * 8; bit++) {
      const changed = new Uint8Array(stream)
      changed[bit >> 3]! ^= 1 << (bit & 7)
      const end = endOf(setupOf(1))
      end.wire.start()
      deliver(end, changed)
      assert.notStrictEqual(end.outcome?.kind, "established", `bit ${bit}`)
    }
  })
})
