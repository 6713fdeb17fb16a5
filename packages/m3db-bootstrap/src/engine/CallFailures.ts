/** What a failed call says about a peer: how long to leave it alone, and whether there is proof of anything. */
import type { CallErrorReason } from "@peerstrap/m3db-wire"
import type { FailureKind } from "@peerstrap/peer-selection"

const kinds: Readonly<Record<CallErrorReason, FailureKind | undefined>> = {
  unreachable: "unreachable",
  closed: "closed",
  timeout: "timeout",
  overloaded: "pushback",
  "not-bootstrapped": "not-ready",
  "not-owned": "refused",
  "unknown-namespace": "refused",
  "bad-request": "refused",
  "other-protocol": "refused",
  internal: "faulty",
  protocol: "faulty",
  "too-large": undefined,
  local: undefined
}

/** Undefined when the failure says nothing about the peer: our own resources, or an answer that we did not want to hold. */
export const failureKind = (reason: CallErrorReason): FailureKind | undefined => kinds[reason]

/** Failures that say nothing about the items asked for: they cost no try. */
export const isItemBlameless = (reason: CallErrorReason): boolean =>
  reason === "unreachable" || reason === "overloaded" || reason === "not-bootstrapped" || reason === "local" ||
  reason === "too-large"

/** Answers that mean "not now" in a row which together weigh as one failure: a rate limit is no fault, but no excuse for ever either. */
export const pushbacksPerFailure = 16
