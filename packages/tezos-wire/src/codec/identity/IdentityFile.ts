/**
 * Identity files: the JSON in which nodes of this network keep their identity.
 * `{"peer_id": "id…", "public_key": 64 hex, "secret_key": 64 hex, "proof_of_work_stamp": 48 hex}`.
 */
import { hex } from "@scure/base"
import type { Boxes, Digests } from "../../contract/Crypto.ts"
import { type Identity, identityBytes } from "../../contract/Identity.ts"
import { SessionLimits } from "../../contract/SessionLimits.ts"
import { formatPeerId, parsePeerId, peerIdOf } from "./PeerId.ts"

/** Everything that is wrong with a text, one sentence each. Never quotes the secret key. */
export interface IdentityProblems {
  readonly problems: ReadonlyArray<string>
}

const hexKeys = {
  public_key: identityBytes.publicKey,
  secret_key: identityBytes.secretKey,
  proof_of_work_stamp: identityBytes.proofOfWorkStamp
} as const

const parseObject = (text: string): Record<string, unknown> | string => {
  if (text.length > SessionLimits.maxIdentityFileBytes) {
    return `longer than the ${SessionLimits.maxIdentityFileBytes} characters that an identity file may have`
  }
  try {
    const parsed: unknown = JSON.parse(text)
    return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)
      ? parsed as Record<string, unknown>
      : "not a JSON object"
  } catch {
    return "not JSON"
  }
}

const equal = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i])

const isHex = (value: unknown, bytes: number): value is string =>
  typeof value === "string" && value.length === bytes * 2 && /^[0-9a-fA-F]*$/.test(value)

/**
 * Reads an identity file. `peer_id` may be missing (it follows from the key); what is there must agree: the public key with the
 * secret one, the peer id with the public key. The proof of work is not judged: what suffices is the network's choice.
 */
export const parseIdentity = (crypto: Digests & Boxes, text: string): Identity | IdentityProblems => {
  const file = parseObject(text)
  if (typeof file === "string") return { problems: [file] }
  const problems: Array<string> = []
  const bytesOf = (key: keyof typeof hexKeys): Uint8Array => {
    const value = Object.hasOwn(file, key) ? file[key] : undefined
    if (isHex(value, hexKeys[key])) return hex.decode(value)
    problems.push(`${key}: ${value === undefined ? "missing" : "wrong"}; it takes ${hexKeys[key] * 2} hex digits`)
    return new Uint8Array(0)
  }
  const publicKey = bytesOf("public_key")
  const secretKey = bytesOf("secret_key")
  const proofOfWorkStamp = bytesOf("proof_of_work_stamp")
  const whole = publicKey.length > 0 && secretKey.length > 0
  if (whole && !equal(crypto.keyPair(secretKey).publicKey, publicKey)) {
    problems.push("public_key: it does not belong to secret_key")
  }
  if (Object.hasOwn(file, "peer_id")) {
    const named = typeof file["peer_id"] === "string" ? parsePeerId(file["peer_id"]) : undefined
    if (!(named instanceof Uint8Array)) problems.push(`peer_id: ${named?.message ?? "it takes a text"}`)
    else if (publicKey.length > 0 && !equal(named, peerIdOf(crypto, publicKey))) {
      problems.push("peer_id: it does not belong to public_key")
    }
  }
  if (problems.length > 0) return { problems }
  return { peerId: peerIdOf(crypto, publicKey), publicKey, secretKey, proofOfWorkStamp }
}

/** The text of an identity file, as nodes write it. */
export const encodeIdentity = (identity: Identity): string =>
  JSON.stringify(
    {
      peer_id: formatPeerId(identity.peerId),
      public_key: hex.encode(identity.publicKey),
      secret_key: hex.encode(identity.secretKey),
      proof_of_work_stamp: hex.encode(identity.proofOfWorkStamp)
    },
    undefined,
    2
  ) + "\n"
