/** A client of a replica in this process, without a network between: the plain reference of the kit, and the body of its mutants. */
import {
  type BlocksAnswer,
  CallError,
  type CallErrorReason,
  type CallOptions,
  classifyRemoteError,
  type DeclaredError,
  decodeBlocksAnswer,
  decodeMetadataAnswer,
  encodeBlocksAnswer,
  encodeMetadataAnswer,
  ErrorType,
  isWireFault,
  Limits,
  type MetadataPage,
  type NodeClient,
  RemoteError,
  type ReplicaSourceShape,
  type WireFault
} from "@peerstrap/m3db-wire"
import * as Effect from "effect/Effect"

/** How many calls are under way. */
export interface CallsUnderWay {
  calls: number
}

const remote = ({ flags, message, type }: DeclaredError): RemoteError =>
  new RemoteError(type === "BAD_REQUEST" ? ErrorType.badRequest : ErrorType.internalError, message, flags)

const withRemote = <A extends { readonly error: DeclaredError | undefined }>(one: A) => ({
  ...one,
  error: one.error === undefined ? undefined : remote(one.error)
})

const address = "in this process"

/** `peer` names it in errors; `underWay` counts its calls. */
export const directClient = (
  peer: string,
  source: ReplicaSourceShape,
  underWay: CallsUnderWay = { calls: 0 }
): NodeClient => {
  const failure = (method: string, reason: CallErrorReason, message: string, receivedBytes = 0): CallError =>
    new CallError({ peer, address, method, reason, message, receivedBytes })
  /** A few turns pass before a source answers and before its answer has arrived. */
  const answered = <A>(
    method: string,
    { maxAnswerBytes = Limits.maxAnswerBytes, onBytes }: CallOptions,
    answer: Effect.Effect<Uint8Array, DeclaredError>,
    decode: (bytes: Uint8Array, max: number) => A | RemoteError | WireFault
  ): Effect.Effect<A, CallError> =>
    Effect.acquireUseRelease(
      Effect.sync(() => void underWay.calls++),
      Effect.fnUntraced(function*() {
        yield* Effect.yieldNow
        const bytes = yield* Effect.mapError(answer, (error) =>
          failure(method, classifyRemoteError(remote(error)), error.message))
        yield* Effect.yieldNow
        if (bytes.length > maxAnswerBytes) {
          return yield* failure(method, "too-large", `the answer has ${bytes.length} bytes, of ${maxAnswerBytes}`)
        }
        onBytes?.(bytes.length)
        const decoded = decode(bytes, maxAnswerBytes)
        if (isWireFault(decoded)) {
          return yield* failure(method, "bad-answer", decoded.toString(), bytes.length)
        }
        if (decoded instanceof RemoteError) {
          return yield* failure(method, "internal", decoded.message, bytes.length)
        }
        return decoded
      }),
      () =>
        Effect.sync(() => void underWay.calls--)
    )
  return {
    peer,
    address,
    health: () => Effect.map(source.bootstrapped, (bootstrapped) => ({ ok: true, status: "up", bootstrapped })),
    fetchBlocksMetadata: (request, options = {}) =>
      answered<MetadataPage>(
        "fetchBlocksMetadataRawV2",
        options,
        Effect.map(
          source.listMetadata({
            ...request,
            pageToken: request.pageToken,
            includeSizes: true,
            includeChecksums: true,
            includeLastRead: true
          }),
          ({ elements = [], nextPageToken }) => encodeMetadataAnswer(elements.map(withRemote), nextPageToken)
        ),
        decodeMetadataAnswer
      ),
    fetchBlocks: ({ ids, namespace, shard, startHi, startLo }, options = {}) =>
      answered<BlocksAnswer>(
        "fetchBlocksRaw",
        options,
        Effect.map(
          source.fetchBlocks({
            namespace,
            shard,
            elements: ids.map((id, i) => ({ id, starts: [(BigInt(startHi[i]!) << 32n) | BigInt(startLo[i]! >>> 0)] }))
          }),
          (answers) => encodeBlocksAnswer(answers.map(({ blocks, id }) => ({ id, blocks: blocks.map(withRemote) })))
        ),
        decodeBlocksAnswer
      )
  }
}
