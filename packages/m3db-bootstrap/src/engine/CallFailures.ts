/**
 * What a failed call says about a peer: how long to leave it alone, and who is at fault. Only what a peer really sent can be held against
 * it: bytes that came whole, under checksums that held, and are still not what the protocol allows.
 */
import type { CallErrorReason } from "@peerstrap/m3db-wire"
import type { FailureKind, Verdict } from "@peerstrap/peer-selection"

interface Meaning {
  /** Undefined when the failure says nothing about the peer: our own resources, or an answer that we did not want to hold. */
  readonly kind: FailureKind | undefined
  readonly verdict: Verdict
  /** What the verdict rests on. */
  readonly because: string
}

const meanings: Readonly<Record<CallErrorReason, Meaning>> = {
  unreachable: { kind: "unreachable", verdict: "unknown", because: "no connection: peer, path or address" },
  closed: { kind: "closed", verdict: "unknown", because: "the connection ended: peer or path" },
  timeout: { kind: "timeout", verdict: "unknown", because: "our timer: peer, path or load" },
  overloaded: { kind: "pushback", verdict: "unknown", because: "the peer asks for less" },
  "not-bootstrapped": { kind: "not-ready", verdict: "unknown", because: "the peer says that it is not ready" },
  "not-owned": { kind: "refused", verdict: "unknown", because: "the peer says that it does not hold the shard" },
  "unknown-namespace": {
    kind: "refused",
    verdict: "unknown",
    because: "the peer says that it does not know the namespace"
  },
  "bad-request": { kind: "refused", verdict: "unknown", because: "the peer says that our request is wrong" },
  "other-protocol": { kind: "refused", verdict: "unknown", because: "what listens there speaks another protocol" },
  internal: { kind: "faulty", verdict: "unknown", because: "the peer declares an error of its own" },
  protocol: { kind: "faulty", verdict: "unknown", because: "malformed outside of what checksums cover: peer or path" },
  "bad-answer": {
    kind: "faulty",
    verdict: "peer",
    because: "the answer came whole, its checksums hold, and it is not what the protocol allows"
  },
  "too-large": { kind: undefined, verdict: "self", because: "our bound for the answer" },
  local: { kind: undefined, verdict: "self", because: "our own resources" }
}

/** Undefined when the failure says nothing about the peer. */
export const failureKind = (reason: CallErrorReason): FailureKind | undefined => meanings[reason].kind

/** Who is at fault for a failed call, and what that rests on. */
export const verdictOf = (reason: CallErrorReason): { readonly verdict: Verdict; readonly because: string } =>
  meanings[reason]

/** Failures that say nothing about the items asked for: they cost no try. */
export const isItemBlameless = (reason: CallErrorReason): boolean =>
  reason === "unreachable" || reason === "overloaded" || reason === "not-bootstrapped" || reason === "local" ||
  reason === "too-large"

/** Answers that mean "not now" in a row which together weigh as one failure: a rate limit is no fault, but no excuse for ever either. */
export const pushbacksPerFailure = 16
