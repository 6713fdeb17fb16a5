/**
 * Which points to dial, whom to keep, whom to leave alone: the contract of the pure engine that `ChainSync` owns (mission 003, handling disconnects;
 * specs: chain bootstrap R97–R105, A16, A27–A29, A37, 5.8).
 */
import type { Side } from "./ChainProtocol.ts"

/** Where a point was learnt. Host names are taken from `named`, `network` and (if they were that) `stored` alone; gossip brings addresses only. */
export type PointSource = "named" | "network" | "stored" | "nack" | "advertised" | "swap" | "incoming"

/** See `connectionOptions` for the defaults and the checks. */
export interface ConnectionOptions {
  /** Below: critical, new work pauses. Default 10. */
  readonly minPeers: number
  /** Never exceeded, handshakes in progress included. Default 50. */
  readonly maxPeers: number
  /** Places that incoming connections may take, because more could not count (A16). Default ⌊maxPeers / 2⌋, at least 1. */
  readonly maxIncoming: number
  /** Connections below `maxPeers − hungryMargin` make dialling come first. Default ⌈0.1 · maxPeers⌉. */
  readonly hungryMargin: number
  /** Attempts to reconnect within the window before a ban for the window's rest. Default 5. */
  readonly reconnectLimit: number
  /** Default 24 h. */
  readonly reconnectWindowMillis: number
  /** Delay before the n-th attempt (from 0): base × 1.2ⁿ up to the cap. Defaults 1 s and 48 h. */
  readonly reconnectBaseMillis: number
  readonly reconnectCapMillis: number
  /** Rest after an end that was expected (Nack, Disconnect, our own decision without blame). Default 60 s. */
  readonly cooldownMillis: number
  /** First greylisting; doubled each time up to the longest. Defaults 15 min and 24 h. */
  readonly greylistMillis: number
  readonly greylistLongestMillis: number
  /** Points in the table; the least useful go first. Default 400. */
  readonly maxKnownPoints: number
  /** Dials at a time. Default 10. */
  readonly maxDials: number
  /** Counted peers of one /16 (IPv4) or /32 (IPv6). Default 2. Loopback, private ranges and named peers are exempt. */
  readonly maxPerGroup: number
}

/** A point or identity that is known, and how it stands. */
export interface KnownPoint {
  /** Undefined: an identity that is banned or greylisted and has no known point. */
  readonly point: string | undefined
  readonly id: string | undefined
  readonly source: PointSource
  readonly named: boolean
  readonly status: "idle" | "dialling" | "active" | "greylisted" | "banned"
  readonly lastScore: number | undefined
  /** Counted attempts of the present window. */
  readonly reconnects: number
  readonly windowStartMillis: number
  /** Not dialled before; Infinity: banned until it is lifted. */
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
  /** Our own fault (no route, no descriptors left, our own deadline while busy): tried again after the base delay, counts nowhere. */
  | { readonly kind: "local-fault"; readonly message: string }
  /** Expected: no counter, a cool-down. */
  | { readonly kind: "expected"; readonly message: string }
  /** By proof: greylisted; `longest` for protocol errors. */
  | { readonly kind: "greylisted"; readonly message: string; readonly longest: boolean }

/** What the connections want done. */
export type ConnectionWish =
  | { readonly kind: "dial"; readonly point: string }
  | { readonly kind: "ask-peers"; readonly peer: number }
  /** Offer `point` and `id` (another peer of ours) to `peer`. */
  | { readonly kind: "swap"; readonly peer: number; readonly point: string; readonly id: string }
  | { readonly kind: "resolve-names" }

/** A peer with a session, as the connections are told of it. */
export interface ActivePeer {
  readonly peer: number
  readonly id: string
  /** For an outgoing connection: the point of the wish, as it was given. */
  readonly point: string | undefined
  readonly side: Side
  readonly named: boolean
  readonly score: number
}

/** What `makeConnections` takes besides its options. */
export interface ConnectionSeeds {
  /** Numbers in [0, 1), seeded: choices between equals. */
  readonly random: () => number
  readonly ownId: string
  /** The operator's points: dialled first, never pruned, exempt from `maxPerGroup`. */
  readonly named: ReadonlyArray<string>
  /** Where we can be reached ourselves: never dialled. */
  readonly ownPoints?: ReadonlyArray<string>
  /** For points without a port. Without it they are malformed. */
  readonly defaultPort?: number
}

/** Chooses whom to dial, keep and drop. Pure; times in ms are arguments. */
export interface Connections {
  readonly active: number
  readonly level: "normal" | "hungry" | "critical"
  /** Adds points not known yet, bounded; malformed and own ones are ignored. Returns how many were new. */
  addPoints(points: ReadonlyArray<string>, source: PointSource, nowMillis: number): number
  /**
   * Whether this identity may connect now; if so a place is kept for it until `connected`, `attemptEnded` or the handshake's time is over.
   * Of two connections that both sides begin at once, the one that the smaller id dialled wins.
   */
  admits(
    id: string,
    remoteHost: string,
    side: Side,
    nowMillis: number
  ): undefined | "too-many" | "already-connected" | "banned"
  /** False: no place for it (the identity is connected already, banned meanwhile, or all places are taken). Close it and do not report its end. */
  connected(peer: ActivePeer, nowMillis: number): boolean
  /** A connection that `connected` took is over. Unknown numbers are ignored. */
  ended(peer: number, ending: Ending, nowMillis: number): void
  /** A dial (`point` as in the wish) or an incoming handshake (`point` undefined) came to nothing; `id` as far as it was told. */
  attemptEnded(point: string | undefined, id: string | undefined, ending: Ending, nowMillis: number): void
  setScore(peer: number, score: number): void
  /** What to do now; every wish counts as under way. */
  wishes(nowMillis: number): ReadonlyArray<ConnectionWish>
  /** Earliest time at which `wishes` may have more; Infinity. */
  wakeAt(nowMillis: number): number
  /** Peers whose support counts: at most `maxPerGroup` a group, never more incoming than outgoing ones; longest connected first. */
  counted(): ReadonlyArray<number>
  /** Whether the peer at this point (or with this id) is one of the operator's. */
  isNamed(pointOrId: string): boolean
  /**
   * Points fit to be told to others, best first: such as we were connected with. `audience`: the asker's point or host. Private and loopback
   * points are told only to such an audience; without one, only while no peer of ours is public.
   */
  pointsToTell(limit: number, nowMillis: number, audience?: string): ReadonlyArray<string>
  /** Bans until `unban`. False: neither a point nor an id, banned already, or no more room for bans. Closing its connection is up to the caller. */
  ban(pointOrId: string, reason: string, nowMillis: number): boolean
  /** Lifts a ban, a greylisting and the counter. False: there was none. */
  unban(pointOrId: string, nowMillis: number): boolean
  known(nowMillis: number): ReadonlyArray<KnownPoint>
  /** For the known peers' document; `restore` takes it back and ignores what it cannot read (and says how much). */
  save(): string
  restore(text: string, nowMillis: number): { readonly restored: number; readonly problem: string | undefined }
}
