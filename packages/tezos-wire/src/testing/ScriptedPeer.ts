/**
 * A peer of the network to test clients against: serves a chain held in memory over any transport with the real handshake, misbehaves as told, can
 * change while it runs, records what it is asked and audits it by the rules of real nodes.
 */
import {
  type Address,
  type Connection,
  type DialError,
  formatAddress,
  type ListenError,
  Transport
} from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberSet from "effect/FiberSet"
import * as Scope from "effect/Scope"
import { formatPeerId, peerIdOf } from "../codec/identity/PeerId.ts"
import type { CryptoFunctions } from "../contract/Crypto.ts"
import type { Identity } from "../contract/Identity.ts"
import type { PeerMessage } from "../contract/Messages.ts"
import type { HandshakeError, Session, SupportedVersions } from "../contract/Session.ts"
import { type PeerBehaviours, peerBehavioursOf } from "./PeerBehaviours.ts"
import { type PeerConnection, type PeerContext, servePeer } from "./PeerConnection.ts"
import { PeerRecord, type PeerStats } from "./PeerRecord.ts"
import { PeerReplies } from "./PeerReplies.ts"
import { PeerView } from "./PeerView.ts"
import { SeededBytes } from "./SeededBytes.ts"
import type { TestBlock, TestChain } from "./TestChain.ts"

/** Chain, identity, address and first behaviours of a scripted peer. */
export interface ScriptedPeerOptions {
  readonly crypto: CryptoFunctions
  readonly chain: TestChain
  /** Default: from `seed`. It proves no work: use difficulty 0. */
  readonly identity?: Identity
  /** Of the identity. Default `peer`. */
  readonly seed?: string
  /** A branch (its last block), a block, or `genesis`: an empty node. Default: the main branch. */
  readonly head?: string | TestBlock
  /** Default 127.0.0.1, a port of the transport's choice. */
  readonly address?: Address
  /** As `rolling:40+slow:50`. Default: an honest archive. */
  readonly behaviours?: string
  readonly versions?: SupportedVersions
  readonly powDifficulty?: number
  /** What it advertises, also in a Nack. */
  readonly points?: ReadonlyArray<string>
  /** Whether it asks each peer for its branch at once, as nodes do. Default true. */
  readonly asks?: boolean
  /** Everything that comes and goes, as it does. */
  readonly observe?: (connection: number, message: PeerMessage, direction: "in" | "out") => void
}

/** A scripted peer that runs: where it listens, what it saw, and how to change it. */
export interface ScriptedPeer {
  readonly address: Address
  /** `host:port`, as points are written. */
  readonly point: string
  readonly identity: Identity
  /** `id…` */
  readonly peerIdText: string
  readonly stats: () => PeerStats
  readonly behaviours: () => PeerBehaviours
  /** Takes effect at the next message; the empty text is an honest archive. */
  readonly setBehaviours: (text: string) => void
  /** Makes another block its head, without telling anyone: `announce` does. What it knew stays known. */
  readonly setHead: (head: string | TestBlock) => void
  /** Tells all peers that asked for its branch: a CurrentHead, or a whole CurrentBranch as after a change of branch. */
  readonly announce: (kind?: "head" | "branch") => void
  readonly setPoints: (points: ReadonlyArray<string>) => void
  /** Sends frames (tag and body) as they are to all peers. */
  readonly sendFrames: (bodies: ReadonlyArray<Uint8Array>) => void
  /** Ends all connections; new ones are accepted. */
  readonly dropConnections: () => void
  /** Stops listening and ends all connections; also when the scope ends. */
  readonly leave: Effect.Effect<void>
  /** Listens again, on the same address. */
  readonly comeBack: Effect.Effect<void, ListenError>
  /** Connects to a node, as peers do, and serves it on that connection until the scope ends. */
  readonly dial: (address: Address) => Effect.Effect<Session, DialError | HandshakeError, Scope.Scope>
}

/** An identity that is the same for the same seed. It proves no work. */
export const identityFromSeed = (crypto: CryptoFunctions, seed: string): Identity => {
  const random = new SeededBytes(`identity/${seed}`)
  const { publicKey, secretKey } = crypto.keyPair(random.bytes(32))
  return { peerId: peerIdOf(crypto, publicKey), publicKey, secretKey, proofOfWorkStamp: random.bytes(24) }
}

const headOf = (chain: TestChain, head: string | TestBlock | undefined): TestBlock | undefined =>
  head === "genesis" ? undefined : typeof head === "object" ? head : chain.head(head)

/** What a peer keeps whatever happens to its listener: its view of the chain, its record, its open connections. */
class PeerCore {
  readonly identity: Identity
  readonly record = new PeerRecord()
  readonly open = new Set<PeerConnection>()
  readonly view: PeerView
  readonly context: PeerContext
  behaviours: PeerBehaviours
  points: ReadonlyArray<string>
  private readonly chain: TestChain

  constructor(options: ScriptedPeerOptions, port: () => number) {
    const { chain, crypto } = options
    this.chain = chain
    this.identity = options.identity ?? identityFromSeed(crypto, options.seed ?? "peer")
    this.behaviours = peerBehavioursOf(options.behaviours ?? "")
    this.points = options.points ?? []
    const behaviours = () => this.behaviours
    this.view = new PeerView(crypto, chain, headOf(chain, options.head), behaviours)
    const identity = this.identity
    this.context = {
      options: {
        crypto,
        identity,
        chainName: chain.chainName,
        powDifficulty: options.powDifficulty ?? 0,
        get port() {
          return port()
        },
        ...(options.versions === undefined ? {} : { versions: options.versions })
      },
      view: this.view,
      replies: new PeerReplies(crypto, this.view, behaviours, () => this.points),
      record: this.record,
      behaviours,
      asks: options.asks ?? true,
      points: () => this.points,
      observe: options.observe
    }
  }

  readonly opened = (peer: PeerConnection): () => void => {
    this.open.add(peer)
    this.record.openConnections++
    return () => {
      if (this.open.delete(peer)) this.record.openConnections--
    }
  }

  setHead(head: string | TestBlock): void {
    const block = headOf(this.chain, head)
    if (block !== undefined) this.view.setHead(block)
  }

  serve(connection: Connection, side: "initiator" | "responder"): Effect.Effect<Session, HandshakeError, Scope.Scope> {
    return Effect.suspend(() => servePeer(connection, side, ++this.record.connections, this.context, this.opened)).pipe(
      Effect.tapError(() => Effect.sync(() => void this.record.failedHandshakes++))
    )
  }

  dropConnections(): void {
    for (const peer of this.open) peer.close("dropped by the script")
  }
}

/** Starts a peer that lives until the scope ends. Needs a `Transport`; uses Effect's clock for `slow`, `flap` and the audit of spacings. */
export const startScriptedPeer = Effect.fnUntraced(
  function*(options: ScriptedPeerOptions): Effect.fn.Return<ScriptedPeer, ListenError, Transport | Scope.Scope> {
    const transport = yield* Transport
    const outer = yield* Effect.scope
    const run = yield* FiberSet.makeRuntime()
    let bound: Address = options.address ?? { host: "127.0.0.1", port: 0 }
    let listening: Scope.Closeable | undefined
    const core = new PeerCore(options, () => bound.port)
    const accepted = (connection: Connection): Effect.Effect<void> =>
      core.serve(connection, "responder").pipe(
        Effect.flatMap((session) => session.closed),
        Effect.ignore,
        Effect.scoped
      )
    const comeBack = Effect.gen(function*() {
      if (listening !== undefined) return
      const scope = yield* Scope.fork(outer)
      listening = scope
      bound = (yield* Scope.provide(transport.listen(bound, accepted), scope)).address
    })
    const leave = Effect.suspend(() => {
      const scope = listening
      listening = undefined
      core.dropConnections()
      return scope === undefined ? Effect.void : Scope.close(scope, Exit.void)
    })
    yield* comeBack
    const flap = Effect.suspend(() => {
      const times = core.behaviours.get("flap")
      return times === undefined
        ? Effect.void
        : Effect.forever(
          Effect.sleep(times.up).pipe(
            Effect.andThen(leave),
            Effect.andThen(Effect.sleep(times.down)),
            Effect.andThen(Effect.ignore(comeBack))
          )
        )
    })
    run(flap)
    return {
      address: bound,
      point: formatAddress(bound),
      identity: core.identity,
      peerIdText: formatPeerId(core.identity.peerId),
      stats: () => core.record.stats(),
      behaviours: () => core.behaviours,
      setBehaviours: (text) => {
        core.behaviours = peerBehavioursOf(text)
      },
      setHead: (head) => core.setHead(head),
      announce: (kind = "head") => {
        for (const peer of core.open) peer.announce(kind)
      },
      setPoints: (points) => {
        core.points = points
      },
      sendFrames: (bodies) => {
        for (const peer of core.open) peer.sendFrames(bodies)
      },
      dropConnections: () => core.dropConnections(),
      leave,
      comeBack,
      dial: (address) => Effect.flatMap(transport.dial(address), (connection) => core.serve(connection, "initiator"))
    }
  }
)
