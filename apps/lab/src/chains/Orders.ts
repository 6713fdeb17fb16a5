/** What the parent can have a peer process do, and what it answers; JSON, a line each. */
import type { HeadName } from "./ChainSpec.ts"
import type { PeerActivity } from "./PeerActivity.ts"

/** One peer that serves. */
export interface ServedPeer {
  readonly id: number
  /** `host:port`. */
  readonly address: string
  /** `id…` */
  readonly peerId: string
}

interface ToPeers {
  readonly peers: ReadonlyArray<number>
}

export type Order =
  /** Makes a block the head and tells all that are connected: as a new head, or with the whole branch when the branch is another. */
  | ToPeers & { readonly do: "head"; readonly head: HeadName }
  | ToPeers & { readonly do: "behave"; readonly behaviours: string }
  /** Stops listening and drops all connections. */
  | ToPeers & { readonly do: "kill" }
  /** Listens again, on the same address. */
  | ToPeers & { readonly do: "revive" }
  | ToPeers & { readonly do: "activity" }

export type OrderAnswer =
  | { readonly done: true }
  | { readonly problem: string }
  | { readonly activity: ReadonlyArray<PeerActivity> }
