/**
 * Why peers do not become peers: dials that fail, handshakes that are refused, peers that talk of another chain. None of it is an offence, so that the
 * engine keeps no record of it; but whoever waits for peers wants to know.
 */
import type { ChainProtocol, HandshakeFailed, Incoming, PeerSession, SyncSnapshot } from "@peerstrap/chain-bootstrap"
import type { Wait } from "@peerstrap/progress"
import type { DialError, Transport } from "@peerstrap/transport"
import * as Effect from "effect/Effect"

type Protocol = ChainProtocol["Service"]
type TransportService = Transport["Service"]

/** Points that are remembered; the oldest go first. */
const remembered = 400
const shown = 3

type Reason = `dial-${DialError["reason"]}` | HandshakeFailed["reason"] | "other-chain"

const remedies: Partial<Record<Reason, string>> = {
  "dial-refused": "start the peer, or correct its port in --peer",
  "dial-unreachable": "look at this machine's network, or name other peers with --peer",
  "dial-unknown-host": "correct the name in --peer, or look at this machine's name service",
  "dial-timeout": "look whether a firewall is in between, or name other peers with --peer",
  "refused":
    "it is of another network, or proves too little work: compare chainName and proofOfWork in --network with the peer's",
  "nacked":
    "if it says that it is of another network, compare chainName in --network with the peer's; a busy one takes us later",
  "malformed": "what listens there is no node of this network: correct --peer or --network",
  "self": "that address is our own: leave it out of --peer",
  "other-chain": "these peers are of another chain: correct --network (chainId and genesis) or --peer"
}

interface Trouble {
  readonly reason: Reason
  readonly message: string
  readonly atMillis: number
}

const line = (peer: string, message: string): string => message.includes(peer) ? message : `${peer}: ${message}`

export class PeerTrouble {
  private readonly byPeer = new Map<string, Trouble>()
  private readonly nowMillis: () => number

  constructor(nowMillis: () => number) {
    this.nowMillis = nowMillis
  }

  note(peer: string, reason: Reason, message: string): void {
    this.byPeer.delete(peer)
    this.byPeer.set(peer, { reason, message, atMillis: this.nowMillis() })
    const [oldest] = this.byPeer.keys()
    if (this.byPeer.size > remembered && oldest !== undefined) this.byPeer.delete(oldest)
  }

  settled(peer: string): void {
    this.byPeer.delete(peer)
  }

  /** One wait for each kind of trouble, as long as something is waited for that more or other peers would bring. */
  waits({ peers }: Pick<SyncSnapshot, "peers">, waits: ReadonlyArray<Wait>): ReadonlyArray<Wait> {
    const [first] = waits
    if (first === undefined) return []
    const active = new Set(peers.flatMap(({ id, point }) => point === undefined ? [id] : [id, point]))
    const open = [...this.byPeer].filter(([peer, { reason }]) => active.has(peer) === (reason === "other-chain"))
    return [...Map.groupBy(open, ([, { reason }]) => reason)].map(([reason, group]) => ({
      subject: first.subject,
      waitingFor: reason === "other-chain" ? "peers of this chain" : "peers that take our connection",
      cause: group.slice(0, shown).map(([peer, { message }]) => line(peer, message)).join("; ") +
        (group.length > shown ? `; and ${group.length - shown} more` : ""),
      peers: group.map(([peer]) => peer),
      remedy: remedies[reason] ?? "none needed: they are tried again",
      sinceMillis: Math.min(...group.map(([, { atMillis }]) => atMillis))
    }))
  }

  /** The same transport, whose failed dials are noted. */
  watchTransport(transport: TransportService): TransportService {
    return {
      listen: (address, onConnection) => transport.listen(address, onConnection),
      dial: (address, options) =>
        Effect.tapError(
          transport.dial(address, options),
          (error) => Effect.sync(() => this.note(error.address, `dial-${error.reason}`, error.message))
        )
    }
  }

  /** The same protocol, whose failed handshakes and foreign chains are noted. */
  watchProtocol(protocol: Protocol): Protocol {
    return {
      name: protocol.name,
      chainId: protocol.chainId,
      ownId: protocol.ownId,
      rules: protocol.rules,
      open: (connection, options) =>
        protocol.open(connection, options).pipe(
          Effect.tapError((error) =>
            Effect.sync(() => {
              if (options.dialled !== undefined) this.note(options.dialled, error.reason, error.message)
            })
          ),
          Effect.map((session) => {
            if (options.dialled !== undefined) this.settled(options.dialled)
            return this.watchSession(session)
          })
        )
    }
  }

  private watchSession(session: PeerSession): PeerSession {
    const look = (message: Incoming): void => {
      if (message.kind === "other-chain") this.note(session.id, "other-chain", "its messages are of another chain id")
      else if (message.kind === "branch") this.settled(session.id)
    }
    return {
      id: session.id,
      point: session.point,
      ancestors: session.ancestors,
      closed: session.closed,
      send: (messages) => session.send(messages),
      resume: () => session.resume(),
      close: (reason) => session.close(reason),
      receive: (consumer) =>
        session.receive((message) => {
          look(message)
          return consumer(message)
        })
    }
  }
}
