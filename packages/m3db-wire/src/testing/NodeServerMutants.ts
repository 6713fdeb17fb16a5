/** Node servers with one mistake each. A kit that lets one of them pass does not check what it says. */
import { type Address, type Connection, formatAddress, type ListenError, Transport } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"
import { makeService } from "../adapter/NodeServer.ts"
import type { CallOutcome, Intercept, ServerCall, ServerEvent } from "../adapter/ServerCall.ts"
import { answerFrames } from "../adapter/ServerConnection.ts"
import { frameHeaderBytes, FrameType } from "../codec/Frame.ts"
import { DeclaredError, DeclaredErrors, type ReplicaSourceShape } from "../contract/ReplicaSource.ts"
import { diskPhaseToken } from "./ReplicaData.ts"
import { type ReplicaHoldings, startReplica } from "./ScriptedReplica.ts"

/** Starts the server with its mistake; it lives until the scope ends. */
export interface NodeServerMutant {
  readonly name: string
  /** The beginning of the name of the check that must notice it. */
  readonly caughtBy: string
  /** It is noticed by silence alone: that check runs into its timeout. */
  readonly silent: boolean
  readonly start: (data: ReplicaHoldings) => Effect.Effect<Address, ListenError, Transport | Scope.Scope>
}

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

const mutant = (caughtBy: string, name: string, mistake: Mistake, silent = false): NodeServerMutant => ({
  name,
  caughtBy,
  silent,
  start: Effect.fnUntraced(function*(data) {
    const transport = yield* Transport
    const source = data.source(() => true)
    let bound: Address = { host: "127.0.0.1", port: 0 }
    const intercept: Intercept = mistake.intercept ?? ((_, proceed) => proceed)
    const service = makeService(mistake.source?.(source) ?? source, () => formatAddress(bound), { intercept })
    const listener = yield* transport.listen(bound, (connection) => service.serve(changed(connection, mistake)))
    bound = listener.address
    return bound
  })
})

/** A replica that misbehaves as told is a mutant, too. */
const behaving = ([behaviours, caughtBy]: readonly [string, string]): NodeServerMutant => ({
  name: `replica with ${behaviours}`,
  caughtBy,
  silent: false,
  start: (data) => Effect.map(startReplica({ data, behaviours }), ({ address }) => address)
})

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
  mutant("handshake: version", "init response with version 3", {
    outgoing: bump(FrameType.initResponse, frameHeaderBytes + 1)
  }),
  mutant("handshake: version", "init response under another id", { outgoing: bump(FrameType.initResponse, 7) }),
  mutant("handshake: version", "init response without process_name", {
    outgoing: onFrames(
      FrameType.initResponse,
      (frame) => frame.set(Buffer.from("nrocess_name"), Buffer.from(frame).indexOf("process_name"))
    )
  }),
  mutant("handshake: no process", "accepts version 1", {
    incoming: onFrames(FrameType.initRequest, (frame) => frame.set([0, 2], frameHeaderBytes))
  }),
  mutant("handshake: a later", "refuses version 3", {
    incoming: onFrames(
      FrameType.initRequest,
      (frame) => frame[frameHeaderBytes + 1] === 3 && frame.set([0, 1], frameHeaderBytes)
    )
  }),
  mutant("ping", "ping under another id", { outgoing: bump(FrameType.pingResponse, 7) }),
  mutant("health", "a reserved byte that is not 0", { outgoing: bump(FrameType.callResponse, 3) }),
  mutant("unknown method", "unknown methods get error 05", { outgoing: unexpectedCode }),
  mutant("wrong checksum", "answers a TTL of 0", {
    incoming: onFrames(FrameType.callRequest, (frame) => frame.set([0, 0, 39, 16], frameHeaderBytes + 1))
  }),
  mutant("health", "answers under another id", { outgoing: bump(FrameType.callResponse, 7) }),
  mutant("listing: declared", "declared errors with code 0", {
    intercept: answering((_, outcome) => ({ ...outcome, code: 0 }))
  }),
  mutant("health", "values with code 1", { intercept: answering((_, outcome) => ({ ...outcome, code: 1 })) }),
  mutant("the request's", "always CRC-32", {
    intercept: answering((call, outcome) => framesOf({ ...call, checksumType: 1 }, outcome))
  }),
  mutant("health", "forgets the `as` header", {
    intercept: answering((call, outcome) => framesOf({ ...call, headers: [] }, outcome))
  }),
  mutant("health", "a byte after the struct", {
    intercept: answering((_, outcome) => ({ ...outcome, arg3: Uint8Array.from([...outcome.arg3, 0]) }))
  }),
  mutant("health", "the last frame says that more follows", {
    outgoing: onFrames(FrameType.callResponse, (frame) => {
      frame[frameHeaderBytes] = frame[frameHeaderBytes]! | 1
    })
  }, true),
  mutant("requests in fragments", "reads no continuations", {
    incoming: onFrames(FrameType.callRequestContinue, (frame) => {
      frame[2] = 0x77
    })
  }, true),
  mutant("an id that", "accepts an id twice", {
    incoming: onFrames(FrameType.callRequest, (frame) => {
      if (frame[frameHeaderBytes] === 1) frame[7] = frame[7]! + 100
    })
  }),
  mutant("calls whose", "mixes calls up", {
    incoming: onFrames(FrameType.callRequestContinue, (frame) => {
      frame[7] = 50
    })
  }, true),
  mutant("blocks: an answer", "cuts long answers", {
    intercept: answering((_, outcome) => ({ ...outcome, arg3: outcome.arg3.subarray(0, 60_000) }))
  })
]

const listingMutants: ReadonlyArray<NodeServerMutant> = [
  mutant("listing: any page", "listings of one call", {
    source: listing((list) => (request) => list({ ...request, pageToken: request.pageToken ?? diskPhaseToken }))
  }),
  mutant("listing: any page", "ignores the page limit", {
    source: listing((list) => (request) => list({ ...request, limit: request.limit > 0 ? 4_096 : request.limit }))
  }),
  mutant("listing: any page", "loses an element between pages", {
    source: listing((list) => (request) =>
      Effect.map(
        list(request),
        (page) => page.nextPageToken === undefined ? page : { ...page, elements: page.elements?.slice(0, -1) }
      )
    )
  }),
  mutant("listing: memory", "oldest block first", {
    source: listing((list) => (request) =>
      Effect.map(list(request), (page) => ({ ...page, elements: page.elements?.toReversed() }))
    )
  }),
  mutant("listing: without", "ignores the include flags", {
    source: listing((list) => (request) =>
      list({ ...request, includeChecksums: true, includeLastRead: true, includeSizes: true })
    )
  }),
  mutant("listing: only", "lists a block that the range's end cuts", {
    source: listing((list) => (request) => list({ ...request, rangeEnd: request.rangeEnd + 1n }))
  }),
  mutant("listing: an empty", "takes a broken token for none", {
    source: listing((list) => (request) =>
      list({ ...request, pageToken: request.pageToken?.[0] === 0xff ? undefined : request.pageToken })
    )
  }),
  mutant("listing: an empty", "refuses an empty token", {
    source: listing((list) => (request) =>
      request.pageToken?.length === 0 ? Effect.fail(DeclaredErrors.badPageToken()) : list(request)
    )
  }),
  mutant("listing: declared", "checks the token before the shard", {
    source: listing((list) => (request) =>
      request.pageToken?.[0] === 0xff ? Effect.fail(DeclaredErrors.badPageToken()) : list(request)
    )
  }),
  mutant("listing: declared", "prints negative shards", {
    source: listing((list) => (request) => Effect.mapError(list(request), otherText))
  }),
  mutant("listing: declared", "an empty page for limit 0", {
    source: listing((list) => (request) =>
      request.limit > 0 ? list(request) : Effect.succeed({ elements: [], nextPageToken: undefined })
    )
  }),
  mutant("blocks: what", "sizes one byte too large", {
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
  mutant("blocks: declared", "prints negative shards of block requests", {
    source: fetching((fetch) => (request) => Effect.mapError(fetch(request), otherText))
  }),
  mutant("blocks: repeated", "answers a repeated start once", {
    source: fetching((fetch) => (request) =>
      fetch({ ...request, elements: request.elements.map(({ id, starts }) => ({ id, starts: distinct(starts) })) })
    )
  }),
  mutant("blocks: repeated", "only the first start of an element", {
    source: fetching((fetch) => (request) =>
      fetch({ ...request, elements: request.elements.map(({ id, starts }) => ({ id, starts: starts.slice(0, 1) })) })
    )
  }),
  mutant("blocks: repeated", "leaves unknown series out", {
    source: fetching((fetch) => (request) =>
      Effect.map(fetch(request), (all) => all.filter(({ blocks }) => blocks.length > 0))
    )
  }),
  mutant("blocks: repeated", "blocks newest first", {
    source: fetching((fetch) => (request) =>
      Effect.map(fetch(request), (all) => all.map(({ blocks, id }) => ({ id, blocks: blocks.toReversed() })))
    )
  }),
  mutant("blocks: repeated", "takes any shard for the series' own", {
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
  })
]

const behaviours: ReadonlyArray<readonly [behaviours: string, caughtBy: string]> = [
  ["bad-crc", "listing: every"],
  ["chunkless-fragment", "listing: every"],
  ["huge-length:binary", "blocks: what"],
  ["huge-length:list", "blocks: what"],
  ["huge-length:negative", "blocks: what"],
  ["deep-thrift", "blocks: what"],
  ["error:internal", "listing: every"],
  ["error:busy:4", "listing: any page"],
  ["http", "handshake: version"],
  ["cut:300", "health"],
  ["not-bootstrapped", "health"],
  ["missing:3", "blocks: what"],
  ["hollow:3", "blocks: what"],
  ["block-err:3", "blocks: what"],
  ["wrong-id:3", "blocks: what"],
  ["wrong-start:3", "blocks: what"],
  ["lie-checksum:3", "blocks: what"],
  ["lie-data:3", "blocks: what"],
  ["lie-data:3:valid", "blocks: what"],
  ["duplicate:3", "listing: memory"],
  ["meta-err:3", "listing: every"],
  ["no-checksum", "listing: every"],
  ["extra:element", "blocks: what"],
  ["extra:block", "blocks: what"],
  ["reorder:blocks", "blocks: what"],
  ["token-loop", "listing: any page"],
  ["endless-pages:1", "listing: any page"]
]

/** Ends with the first frame that breaks a rule, as a careless process would. */
const dies: NodeServerMutant = {
  name: "dies of a broken frame",
  caughtBy: "hostile bytes",
  silent: false,
  start: Effect.fnUntraced(function*(data) {
    const runFork = yield* FiberSet.makeRuntime()
    const stop: { run: Effect.Effect<void> } = { run: Effect.void }
    const observe = (event: ServerEvent) => event.kind === "rejected" ? void runFork(stop.run) : undefined
    const replica = yield* startReplica({ data, observe })
    stop.run = replica.stop
    return replica.address
  })
}

/** All wrong node servers, each with the checks that must reject it. */
export const nodeServerMutants: ReadonlyArray<NodeServerMutant> = [
  ...protocolMutants,
  ...listingMutants,
  ...blocksMutants,
  ...behaviours.map(behaving),
  dies
]
