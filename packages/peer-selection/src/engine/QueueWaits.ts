/** Says in words what a peer's queue waits for. */
import type { Wait } from "@peerstrap/progress"
import type { FailureKind } from "../contract/PeerQueues.ts"
import type { PeerQueue } from "./PeerQueue.ts"

const seconds = (millis: number): string => (Math.max(0, millis) / 1000).toFixed(1)

const remedyOf = (kind: FailureKind, id: string): string => {
  const elsewhere = "other peers that hold the same blocks get its work meanwhile"
  switch (kind) {
    case "unreachable":
      return `start peer ${id}, or check its address and the network to it; ${elsewhere}`
    case "closed":
      return `read the log of peer ${id} for why it closes connections, or what cuts them between here and there; ${elsewhere}`
    case "timeout":
      return `check the load of peer ${id} and the network to it, or raise the request timeout; ${elsewhere}`
    case "pushback":
      return `nothing: it is asked for less; to finish sooner raise the rate limit of peer ${id}`
    case "not-ready":
      return `wait until peer ${id} has bootstrapped, or lower the consistency level so that it is not needed`
    case "refused":
      return `check that the namespace, the shard and the time range exist on peer ${id}; ${elsewhere}`
    case "faulty":
      return `check the disk and the network card of peer ${id}: what it sent is recorded as evidence; ${elsewhere}`
  }
}

const troubleCause = (queue: PeerQueue, nowMillis: number): string => {
  const times = queue.lastFailure === "pushback" ? queue.pushbacksInRow : queue.failuresInRow
  const tries = times === 1 ? "1 try" : `${times} tries`
  const next = queue.isResting(nowMillis)
    ? `${queue.breakerAt(nowMillis) === "open" ? "breaker open, " : ""}next in ${
      seconds(queue.restUntilMillis - nowMillis)
    } s`
    : queue.inFlightBatches > 0
    ? "trying now"
    : queue.breakerAt(nowMillis) === "half-open"
    ? "half-open: the next call probes it"
    : "next at once"
  const message = queue.lastFailureMessage === undefined || queue.lastFailureMessage === ""
    ? queue.lastFailure
    : queue.lastFailureMessage
  return `${message} (${tries}, ${next})`
}

/** The peer's wait, or undefined when it can go on. */
export const waitOf = (queue: PeerQueue, nowMillis: number): Wait | undefined => {
  const kind = queue.lastFailure
  const inTrouble = queue.failuresInRow > 0 || queue.pushbacksInRow > 0
  const isWanted = queue.isResting(nowMillis) || queue.queuedItems > 0 || queue.inFlightBatches > 0
  if (kind !== undefined && isWanted && (inTrouble || queue.isResting(nowMillis))) {
    return {
      subject: `work for peer ${queue.id}`,
      waitingFor: kind === "pushback" ? `peer ${queue.id} to take more` : `an answer from peer ${queue.id}`,
      cause: troubleCause(queue, nowMillis),
      peers: [queue.id],
      remedy: remedyOf(kind, queue.id),
      sinceMillis: queue.troubleSinceMillis
    }
  }
  if (queue.state().isSuspect) {
    return {
      subject: `work for peer ${queue.id}`,
      waitingFor: `an answer from peer ${queue.id}`,
      cause: "a batch has been out for much longer than others of its size take; it gets no further one meanwhile",
      peers: [queue.id],
      remedy: `nothing: other peers were asked for the same; check the load of peer ${queue.id} if this goes on`,
      sinceMillis: nowMillis
    }
  }
  if (!queue.isThrottled(nowMillis)) return undefined
  const next = seconds(queue.limit.freeAt - nowMillis)
  return {
    subject: `work for peer ${queue.id}`,
    waitingFor: "its share of the bytes/s limit",
    cause:
      `limit of ${queue.limit.bytesPerSecond} bytes/s a peer, ${queue.queuedBytes} bytes queued (next in ${next} s)`,
    peers: [queue.id],
    remedy: "raise the limit of bytes/s a peer, or lift it with 0",
    change: { setting: "peer-rate", value: String(2 * queue.limit.bytesPerSecond) },
    sinceMillis: nowMillis
  }
}
