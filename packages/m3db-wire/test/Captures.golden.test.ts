// Sessions between a real node and M3DB's own client, byte for byte: frames, messages, requests and answers.
import { assert, describe, it } from "@effect/vitest"
import {
  absentChecksum,
  type BlocksAnswer,
  type BlocksElement,
  decodeBlocksAnswer,
  decodeBlocksRequest,
  decodeCallHead,
  decodeError,
  decodeHealthAnswer,
  decodeInit,
  decodeMetadataAnswer,
  decodeMetadataRequest,
  decodeTags,
  encodeBlocksAnswer,
  encodeBlocksRequest,
  encodeEmptyValue,
  encodeErrorAnswer,
  encodeErrorFrame,
  encodeInit,
  encodeMessage,
  encodeMetadataAnswer,
  encodeMetadataRequest,
  encodeTags,
  ErrorType,
  FrameType,
  isWireFault,
  type MetadataElement,
  type MetadataPage,
  Method,
  RemoteError
} from "@peerstrap/m3db-wire"
import {
  type Capture,
  capturesMissing,
  loadCaptures,
  loadDecoded,
  messagesOf,
  seeded,
  type SeenFrame,
  splitFrames
} from "./captures.ts"

if (capturesMissing !== undefined) console.warn(`Captures.golden.test.ts: ${capturesMissing}`)
const captures = capturesMissing === undefined ? loadCaptures() : []
const goldenIt = capturesMissing === undefined ? it : it.skip
const smallBytes = 1_800

const whole = (capture: Capture): ReadonlyArray<SeenFrame> => {
  const split = splitFrames(capture.bytes, () => capture.bytes.length)
  assert.isUndefined(split.fault)
  return split.frames
}

const typeNames: Record<string, number> = {
  "init req": FrameType.initRequest,
  "init res": FrameType.initResponse,
  "call req": FrameType.callRequest,
  "call res": FrameType.callResponse,
  "call req continue": FrameType.callRequestContinue,
  "call res continue": FrameType.callResponseContinue,
  "ping req": FrameType.pingRequest,
  "ping res": FrameType.pingResponse,
  error: FrameType.error
}

const sound = <A>(value: A): Exclude<A, { readonly _tag: "WireFault" }> => {
  if (isWireFault(value)) assert.fail(value.toString())
  return value as Exclude<A, { readonly _tag: "WireFault" }>
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64")
const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "base64"))
const nanos = (hi: number, lo: number): bigint => (BigInt(hi) << 32n) | BigInt(lo >>> 0)
const view = (buffer: Uint8Array, offset: number, length: number): string =>
  base64(buffer.subarray(offset, offset + length))
const int64 = (value: unknown): bigint => BigInt(value as number | bigint)
const optionalInt64 = (value: unknown): bigint | undefined => value === undefined ? undefined : int64(value)

/** Checks one listed frame and that we would have written it the same. */
const checkFrame = (capture: Capture, frame: SeenFrame, listed: any): void => {
  const { payload } = frame
  assert.strictEqual(frame.type, typeNames[listed.type])
  assert.strictEqual(frame.id, listed.id)
  assert.strictEqual(payload.length + 16, listed.size)
  const original = capture.bytes.subarray(listed.offset, listed.offset + listed.size)
  if (frame.type === FrameType.initRequest || frame.type === FrameType.initResponse) {
    const init = sound(decodeInit(payload))
    assert.strictEqual(init.version, listed.version)
    assert.deepStrictEqual(Object.fromEntries(init.pairs), listed.headers)
    assert.deepStrictEqual(encodeInit(frame.type, frame.id, init), original)
  } else if (frame.type === FrameType.error) {
    const error = sound(decodeError(payload))
    assert.deepStrictEqual(error, { code: listed.code, message: listed.message })
    assert.deepStrictEqual(encodeErrorFrame(frame.id, error.code, error.message), original)
  } else if (frame.type === FrameType.callRequest || frame.type === FrameType.callResponse) {
    const request = frame.type === FrameType.callRequest
    const { end, head } = sound(decodeCallHead(request ? "request" : "response", payload, 0, payload.length))
    assert.deepStrictEqual(Object.fromEntries(head.headers), listed.headers)
    assert.strictEqual(payload[end], listed.checksumType)
    assert.strictEqual((payload[0]! & 1) === 1, listed.moreFragments)
    if (head.kind === "request") assert.deepStrictEqual([head.service, head.ttlMillis], [listed.service, listed.ttlMs])
    else assert.strictEqual(head.code, listed.code)
  }
}

const elementsOf = (page: MetadataPage) =>
  Array.from({ length: page.count }, (_, i) => ({
    id: view(page.buffer, page.idOffset[i]!, page.idLength[i]!),
    start: nanos(page.startHi[i]!, page.startLo[i]!),
    size: page.size[i]!,
    checksum: page.checksum[i]!,
    encodedTags: view(page.buffer, page.tagsOffset[i]!, page.tagsLength[i]!)
  }))

const checkMetadata = (request: any, answer: any, arg3: Uint8Array): void => {
  const page = sound(decodeMetadataAnswer(arg3)) as MetadataPage
  const includes = { sizes: request.includeSizes === true, checksums: request.includeChecksums === true }
  assert.deepStrictEqual(
    elementsOf(page),
    answer.elements.map((element: any) => ({
      id: element.id,
      start: int64(element.start),
      size: element.size ?? 0,
      checksum: element.checksum ?? absentChecksum,
      encodedTags: element.encodedTags ?? ""
    }))
  )
  assert.strictEqual(page.nextPageToken && base64(page.nextPageToken), answer.nextPageToken)
  const again = answer.elements.map((element: any): MetadataElement => ({
    id: bytesOf(element.id),
    start: int64(element.start),
    size: includes.sizes ? int64(element.size ?? 0) : undefined,
    checksum: element.checksum,
    lastRead: optionalInt64(element.lastRead),
    encodedTags: element.encodedTags === undefined ? undefined : bytesOf(element.encodedTags)
  }))
  assert.deepStrictEqual(encodeMetadataAnswer(again, page.nextPageToken), arg3)
  for (const element of again) {
    if (element.encodedTags !== undefined) {
      assert.deepStrictEqual(encodeTags(sound(decodeTags(element.encodedTags))), element.encodedTags)
    }
  }
}

/** Blocks of an answer in the form of the decoded files. */
const blocksOf = (answer: BlocksAnswer, element: number) =>
  Array.from({ length: answer.firstBlock[element + 1]! - answer.firstBlock[element]! }, (_, i) => {
    const block = answer.firstBlock[element]! + i
    const first = answer.firstSegment[block]!
    return {
      start: nanos(answer.startHi[block]!, answer.startLo[block]!),
      checksum: answer.checksum[block]!,
      form: answer.form[block]!,
      segments: Array.from({ length: answer.firstSegment[block + 1]! - first }, (_, j) => ({
        head: view(answer.buffer, answer.headOffset[first + j]!, answer.headLength[first + j]!),
        tail: view(answer.buffer, answer.tailOffset[first + j]!, answer.tailLength[first + j]!)
      }))
    }
  })

const segmentOf = (segment: any) => ({
  head: bytesOf(segment.head),
  tail: bytesOf(segment.tail),
  startTime: optionalInt64(segment.startTime),
  blockSize: optionalInt64(segment.blockSize),
  checksum: segment.checksum as number | undefined
})

const checkBlocks = (request: any, answer: any, arg3: Uint8Array): void => {
  const decoded = sound(decodeBlocksAnswer(arg3)) as BlocksAnswer
  if (typeof answer.elements === "number") {
    // Left out of the file because it is "the same series again and again": each start asked for has its block.
    const starts = request.elements.reduce((sum: number, element: any) => sum + element.starts.length, 0)
    assert.deepStrictEqual([decoded.elementCount, decoded.blockCount], [answer.elements, starts])
    assert.isTrue(decoded.form.every((form) => form === 1))
    return
  }
  assert.strictEqual(decoded.elementCount, answer.elements.length)
  answer.elements.forEach((element: any, i: number) => {
    assert.strictEqual(view(decoded.buffer, decoded.idOffset[i]!, decoded.idLength[i]!), element.id)
    assert.deepStrictEqual(
      blocksOf(decoded, i),
      element.blocks.map((block: any) => ({
        start: int64(block.start),
        checksum: block.checksum ?? absentChecksum,
        form: (block.segments.merged === undefined ? 0 : 1) + (block.segments.unmerged === undefined ? 0 : 2),
        segments: [block.segments.merged, ...(block.segments.unmerged ?? [])].filter((segment) => segment !== undefined)
          .map(({ head, tail }) => ({ head, tail }))
      }))
    )
  })
  const again = answer.elements.map((element: any): BlocksElement => ({
    id: bytesOf(element.id),
    blocks: element.blocks.map((block: any) => ({
      start: int64(block.start),
      merged: block.segments.merged && segmentOf(block.segments.merged),
      unmerged: block.segments.unmerged?.map(segmentOf),
      checksum: block.checksum
    }))
  }))
  assert.deepStrictEqual(encodeBlocksAnswer(again), arg3)
}

const checkMetadataRequest = (request: any, arg3: Uint8Array): void => {
  const decoded = sound(decodeMetadataRequest(arg3))
  assert.strictEqual(base64(decoded.namespace), request.nameSpace)
  assert.strictEqual(decoded.shard, request.shard)
  assert.deepStrictEqual([decoded.rangeStart, decoded.rangeEnd], [int64(request.rangeStart), int64(request.rangeEnd)])
  assert.strictEqual(decoded.limit, request.limit)
  // M3DB's printer leaves an empty token out; on the wire it is there.
  assert.strictEqual(decoded.pageToken && base64(decoded.pageToken) || undefined, request.pageToken)
  const includes = {
    sizes: decoded.includeSizes,
    checksums: decoded.includeChecksums,
    lastRead: decoded.includeLastRead
  }
  assert.strictEqual(includes.sizes, request.includeSizes === true)
  if (decoded.limit > 0) assert.deepStrictEqual(encodeMetadataRequest(decoded, includes), arg3)
  else assert.throws(() => encodeMetadataRequest(decoded, includes), RangeError)
}

const checkBlocksRequest = (request: any, arg3: Uint8Array): void => {
  const decoded = sound(decodeBlocksRequest(arg3))
  const elements = Array.from({ length: decoded.elementCount }, (_, i) => ({
    id: view(decoded.buffer, decoded.idOffset[i]!, decoded.idLength[i]!),
    starts: Array.from(
      { length: decoded.firstStart[i + 1]! - decoded.firstStart[i]! },
      (_, j) => nanos(decoded.startHi[decoded.firstStart[i]! + j]!, decoded.startLo[decoded.firstStart[i]! + j]!)
    )
  }))
  if (request?.elements !== undefined) {
    assert.strictEqual(base64(decoded.namespace), request.nameSpace)
    assert.strictEqual(decoded.shard, request.shard)
    assert.deepStrictEqual(
      elements,
      (request.elements ?? []).map(({ id, starts }: any) => ({ id, starts: (starts ?? []).map(int64) }))
    )
  }
  if (elements.every(({ starts }) => starts.length === 1)) {
    const ids = elements.map(({ id }) => bytesOf(id))
    const { namespace, shard, startHi, startLo } = decoded
    assert.deepStrictEqual(encodeBlocksRequest({ namespace, shard, ids, startHi, startLo }), arg3)
  }
}

const checkAnswer = (call: any, method: string, arg3: Uint8Array): void => {
  if (call.error !== undefined && call.response !== null) {
    const error = sound(decodeBlocksAnswer(arg3)) as RemoteError
    assert.instanceOf(error, RemoteError)
    assert.strictEqual(error.message, call.response.message)
    assert.strictEqual(
      error.type,
      call.response.type === "BAD_REQUEST" ? ErrorType.badRequest : ErrorType.internalError
    )
    assert.deepStrictEqual(encodeErrorAnswer(error), arg3)
  } else if (call.response === null && method.startsWith("Node::fetchBlocks")) {
    assert.isTrue(isWireFault(decodeMetadataAnswer(arg3)), "a result without any field is a fault")
  } else if (method === Method.bootstrapped || method === Method.bootstrappedInPlacementOrNoPlacement) {
    assert.deepStrictEqual(encodeEmptyValue(), arg3)
  } else if (method === "Node::fetchBlocksMetadataRawV2") checkMetadata(call.request, call.response, arg3)
  else if (method === "Node::fetchBlocksRaw") checkBlocks(call.request, call.response, arg3)
  else if (method === "Node::health") assert.deepStrictEqual(sound(decodeHealthAnswer(arg3)), call.response)
}

/** The methods that this package speaks; the sessions hold some others, too. */
const spoken: ReadonlySet<string> = new Set(Object.values(Method))

/** Whether a printed call is the one with these bytes: same shard, same number of elements in the answer. */
const sameCall = (call: any, request: Uint8Array, response: Uint8Array): boolean => {
  if (call === undefined) return false
  const metadata = call.call === "fetchBlocksMetadataRawV2"
  const asked = metadata ? decodeMetadataRequest(request) : decodeBlocksRequest(request)
  const answer = metadata ? decodeMetadataAnswer(response) : decodeBlocksAnswer(response)
  if (isWireFault(asked) || isWireFault(answer) || answer instanceof RemoteError) return false
  const count = "count" in answer ? answer.count : answer.elementCount
  return asked.shard === call.request.shard && count === call.response.elements.length
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8")

describe(`recorded sessions${capturesMissing === undefined ? "" : ` (SKIPPED: ${capturesMissing})`}`, () => {
  goldenIt("are all there", () => {
    assert.strictEqual(captures.length, 46)
  })

  for (const capture of captures) {
    it(`${capture.name}: frames are those of the list, whatever the chunks`, () => {
      const frames = whole(capture)
      assert.strictEqual(frames.length, capture.frames.length)
      frames.forEach((frame, i) => checkFrame(capture, frame, capture.frames[i]))
      const expected = frames.map(({ id, payload, type }) => `${type} ${id} ${payload.length}`).join()
      const check = (nextSize: () => number, what: string) => {
        const split = splitFrames(capture.bytes, nextSize)
        assert.strictEqual(
          split.frames.map(({ id, payload, type }) => `${type} ${id} ${payload.length}`).join(),
          expected
        )
        split.frames.forEach((frame, i) => assert.isTrue(Buffer.compare(frame.payload, frames[i]!.payload) === 0, what))
        assert.strictEqual(split.pendingBytes, 0)
      }
      if (capture.bytes.length <= smallBytes) {
        for (let at = 1; at < capture.bytes.length; at++) {
          let first = true
          check(() => {
            const size = first ? at : capture.bytes.length
            first = false
            return size
          }, `split at ${at}`)
        }
        check(() => 1, "byte by byte")
      } else {
        for (const seed of [1, 2, 3, 4, 5]) {
          const random = seeded(seed)
          check(() => 1 + Math.floor(random() * (seed % 2 === 0 ? 40_000 : 700)), `seed ${seed}`)
        }
      }
    })

    it(`${capture.name}: messages are written again byte for byte`, () => {
      const kind = capture.name.endsWith("c2s") ? "request" : "response"
      const frames = whole(capture)
      for (const { id, reader } of messagesOf(kind, frames)) {
        const message = {
          id,
          head: reader.head!,
          checksumType: reader.checksumType!,
          arg1: reader.arg1,
          arg2: reader.arg2,
          arg3: reader.arg3
        }
        const original = capture.frames.filter((listed) => listed.id === id && listed.type.startsWith("call"))
          .map((listed) => capture.bytes.subarray(listed.offset, listed.offset + listed.size))
        assert.deepStrictEqual(Buffer.concat(encodeMessage(message)), Buffer.concat(original))
      }
    })
  }

  for (const capture of captures.filter(({ name }) => name.endsWith("c2s"))) {
    it(`${capture.name.replace(".c2s", "")}: requests and answers decode to what M3DB's own code printed`, () => {
      const answers = captures.find(({ name }) => name === capture.name.replace("c2s", "s2c"))!
      const requests = messagesOf("request", whole(capture)).filter(({ reader }) => spoken.has(text(reader.arg1)))
      const responses = new Map(messagesOf("response", whole(answers)).map(({ id, reader }) => [id, reader]))
      const decoded = loadDecoded(capture.name)?.filter(({ call, error }) =>
        spoken.has(`Node::${call}`) && !error?.startsWith("tchannel")
      )
      // One session polled until its writes were there; only the calls that found them were printed.
      const polled = capture.name.startsWith("write-unmerged")
      let next = 0
      requests.forEach(({ id, reader }) => {
        if (responses.get(id) === undefined) return
        if (polled && !sameCall(decoded?.[next], reader.arg3, responses.get(id)!.arg3)) return
        const i = next++
        const method = text(reader.arg1)
        const call = decoded?.[i]
        if (method === "Node::fetchBlocksMetadataRawV2") {
          const { arg3 } = reader
          if (call === undefined) sound(decodeMetadataRequest(arg3))
          else checkMetadataRequest(call.request, arg3)
        } else if (method === "Node::fetchBlocksRaw") checkBlocksRequest(call?.request, reader.arg3)
        const response = responses.get(id)
        if (response === undefined) return
        if (call !== undefined) checkAnswer(call, method, response.arg3)
        else if (method === "Node::fetchBlocksMetadataRawV2") sound(decodeMetadataAnswer(response.arg3))
        else if (method === "Node::fetchBlocksRaw") sound(decodeBlocksAnswer(response.arg3))
      })
      assert.strictEqual(next, decoded?.length ?? next)
    })
  }
})
