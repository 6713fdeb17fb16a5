/** How a replica that refuses a call says so: one table for whoever scripts or models one. */
import { ErrorCode } from "../codec/ErrorFrame.ts"
import { DeclaredError, DeclaredErrors } from "../contract/ReplicaSource.ts"
import type { DeclaredErrorKind, FrameErrorKind } from "./Behaviours.ts"

/** Declared errors by kind, in the words of a node. */
export const declaredErrors: {
  readonly [K in DeclaredErrorKind]: (shard: number, namespace: string) => DeclaredError
} = {
  overloaded: DeclaredErrors.overloaded,
  internal: () => new DeclaredError({ type: "INTERNAL_ERROR", message: "internal error", flags: 0 }),
  "not-initialized": DeclaredErrors.notInitialized,
  "not-bootstrapped": DeclaredErrors.shardNotBootstrapped,
  "not-responsible": DeclaredErrors.notResponsible,
  deadline: () => new DeclaredError({ type: "INTERNAL_ERROR", message: "context deadline exceeded", flags: 2 }),
  limit: () => new DeclaredError({ type: "BAD_REQUEST", message: "query limit exceeded", flags: 1 }),
  "bad-token": DeclaredErrors.badPageToken,
  "unknown-namespace": (_, namespace) => DeclaredErrors.unknownNamespaceOfListing(namespace)
}

/** Codes of error frames by kind. */
export const frameErrors: { readonly [K in FrameErrorKind]: number } = {
  timeout: ErrorCode.timeout,
  cancelled: ErrorCode.cancelled,
  busy: ErrorCode.busy,
  declined: ErrorCode.declined,
  unexpected: ErrorCode.unexpected,
  "bad-request": ErrorCode.badRequest,
  network: ErrorCode.network,
  fatal: ErrorCode.fatal
}

/** Whether a refusal is an error of the answer, and not an error frame. */
export const isDeclaredKind = (kind: DeclaredErrorKind | FrameErrorKind): kind is DeclaredErrorKind =>
  Object.hasOwn(declaredErrors, kind)
