/**
 * Which points to dial, whom to keep, whom to leave alone: the contract of the pure engine that `ChainSync` owns (mission 003, handling disconnects;
 * specs: chain bootstrap R97–R105, A16, A27–A29, A37, 5.8).
 */
import type { Side } from "./ChainProtocol.ts"

export type PointSource = "named" | "network" | "stored" | "nack" | "advertised" | "swap" | "incoming"

export interface ConnectionOptions {
  /** Below: critical, new work pauses. Default 10. */
  readonly minPeers: number
  /** Never exceeded, handshakes in progress included. Default 50. */
  readonly maxPeers: number
  /** Connections below `maxPeers − hungryMargin` make dialling come first. Default ⌈0.1 · maxPeers⌉. */
  readonly hungryMargin: number
  /** Attempts to reconnect within the window before a ban for the window's rest. Default 5. */
  readonly reconnectLimit: number
  /** Default 24 h. */
  readonly reconnectWindowMillis: number
  /** Delay before the n-th attempt: base × 1.2ⁿ up to the cap. Defaults 1 s and 48 h. */
  readonly reconnectBaseMillis: number
  readonly reconnectCapMillis: number
  /** Rest after an end that was expected (Nack, Disconnect, our own decision without blame). Default 60 s. */
  readonly cooldownMillis: number
  /** First greylisting; doubled each time up to the longest. Defaults 15 min and 24 h. */
  readonly greylistMillis: number
  readonly greylistLongestMillis: number
  readonly maxKnownPoints: number
  /** Dials at a time. Default 10. */
  readonly maxDials: number
  /** Counted peers of one /16 (IPv4) or /32 (IPv6). Default 2. Loopback, private ranges and named peers are exempt. */
  readonly maxPerGroup: number
}

export interface KnownPoint {
  readonly point: string
  readonly id: string | undefined
  readonly source: PointSource
  readonly named: boolean
  readonly status: "idle" | "dialling" | "active" | "greylisted" | "banned"
  readonly lastScore: number | undefined
  readonly reconnects: number
  readonly windowStartMillis: number
  readonly restUntilMillis: number
  readonly greylistings: number
  /** Why it is greylisted or banned. */
  readonly reason: string | undefined
  readonly lastSeenMillis: number | undefined
}

/** How a connection or an attempt ended, as far as it matters here. */
export type Ending =
  /** Unexpected: reconnect (counted). */
  | { readonly kind: "lost"; readonly message: string }
  | { readonly kind: "dial-failed"; readonly message: string }
  /** Expected: no counter, a cool-down. */
  | { readonly kind: "expected"; readonly message: string }
  /** By proof: greylisted; `longest` for protocol errors. */
  | { readonly kind: "greylisted"; readonly message: string; readonly longest: boolean }

export type ConnectionWish =
  | { readonly kind: "dial"; readonly point: string }
  | { readonly kind: "ask-peers"; readonly peer: number }
  | { readonly kind: "swap"; readonly peer: number; readonly point: string; readonly id: string }
  | { readonly kind: "resolve-names" }

export interface ActivePeer {
  readonly peer: number
  readonly id: string
  readonly point: string | undefined
  readonly side: Side
  readonly named: boolean
  readonly score: number
}

export interface Connections {
  readonly active: number
  readonly level: "normal" | "hungry" | "critical"
  /** Adds points not known yet, bounded; malformed and own ones are ignored. Returns how many were new. */
  addPoints(points: ReadonlyArray<string>, source: PointSource, nowMillis: number): number
  /** Whether this identity may connect now. */
  admits(
    id: string,
    remoteHost: string,
    side: Side,
    nowMillis: number
  ): undefined | "too-many" | "already-connected" | "banned"
  connected(peer: ActivePeer, nowMillis: number): void
  ended(point: string | undefined, id: string | undefined, ending: Ending, nowMillis: number): void
  setScore(peer: number, score: number): void
  /** What to do now; every wish counts as under way. */
  wishes(nowMillis: number): ReadonlyArray<ConnectionWish>
  /** Earliest time at which `wishes` may have more; Infinity. */
  wakeAt(nowMillis: number): number
  /** Peers whose support counts: at most `maxPerGroup` a group, never more incoming than outgoing ones. */
  counted(): ReadonlyArray<number>
  /** Points fit to be told to others, best first. */
  pointsToTell(limit: number): ReadonlyArray<string>
  ban(pointOrId: string, reason: string, nowMillis: number): boolean
  unban(pointOrId: string, nowMillis: number): boolean
  known(): ReadonlyArray<KnownPoint>
  /** For the known peers' document; `restore` takes it back and ignores what it cannot read (and says how much). */
  save(): string
  restore(text: string, nowMillis: number): { readonly restored: number; readonly problem: string | undefined }
}
