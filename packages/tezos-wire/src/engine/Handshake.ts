/**
 * The handshake of one connection as a plain state machine: bytes in, bytes to send out, one outcome.
 *
 *     connection message ⇄ connection message │ metadata ⇄ metadata │ Ack or Nack ⇄ Ack or Nack
 *            plaintext, checked in order:     │     one encrypted chunk each way
 *            form, proof of work, key         │  then: self? chain, versions, `accept`
 */
import { hex } from "@scure/base"
import { type Ack, decodeAck, encodeAck, formatNackMotive, NackMotive } from "../codec/handshake/Ack.ts"
import {
  type ConnectionMessage,
  connectionMessageBytes,
  connectionMessageSize,
  connectionPrefixBytes,
  decodeConnectionMessage,
  encodeConnectionMessage
} from "../codec/handshake/ConnectionMessage.ts"
import { decodeMetadata, encodeMetadata, type Metadata } from "../codec/handshake/Metadata.ts"
import { peerIdOf } from "../codec/identity/PeerId.ts"
import { checkProofOfWork } from "../codec/identity/ProofOfWork.ts"
import type { CryptoFunctions } from "../contract/Crypto.ts"
import type { Identity } from "../contract/Identity.ts"
import { Limits } from "../contract/Limits.ts"
import { Malformed } from "../contract/Malformed.ts"
import type { Refusal, RemotePeer, Side, SupportedVersions } from "../contract/Session.ts"
import { SessionLimits } from "../contract/SessionLimits.ts"
import { ChunkStream } from "./ChunkStream.ts"
import { ChunkWriter } from "./ChunkWriter.ts"
import { sessionNonces } from "./Nonce.ts"
import { chooseVersion, greatestVersion } from "./VersionChoice.ts"

/** What a handshake needs: identity, versions, demands on the peer. */
export interface HandshakeSetup {
  readonly crypto: CryptoFunctions
  readonly identity: Identity
  readonly side: Side
  readonly chainName: string
  readonly versions: SupportedVersions
  /** Where this node listens; 0: nowhere. */
  readonly port: number
  readonly metadata: Metadata
  /** 24 fresh random bytes: never the same for two connections. */
  readonly messageNonce: Uint8Array
  /** What the peer has to prove: `proofOfWorkTarget(difficulty)`. */
  readonly powTarget: Uint8Array
  /** Bans, limits, one connection a peer: undefined accepts. Called at most once, after everything else was found right. */
  readonly accept: (remote: RemotePeer) => Refusal | undefined
}

/** Why a handshake failed without a refusal. */
export type FailureReason = "malformed" | "proof-of-work" | "public-key" | "self"

/** How a handshake ended: established, refused by either side, or failed. */
export type HandshakeOutcome =
  | {
    readonly kind: "established"
    readonly remote: RemotePeer
    readonly chunks: ChunkStream
    readonly writer: ChunkWriter
  }
  /** The peer does not want us. */
  | {
    readonly kind: "nacked"
    readonly motive: number | undefined
    readonly points: ReadonlyArray<string>
    readonly message: string
  }
  /** We do not want the peer; our Nack has been handed to `send`. */
  | { readonly kind: "refused"; readonly motive: number; readonly message: string }
  | { readonly kind: "failed"; readonly reason: FailureReason; readonly message: string; readonly proof: string }

type Phase = "connection" | "metadata" | "ack" | "over"

const withoutPoints = (motive: number): { readonly refusal: Refusal } => ({ refusal: { motive, points: [] } })

/** One handshake: feed it bytes, it sends bytes and sets `outcome` once. */
export class Handshake {
  /** Our connection message as sent, with its prefix. */
  readonly sent: Uint8Array
  outcome: HandshakeOutcome | undefined
  private readonly setup: HandshakeSetup
  private readonly send: (bytes: Uint8Array) => void
  private phase: Phase = "connection"
  private readonly buffer = new Uint8Array(connectionPrefixBytes + connectionMessageBytes.maximum)
  private filled = 0
  private theirs: ConnectionMessage | undefined
  private remote: RemotePeer | undefined
  private chunks: ChunkStream | undefined
  private writer: ChunkWriter | undefined

  constructor(setup: HandshakeSetup, send: (bytes: Uint8Array) => void) {
    this.setup = setup
    this.send = send
    this.sent = encodeConnectionMessage({
      port: setup.port,
      publicKey: setup.identity.publicKey,
      proofOfWorkStamp: setup.identity.proofOfWorkStamp,
      messageNonce: setup.messageNonce,
      chainName: setup.chainName,
      distributedDbVersion: greatestVersion(setup.versions.distributedDb),
      p2pVersion: greatestVersion(setup.versions.p2p)
    })
  }

  /** The peer's connection message with its prefix, as far as it has come. */
  get received(): Uint8Array {
    return this.buffer.subarray(0, this.filled)
  }

  /** Sends our connection message; neither side waits for the other's. */
  start(): void {
    this.send(this.sent)
  }

  /** Takes bytes from `at` on until they end or there is an outcome; returns the position after the last one taken. */
  push(bytes: Uint8Array, at: number): number {
    let next = at
    while (next < bytes.length && this.outcome === undefined) {
      next = this.chunks === undefined ? this.takePlain(bytes, next) : this.takeChunk(this.chunks, bytes, next)
    }
    return next
  }

  private fail(reason: FailureReason, message: string, proof: Uint8Array): void {
    this.phase = "over"
    this.outcome = { kind: "failed", reason, message, proof: hex.encode(proof) }
  }

  private takePlain(bytes: Uint8Array, at: number): number {
    let next = at
    while (this.filled < connectionPrefixBytes && next < bytes.length) this.buffer[this.filled++] = bytes[next++]!
    if (this.filled < connectionPrefixBytes) return next
    const size = connectionMessageSize(this.received)
    if (size instanceof Malformed) {
      this.fail("malformed", `${size.what}: ${size.message}`, this.received)
      return next
    }
    const end = Math.min(bytes.length, next + connectionPrefixBytes + size - this.filled)
    this.buffer.set(bytes.subarray(next, end), this.filled)
    this.filled += end - next
    if (this.filled === connectionPrefixBytes + size) this.connected()
    return end
  }

  /** Their connection message is whole. */
  private connected(): void {
    const { crypto, identity, metadata, powTarget, side } = this.setup
    const theirs = decodeConnectionMessage(this.received)
    if (theirs instanceof Malformed) {
      this.fail("malformed", `${theirs.what}: byte ${theirs.offset}: ${theirs.message}`, this.received)
      return
    }
    if (!checkProofOfWork(crypto, theirs.publicKey, theirs.proofOfWorkStamp, powTarget)) {
      this.fail("proof-of-work", "its identity does not prove the work that this network asks for", this.received)
      return
    }
    const key = crypto.sharedKey(theirs.publicKey, identity.secretKey)
    if (key === undefined) {
      this.fail("public-key", "its public key is of low order: no secret can be shared with it", theirs.publicKey)
      return
    }
    this.theirs = theirs
    const initiates = side === "initiator"
    const nonces = initiates
      ? sessionNonces(crypto, this.sent, this.received)
      : sessionNonces(crypto, this.received, this.sent)
    const [outbound, inbound] = initiates
      ? [nonces.initiatorSends, nonces.responderSends]
      : [nonces.responderSends, nonces.initiatorSends]
    this.chunks = new ChunkStream(crypto, key, inbound, this.filled)
    this.writer = new ChunkWriter(crypto, key, outbound)
    this.phase = "metadata"
    this.send(this.writer.sealChunk(encodeMetadata(metadata)))
  }

  private takeChunk(chunks: ChunkStream, bytes: Uint8Array, at: number): number {
    const next = chunks.take(bytes, at)
    if (chunks.fault !== undefined) this.fail("malformed", chunks.fault.message, new Uint8Array(0))
    else if (chunks.plaintext !== undefined) {
      const plaintext = chunks.plaintext
      chunks.plaintext = undefined
      if (this.phase === "metadata") this.takeMetadata(plaintext)
      else this.takeAck(plaintext)
    }
    return next
  }

  private takeMetadata(plaintext: Uint8Array): void {
    const { accept, crypto, identity } = this.setup
    const metadata = decodeMetadata(plaintext)
    if (metadata instanceof Malformed) {
      this.fail("malformed", `metadata: ${metadata.message}`, plaintext.subarray(0, 64))
      return
    }
    const theirs = this.theirs!
    const peerId = peerIdOf(crypto, theirs.publicKey)
    if (peerId.every((byte, i) => byte === identity.peerId[i])) {
      this.fail("self", "the peer has our own identity: this is a connection of the node to itself", peerId)
      return
    }
    const agreed = this.agree(theirs, peerId, metadata)
    if ("refusal" in agreed) {
      this.refuse(agreed.refusal)
      return
    }
    const refusal = accept(agreed.remote)
    if (refusal !== undefined) {
      this.refuse(refusal)
      return
    }
    this.remote = agreed.remote
    this.phase = "ack"
    this.send(this.writer!.sealChunk(encodeAck({ kind: "ack" })))
  }

  /** Chain and versions: the peer as agreed upon, or why not. */
  private agree(
    theirs: ConnectionMessage,
    peerId: Uint8Array,
    metadata: Metadata
  ): { readonly remote: RemotePeer } | { readonly refusal: Refusal } {
    const { chainName, versions } = this.setup
    if (theirs.chainName !== chainName) return withoutPoints(NackMotive.unknownChainName)
    const p2p = chooseVersion(versions.p2p, theirs.p2pVersion)
    if (p2p === undefined) return withoutPoints(NackMotive.deprecatedP2pVersion)
    const distributedDb = chooseVersion(versions.distributedDb, theirs.distributedDbVersion)
    if (distributedDb === undefined) return withoutPoints(NackMotive.deprecatedDistributedDbVersion)
    return {
      remote: {
        peerId,
        publicKey: theirs.publicKey,
        port: theirs.port,
        chainName: theirs.chainName,
        announced: { distributedDb: theirs.distributedDbVersion, p2p: theirs.p2pVersion },
        effective: { distributedDb, p2p },
        ...metadata
      }
    }
  }

  /** The list form only to who announced that it can read it. */
  private refuse({ motive, points }: Refusal): void {
    const listed = points.filter((point) => point.length <= Limits.maxPointBytes).slice(0, SessionLimits.sentNackPoints)
    const nack: Ack = this.theirs!.p2pVersion >= 1
      ? { kind: "nack", motive, points: listed }
      : { kind: "nack", motive: undefined, points: [] }
    this.phase = "over"
    this.send(this.writer!.sealChunk(encodeAck(nack)))
    const chain = motive === NackMotive.unknownChainName
      ? `: it is on ${JSON.stringify(this.theirs!.chainName)}, we are on ${JSON.stringify(this.setup.chainName)}`
      : ""
    this.outcome = { kind: "refused", motive, message: `we refused it: ${formatNackMotive(motive)}${chain}` }
  }

  private takeAck(plaintext: Uint8Array): void {
    const ack = decodeAck(plaintext)
    if (ack instanceof Malformed) {
      this.fail("malformed", `ack: byte ${ack.offset}: ${ack.message}`, plaintext.subarray(0, 64))
      return
    }
    this.phase = "over"
    this.outcome = ack.kind === "ack"
      ? { kind: "established", remote: this.remote!, chunks: this.chunks!, writer: this.writer! }
      : { ...ack, kind: "nacked", message: `it refused us: ${formatNackMotive(ack.motive)}` }
  }
}
