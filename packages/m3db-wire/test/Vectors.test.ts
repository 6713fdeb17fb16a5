// The vectors of the specification, byte for byte.
import { assert, describe, it } from "@effect/vitest"
import {
  ChecksumType,
  crc32c,
  decodeHealthAnswer,
  decodeMetadataAnswer,
  decodePageToken,
  decodeTags,
  emptyArguments,
  encodeBlocksRequest,
  encodeCallRequest,
  encodeCallResponse,
  encodeErrorAnswer,
  encodeFrame,
  encodeHealthAnswer,
  encodeInit,
  encodeMetadataAnswer,
  encodeMetadataRequest,
  encodePageToken,
  encodeTags,
  FrameType,
  MessageReader,
  type MetadataPage,
  Method,
  murmur3,
  type PageToken,
  RemoteError,
  shardOf
} from "@peerstrap/m3db-wire"
import { ascii, hex, unhex } from "./bytes.ts"

describe("TChannel vectors", () => {
  it("init request", () => {
    const frame = encodeInit(FrameType.initRequest, 1, {
      version: 2,
      pairs: [["host_port", "0.0.0.0:0"], ["process_name", "ts[1]"]]
    })
    assert.strictEqual(
      hex(frame),
      hex(unhex(
        "003f0100000000010000000000000000 0002 0002 0009686f73745f706f7274 0009302e302e302e303a30 000c70726f636573735f6e616d65 000574735b315d"
      ))
    )
  })

  it("health call and its answer", () => {
    const request = encodeCallRequest({ id: 2, method: Method.health, arg3: emptyArguments(), ttlMillis: 59_999 })
    assert.strictEqual(
      hex(request[0]!),
      hex(unhex(`0062 03 00 00000002 0000000000000000
        00 0000ea5f 00000000000000000000000000000000000000000000000000
        04 4e6f6465 02 02 636e 06 436c69656e74 02 6173 06 746872696674
        01 3e3a6d79 000c 4e6f64653a3a6865616c7468 0002 0000 0001 00`))
    )
    const health = { ok: true, status: "up", bootstrapped: true }
    const answer = encodeCallResponse({
      id: 2,
      code: 0,
      arg3: encodeHealthAnswer(health),
      checksumType: ChecksumType.crc32
    })
    assert.strictEqual(
      hex(answer[0]!),
      hex(unhex(`0059 04 00 00000002 0000000000000000
        00 00 00000000000000000000000000000000000000000000000000 01 02 6173 06 746872696674
        01 dd60333d 0000 0002 0000 0016 0c0000 0200 0101 0b0002 00000002 7570 0200 0301 00 00`))
    )
    const reader = new MessageReader("response", { maxBytes: 1000 })
    assert.strictEqual(reader.push(FrameType.callResponse, answer[0]!, 16, answer[0]!.length), "done")
    assert.deepStrictEqual(decodeHealthAnswer(reader.arg3), health)
  })

  it("application errors, with and without flags", () => {
    const plain = unhex(
      "0c0001 080001 00000000 0b0002 00000018 6e6f6465206973206e6f7420626f6f747374726170706564 00 00"
    )
    const flagged = unhex("0c0001 080001 00000001 0b0002 00000003 626164 0a0003 0000000000000001 00 00")
    assert.deepStrictEqual(decodeHealthAnswer(plain), new RemoteError(0, "node is not bootstrapped"))
    assert.deepStrictEqual(decodeHealthAnswer(flagged), new RemoteError(1, "bad", 1))
    assert.strictEqual(hex(encodeErrorAnswer(new RemoteError(0, "node is not bootstrapped"))), hex(plain))
    assert.strictEqual(hex(encodeErrorAnswer(new RemoteError(1, "bad", 1))), hex(flagged))
    const frame = encodeCallResponse({ id: 2, code: 1, arg3: plain, checksumType: ChecksumType.crc32 })[0]!
    assert.include(hex(frame), "5505d3f9")
  })

  it("metadata request and answer", () => {
    const request = {
      namespace: ascii("default"),
      shard: 5,
      rangeStart: 7_200_000_000_000n,
      rangeEnd: 14_400_000_000_000n,
      limit: 4096
    }
    assert.strictEqual(
      hex(encodeMetadataRequest(request, { lastRead: true })),
      hex(unhex(
        "0c0001 0b0001 00000007 64656661756c74 080002 00000005 0a0003 0000068c61714000 0a0004 00000d18c2e28000 0a0005 0000000000001000 020007 01 020008 01 020009 01 00 00"
      ))
    )
    const element = {
      id: ascii("foo"),
      start: 7_200_000_000_000n,
      size: 42n,
      checksum: 4_022_250_974,
      lastRead: 0n,
      encodedTags: unhex("75270000")
    }
    const arg3 = encodeMetadataAnswer([element], unhex("1200"))
    assert.strictEqual(
      hex(arg3),
      hex(unhex(
        "0c0000 0f0001 0c 00000001 0b0001 00000003 666f6f 0a0002 0000068c61714000 0a0004 000000000000002a 0a0005 00000000efbeadde 0a0006 0000000000000000 080007 00000003 0b0008 00000004 75270000 00 0b0002 00000002 1200 00 00"
      ))
    )
    const page = decodeMetadataAnswer(arg3) as MetadataPage
    assert.deepStrictEqual([page.count, page.size[0], page.checksum[0]], [1, 42, 4_022_250_974])
    assert.strictEqual(hex(page.nextPageToken!), "1200")
  })

  it("blocks request", () => {
    const request = encodeBlocksRequest({
      namespace: ascii("default"),
      shard: 5,
      ids: [ascii("foo")],
      startHi: Int32Array.of(0x068c),
      startLo: Int32Array.of(0x61714000)
    })
    assert.strictEqual(
      hex(request),
      hex(unhex(
        "0c0001 0b0001 00000007 64656661756c74 080002 00000005 0f0003 0c 00000001 0b0001 00000003 666f6f 0f0002 0a 00000001 0000068c61714000 00 00 00"
      ))
    )
  })

  it("ping", () => {
    assert.strictEqual(hex(encodeFrame(FrameType.pingRequest, 7)), "0010d000000000070000000000000000")
    assert.strictEqual(hex(encodeFrame(FrameType.pingResponse, 7)), "0010d100000000070000000000000000")
  })
})

describe("other vectors", () => {
  it("page tokens", () => {
    const cases: ReadonlyArray<readonly [string, PageToken]> = [
      ["0a00", { phase: "active", cursor: 0n }],
      ["0a03088020", { phase: "active", cursor: 4096n }],
      ["1200", { phase: "flushed", blockStart: 0n, entryIndex: 0n, volume: 0n }],
      [
        "120f088080c68995c2959a161080201801",
        { phase: "flushed", blockStart: 1_599_998_400_000_000_000n, entryIndex: 4096n, volume: 1n }
      ]
    ]
    for (const [bytes, token] of cases) {
      assert.deepStrictEqual(decodePageToken(unhex(bytes)), token)
      assert.strictEqual(hex(encodePageToken(token)), bytes)
    }
  })

  it("encoded tags", () => {
    const pairs = [[ascii("city"), ascii("nyc")], [ascii("host"), ascii("a1")]] as const
    const bytes = "7527020004006369747903006e79630400686f737402006131"
    assert.strictEqual(hex(encodeTags(pairs)), bytes)
    assert.deepStrictEqual(decodeTags(unhex(bytes)), pairs.map(([name, value]) => [name, value] as const) as never)
    assert.strictEqual(hex(encodeTags([])), "75270000")
  })

  it("shard hashes for both seeds", () => {
    const cases = [
      ["", "00000000", 0, "087fcd5c", 28],
      ["a", "3c2569b2", 50, "b2e5a263", 35],
      ["foo", "f6a5c420", 32, "b12f489e", 30],
      ["hello", "248bfa47", 7, "e2dbd2e1", 33],
      ["m3db", "0b8676b8", 56, "c908d577", 55],
      ["cpu.load,host=a", "fc3b96e0", 32, "bd937128", 40],
      ["{__name__=\"up\",job=\"m3\"}", "f3488b93", 19, "226b1014", 20]
    ] as const
    for (const [id, seed0, shard0, seed42, shard42] of cases) {
      assert.strictEqual(murmur3(ascii(id), 0).toString(16).padStart(8, "0"), seed0)
      assert.strictEqual(murmur3(ascii(id), 42).toString(16).padStart(8, "0"), seed42)
      assert.strictEqual(shardOf(ascii(id), 0, 64), shard0)
      assert.strictEqual(shardOf(ascii(id), 42, 64), shard42)
    }
  })

  it("CRC-32C of the standard check string", () => {
    assert.strictEqual(crc32c(ascii("123456789")), 0xe3069283)
    assert.strictEqual(crc32c(ascii("6789"), crc32c(ascii("12345"))), 0xe3069283)
  })
})
