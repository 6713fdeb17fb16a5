/** Signs of life of a peer that has nothing to answer. */
import type { PeerState } from "./PeerState.ts"
import type { SyncCore } from "./SyncCore.ts"

/** Heads are asked for when there is nothing else to say; a peer that stays silent to that is left, without blame (5.7.2). */
export const heartbeat = (core: SyncCore, peer: PeerState): void => {
  const { head, silence } = core.options.timers
  const silentSince = peer.lastHeardMillis
  if (core.now - silentSince >= silence) {
    return core.dismiss(peer, `silent for ${Math.round(silence / 1000)} s`, undefined)
  }
  core.wakeBy(silentSince + silence)
  if (peer.branch === undefined) return
  if (peer.headDeadlineMillis !== undefined && peer.headDeadlineMillis <= core.now) {
    peer.headDeadlineMillis = undefined
  }
  const quiet = core.status === "unsynced" ? silence / 2 : head
  const due = Math.max(silentSince + quiet, peer.throttle.mayAt("head", core.now), peer.headDeadlineMillis ?? 0)
  if (due > core.now) return core.wakeBy(due)
  peer.throttle.sent("head", core.now)
  peer.headDeadlineMillis = core.now + head
  core.wakeBy(peer.headDeadlineMillis)
  core.ask(peer, { kind: "get-head" })
}
