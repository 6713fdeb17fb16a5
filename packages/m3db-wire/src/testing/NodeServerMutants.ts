/** Node servers with one mistake each; the kit rejects every one, for the reason that stands with it. */
import type { Mutant } from "@peerstrap/conformance"
import { type Address, type Connection, formatAddress, type ListenError, Memory, Transport } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { makeService } from "../adapter/NodeServer.ts"
import type { CallOutcome, Intercept, ServerCall, ServerEvent } from "../adapter/ServerCall.ts"
import { answerFrames } from "../adapter/ServerConnection.ts"
import { frameHeaderBytes, FrameType } from "../codec/Frame.ts"
import { DeclaredError, DeclaredErrors, type ReplicaSourceShape } from "../contract/ReplicaSource.ts"
import { type CheckedNode, nodeLayer } from "./CheckedNode.ts"
import { nodeServerChecks } from "./NodeServerKit.ts"
import { diskPhaseToken } from "./ReplicaData.ts"
import { startReplica } from "./ScriptedReplica.ts"
import type { SeededReplica } from "./SeededReplica.ts"

export type NodeServerMutant = Mutant<CheckedNode | Transport>

/** The full name of the check that begins so. */
const checkNamed = (beginning: string): string => {
  const [found, ...others] = nodeServerChecks.filter(({ name }) => name.startsWith(beginning))
  if (found === undefined || others.length > 0) throw new Error(`no one check begins with "${beginning}"`)
  return found.name
}

type Start = (data: SeededReplica) => Effect.Effect<Address, ListenError, Transport | Scope.Scope>

/** A node that holds the kit's data, on a memory network of its own. */
const started = (
  name: string,
  caughtBy: string,
  because: NodeServerMutant["because"],
  start: Start
): NodeServerMutant => ({
  name,
  rejectedBy: checkNamed(caughtBy),
  because,
  layer: Layer.provideMerge(nodeLayer(start), Memory.layer)
})

/** Where one frame in or out is changed, the source replaced, or an answer. */
interface Mistake {
  readonly source?: (source: ReplicaSourceShape) => ReplicaSourceShape
  readonly intercept?: Intercept
  /** Changes an outgoing frame in place. */
  readonly outgoing?: (frame: Uint8Array) => void
  /** Changes an incoming frame in place; frames of the kit's first messages come whole. */
  readonly incoming?: (frame: Uint8Array) => void
}

const changed = (connection: Connection, { incoming, outgoing }: Mistake): Connection => ({
  remote: connection.remote,
  closed: connection.closed,
  resume: () => connection.resume(),
  close: (reason) => connection.close(reason),
  receive: (consumer) =>
    connection.receive((chunk) => {
      if (incoming === undefined) return consumer(chunk)
      const own = chunk.slice()
      for (let at = 0; at + frameHeaderBytes <= own.length;) {
        const size = own[at]! * 256 + own[at + 1]!
        incoming(own.subarray(at, at + size))
        at += Math.max(frameHeaderBytes, size)
      }
      return consumer(own)
    }),
  write: (frames) => {
    const own = frames.map((frame) => frame.slice())
    if (outgoing !== undefined) { for (const frame of own) outgoing(frame) }
    return connection.write(own)
  }
})

const mutant = (
  caughtBy: string,
  name: string,
  because: NodeServerMutant["because"],
  mistake: Mistake
): NodeServerMutant =>
  started(
    name,
    caughtBy,
    because,
    Effect.fnUntraced(function*(data) {
      const transport = yield* Transport
      const source = data.source(() => true)
      let bound: Address = { host: "127.0.0.1", port: 0 }
      const intercept: Intercept = mistake.intercept ?? ((_, proceed) => proceed)
      const service = makeService(mistake.source?.(source) ?? source, () => formatAddress(bound), { intercept })
      const listener = yield* transport.listen(bound, (connection) => service.serve(changed(connection, mistake)))
      bound = listener.address
      return bound
    })
  )

/** A replica that misbehaves as told is a mutant, too. */
const behaving = ([behaviours, caughtBy, because]: readonly [string, string, RegExp]): NodeServerMutant =>
  started(
    `misbehaves: ${behaviours}`,
    caughtBy,
    because,
    (data) => Effect.map(startReplica({ data, behaviours }), ({ address }) => address)
  )

type List = ReplicaSourceShape["listMetadata"]
type Fetch = ReplicaSourceShape["fetchBlocks"]

const listing = (change: (list: List) => List) => (source: ReplicaSourceShape): ReplicaSourceShape => ({
  bootstrapped: source.bootstrapped,
  listMetadata: change((request) => source.listMetadata(request)),
  fetchBlocks: (request) => source.fetchBlocks(request)
})

const fetching = (change: (fetch: Fetch) => Fetch) => (source: ReplicaSourceShape): ReplicaSourceShape => ({
  bootstrapped: source.bootstrapped,
  listMetadata: (request) => source.listMetadata(request),
  fetchBlocks: change((request) => source.fetchBlocks(request))
})

const onFrames = (type: number, change: (frame: Uint8Array) => void) => (frame: Uint8Array): void => {
  if (frame[2] === type) change(frame)
}

/** Adds one to the byte at `position` of frames of a type. */
const bump = (type: number, position: number) =>
  onFrames(type, (frame) => {
    frame[position] = frame[position]! + 1 & 255
  })

const answering =
  (change: (call: ServerCall, outcome: Extract<CallOutcome, { kind: "result" }>) => CallOutcome): Intercept =>
  (call, proceed) => Effect.map(proceed, (outcome) => outcome.kind === "result" ? change(call, outcome) : outcome)

const framesOf = (call: ServerCall, outcome: Extract<CallOutcome, { kind: "result" }>): CallOutcome => ({
  kind: "frames",
  frames: answerFrames(call, outcome.code, outcome.arg3),
  close: false
})

const otherText = (error: DeclaredError) =>
  new DeclaredError({ ...error, message: error.message.replace("4294967295", "-1") })

/** Turns the error frame's code into "unexpected". */
const unexpectedCode = onFrames(FrameType.error, (frame) => {
  if (frame[frameHeaderBytes] === 6) frame[frameHeaderBytes] = 5
})

const protocolMutants: ReadonlyArray<NodeServerMutant> = [
  mutant("handshake: version", "init response with version 3", /init response has version 3/, {
    outgoing: bump(FrameType.initResponse, frameHeaderBytes + 1)
  }),
  mutant("handshake: version", "init response under another id", /init answered by type 2, id/, {
    outgoing: bump(FrameType.initResponse, 7)
  }),
  mutant("handshake: version", "init response without process_name", /lacks process_name/, {
    outgoing: onFrames(
      FrameType.initResponse,
      (frame) => frame.set(Buffer.from("nrocess_name"), Buffer.from(frame).indexOf("process_name"))
    )
  }),
  mutant("handshake: no process", "accepts version 1", /init with version 1: want an error frame, got type 2/, {
    incoming: onFrames(FrameType.initRequest, (frame) => frame.set([0, 2], frameHeaderBytes))
  }),
  mutant("handshake: a later", "refuses version 3", /version 3 answered by type ff/, {
    incoming: onFrames(
      FrameType.initRequest,
      (frame) => frame[frameHeaderBytes + 1] === 3 && frame.set([0, 1], frameHeaderBytes)
    )
  }),
  mutant("ping", "ping under another id", /ping 7 answered by type d1, id 8/, {
    outgoing: bump(FrameType.pingResponse, 7)
  }),
  mutant("health", "a reserved byte that is not 0", /reserved bytes of a frame are not 0/, {
    outgoing: bump(FrameType.callResponse, 3)
  }),
  mutant("unknown method", "unknown methods get error 05", /want error 06 with both names, got 5/, {
    outgoing: unexpectedCode
  }),
  mutant("wrong checksum", "answers a TTL of 0", /after a TTL of 0: a frame for id 903/, {
    incoming: onFrames(FrameType.callRequest, (frame) => frame.set([0, 0, 39, 16], frameHeaderBytes + 1))
  }),
  mutant("health", "answers under another id", /a frame for id 3, the call has 2/, {
    outgoing: bump(FrameType.callResponse, 7)
  }),
  mutant(
    "listing: declared",
    "declared errors with code 0",
    /want a declared error of type 1, "unknown namespace: no-such", got code 0/,
    {
      intercept: answering((_, outcome) => ({ ...outcome, code: 0 }))
    }
  ),
  mutant("health", "values with code 1", /health answered with code 1/, {
    intercept: answering((_, outcome) => ({ ...outcome, code: 1 }))
  }),
  mutant("the request's", "always CRC-32", /type 0 answered with type 1/, {
    intercept: answering((call, outcome) => framesOf({ ...call, checksumType: 1 }, outcome))
  }),
  mutant("health", "forgets the `as` header", /`as` did not come back/, {
    intercept: answering((call, outcome) => framesOf({ ...call, headers: [] }, outcome))
  }),
  mutant("health", "a byte after the struct", /1 bytes after the struct/, {
    intercept: answering((_, outcome) => ({ ...outcome, arg3: Uint8Array.from([...outcome.arg3, 0]) }))
  }),
  mutant("health", "the last frame says that more follows", "hangs", {
    outgoing: onFrames(FrameType.callResponse, (frame) => {
      frame[frameHeaderBytes] = frame[frameHeaderBytes]! | 1
    })
  }),
  mutant("requests in fragments", "reads no continuations", "hangs", {
    incoming: onFrames(FrameType.callRequestContinue, (frame) => {
      frame[2] = 0x77
    })
  }),
  mutant("an id that", "accepts an id twice", /a duplicate id: want an error frame, got type 4/, {
    incoming: onFrames(FrameType.callRequest, (frame) => {
      if (frame[frameHeaderBytes] === 1) frame[7] = frame[7]! + 100
    })
  }),
  mutant("calls whose", "mixes calls up", "hangs", {
    incoming: onFrames(FrameType.callRequestContinue, (frame) => {
      frame[7] = 50
    })
  }),
  mutant("blocks: an answer", "cuts long answers", /result struct: \d+ bytes wanted at 59\d+/, {
    intercept: answering((_, outcome) => ({ ...outcome, arg3: outcome.arg3.subarray(0, 60_000) }))
  })
]

const listingMutants: ReadonlyArray<NodeServerMutant> = [
  mutant("listing: any page", "listings of one call", /a listing ended after one call/, {
    source: listing((list) => (request) => list({ ...request, pageToken: request.pageToken ?? diskPhaseToken }))
  }),
  mutant("listing: any page", "ignores the page limit", /\d+ series at limit 1/, {
    source: listing((list) => (request) => list({ ...request, limit: request.limit > 0 ? 4_096 : request.limit }))
  }),
  mutant("listing: any page", "loses an element between pages", /limit 1 lists another set than limit 4096/, {
    source: listing((list) => (request) =>
      Effect.map(
        list(request),
        (page) => page.nextPageToken === undefined ? page : { ...page, elements: page.elements?.slice(0, -1) }
      )
    )
  }),
  mutant("listing: memory", "oldest block first", /disk blocks are not listed newest first/, {
    source: listing((list) => (request) =>
      Effect.map(list(request), (page) => ({ ...page, elements: page.elements?.toReversed() }))
    )
  }),
  mutant("listing: without", "ignores the include flags", /fields that were not asked for/, {
    source: listing((list) => (request) =>
      list({ ...request, includeChecksums: true, includeLastRead: true, includeSizes: true })
    )
  }),
  mutant(
    "listing: only",
    "lists a block that the range's end cuts",
    /a disk block that the range's end cuts is listed/,
    {
      source: listing((list) => (request) => list({ ...request, rangeEnd: request.rangeEnd + 1n }))
    }
  ),
  mutant(
    "listing: an empty",
    "takes a broken token for none",
    /want a declared error of type 1, "shard could not unmarshal page token", got code 0/,
    {
      source: listing((list) => (request) =>
        list({ ...request, pageToken: request.pageToken?.[0] === 0xff ? undefined : request.pageToken })
      )
    }
  ),
  mutant("listing: an empty", "refuses an empty token", /declared error "shard could not unmarshal page token"/, {
    source: listing((list) => (request) =>
      request.pageToken?.length === 0 ? Effect.fail(DeclaredErrors.badPageToken()) : list(request)
    )
  }),
  mutant(
    "listing: declared",
    "checks the token before the shard",
    /want .*"unknown namespace: no-such", got .*"shard could not unmarshal page token"/,
    {
      source: listing((list) => (request) =>
        request.pageToken?.[0] === 0xff ? Effect.fail(DeclaredErrors.badPageToken()) : list(request)
      )
    }
  ),
  mutant("listing: declared", "prints negative shards", /want .* shard 4294967295", got .* shard -1"/, {
    source: listing((list) => (request) => Effect.mapError(list(request), otherText))
  }),
  mutant(
    "listing: declared",
    "an empty page for limit 0",
    /limit 0 is not answered by a result struct without fields/,
    {
      source: listing((list) => (request) =>
        request.limit > 0 ? list(request) : Effect.succeed({ elements: [], nextPageToken: undefined })
      )
    }
  ),
  mutant("blocks: what", "sizes one byte too large", /has \d+ bytes, announced \d+/, {
    source: listing((list) => (request) =>
      Effect.map(list(request), (page) => ({
        ...page,
        elements: page.elements?.map((element) => ({
          ...element,
          size: element.size === undefined ? undefined : element.size + 1n
        }))
      }))
    )
  })
]

const distinct = (starts: ReadonlyArray<bigint>): ReadonlyArray<bigint> => [...new Set(starts)]

const blocksMutants: ReadonlyArray<NodeServerMutant> = [
  mutant(
    "blocks: declared",
    "prints negative shards of block requests",
    /want .* shard 4294967295", got .* shard -1"/,
    {
      source: fetching((fetch) => (request) => Effect.mapError(fetch(request), otherText))
    }
  ),
  mutant("blocks: repeated", "answers a repeated start once", /a start asked twice is not answered twice/, {
    source: fetching((fetch) => (request) =>
      fetch({ ...request, elements: request.elements.map(({ id, starts }) => ({ id, starts: distinct(starts) })) })
    )
  }),
  mutant(
    "blocks: repeated",
    "only the first start of an element",
    /several starts of one element are not all answered/,
    {
      source: fetching((fetch) => (request) =>
        fetch({ ...request, elements: request.elements.map(({ id, starts }) => ({ id, starts: starts.slice(0, 1) })) })
      )
    }
  ),
  mutant("blocks: repeated", "leaves unknown series out", /1 elements asked, 0 answered/, {
    source: fetching((fetch) => (request) =>
      Effect.map(fetch(request), (all) => all.filter(({ blocks }) => blocks.length > 0))
    )
  }),
  mutant("blocks: repeated", "blocks newest first", /several starts of one element are not all answered/, {
    source: fetching((fetch) => (request) =>
      Effect.map(fetch(request), (all) => all.map(({ blocks, id }) => ({ id, blocks: blocks.toReversed() })))
    )
  }),
  mutant(
    "blocks: repeated",
    "takes any shard for the series' own",
    /a series is answered from a shard that it is not in/,
    {
      source: (source) => {
        const own = new Map<string, number>()
        return {
          bootstrapped: source.bootstrapped,
          listMetadata: (request) => source.listMetadata(request),
          fetchBlocks: (request) => {
            const key = Buffer.from(request.elements[0]?.id ?? []).toString("hex")
            if (request.shard >= 0 && !own.has(key)) own.set(key, request.shard)
            return source.fetchBlocks(
              request.elements.length === 1 ? { ...request, shard: own.get(key) ?? request.shard } : request
            )
          }
        }
      }
    }
  )
]

const behaviours: ReadonlyArray<readonly [behaviours: string, caughtBy: string, because: RegExp]> = [
  ["bad-crc", "listing: every", /the running checksum is wrong/],
  ["chunkless-fragment", "listing: every", /a fragment without a chunk/],
  ["huge-length:binary", "blocks: what", /2147483632 bytes wanted/],
  ["huge-length:list", "blocks: what", /list of 2147483632/],
  ["huge-length:negative", "blocks: what", /-5 bytes wanted/],
  ["deep-thrift", "blocks: what", /nested deeper than 16 levels/],
  ["error:internal", "listing: every", /declared error "internal error"/],
  ["error:busy:4", "listing: any page", /error frame 3 "replica says busy"/],
  ["cut:300", "health", /the server closed the connection/],
  ["not-bootstrapped", "health", /health answered with code 0 or not healthy/],
  ["missing:3", "blocks: what", /60 elements asked, 39 answered/],
  ["hollow:3", "blocks: what", /0 blocks for one start announced/],
  ["block-err:3", "blocks: what", /carries an error/],
  ["wrong-id:3", "blocks: what", /has another id than asked/],
  ["wrong-start:3", "blocks: what", /has start \d+/],
  ["lie-checksum:3", "blocks: what", /has checksum \d+, announced \d+/],
  ["lie-data:3", "blocks: what", /has a segment whose checksum is wrong/],
  ["lie-data:3:valid", "blocks: what", /has checksum \d+, announced \d+/],
  ["duplicate:3", "listing: memory", /an element came twice in a phase/],
  ["meta-err:3", "listing: every", /a listing element carries an error/],
  ["no-checksum", "listing: every", /a disk entry lacks its checksum/],
  ["extra:element", "blocks: what", /60 elements asked, 61 answered/],
  ["extra:block", "blocks: what", /2 blocks for one start announced/],
  ["reorder:blocks", "blocks: what", /has another id than asked/],
  ["token-loop", "listing: any page", /page token \w+ came twice/],
  ["endless-pages:1", "listing: any page", /a listing without end/]
]

/** Ends with the first frame that breaks a rule, as a careless process would. */
const dies = started(
  "dies of a broken frame",
  "hostile bytes",
  /nothing listens/,
  Effect.fnUntraced(function*(data) {
    const runFork = yield* FiberSet.makeRuntime()
    const stop: { run: Effect.Effect<void> } = { run: Effect.void }
    const observe = (event: ServerEvent) => event.kind === "rejected" ? void runFork(stop.run) : undefined
    const replica = yield* startReplica({ data, observe })
    stop.run = replica.stop
    return replica.address
  })
)

/** All wrong node servers, each with the checks that must reject it. */
export const nodeServerMutants: ReadonlyArray<NodeServerMutant> = [
  ...protocolMutants,
  ...listingMutants,
  ...blocksMutants,
  ...behaviours.map(behaving),
  dies
]
