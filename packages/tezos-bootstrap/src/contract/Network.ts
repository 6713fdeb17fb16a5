/** A network as its facts: what tells it from others, where it begins, how hard identities are, whom to dial first. */
import type { BlockId } from "@peerstrap/chain-bootstrap"
import * as Context from "effect/Context"
import * as Schema from "effect/Schema"

/** What a private network of changed nodes may bound differently. */
export interface NetworkLimits {
  /** Default `TezosLimits.clockDriftSeconds`. */
  readonly clockDriftSeconds: number
  /** Largest header; default (and most) 8 MiB. */
  readonly maxHeaderBytes: number
  /** Items of one request; default (and most) 10. */
  readonly itemsPerRequest: number
}

/** The facts of one network. */
export interface Network {
  /** The name of a preset, or the path of a file. */
  readonly name: string
  /** Goes into the handshake; must be equal on both sides, e.g. `TEZOS_MAINNET`. */
  readonly chainName: string
  /** Text of the chain id, `Net…`. */
  readonly chainId: string
  /** Its 4 bytes. */
  readonly chainIdBytes: Uint8Array
  readonly genesis: {
    /** A constant, not the hash of a header. */
    readonly id: BlockId
    readonly timeSeconds: number | undefined
    /** The header that an empty node sends as its head: 114 bytes. Without it no branch is answered before the first block. */
    readonly header: Uint8Array | undefined
  }
  /** Difficulty that an identity must prove: 26 on public networks. */
  readonly proofOfWork: number
  /** `host`, `host:port`, `[v6]:port`: see `resolvePeers`. */
  readonly peers: ReadonlyArray<string>
  /** Lists of operations of a block above level 1. */
  readonly validationPasses: number
  readonly blocksPerCycle: number
  readonly blockTimeSeconds: number
  /** Blocks below which the chain of an honest peer does not change any more (Tenderbake: 2). */
  readonly finality: number
  readonly limits: NetworkLimits
}

/** The network of a run, for those who need more of it than `ChainProtocol` says. */
export class TezosNetwork extends Context.Service<TezosNetwork, Network>()("@peerstrap/tezos-bootstrap/TezosNetwork") {}

/** A network file as JSON has it. */
export interface NetworkFile {
  readonly chainName: string
  /** `Net…` or 8 hex digits. Must follow from the genesis hash. */
  readonly chainId: string
  /** The hash (`B…`), or with the time (ISO 8601 in UTC, or seconds since 1970) and the header. */
  readonly genesis: string | {
    readonly hash: string
    readonly time?: string | number
    readonly headerHex?: string
  }
  readonly proofOfWork: number
  readonly peers: ReadonlyArray<string>
  readonly validationPasses?: number
  readonly blocksPerCycle?: number
  readonly blockTimeSeconds?: number
  readonly finality?: number
  readonly limits?: Partial<NetworkLimits>
}

/** A network that cannot be used, with all its problems at once. Always a matter of the configuration. */
export class NetworkUnusable extends Schema.TaggedError<NetworkUnusable>()("NetworkUnusable", {
  source: Schema.String,
  /** One sentence each, the path of the key first. */
  problems: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `${this.source}: ${this.problems.join("; ")}`
  }
}
