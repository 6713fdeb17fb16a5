/**
 * What synthetic nodes say to each other, byte for byte: a u32 big-endian length and that many bytes of JSON; byte strings are hexadecimal in it. Two
 * hellos, two verdicts, then messages; a farewell ends it in order.
 */
import type { HeaderFacts } from "../contract/Block.ts"
import type { ChainRules } from "../contract/ChainRules.ts"
import type { BranchEntry, Incoming, LocatorSource, Outgoing, Request } from "../contract/PeerMessage.ts"

/** Bytes of one message at the most; a larger length ends the session as malformed. */
export const syntheticFrameBytes = 4 * 2 ** 20

/** First words of either side. */
export interface SyntheticHello {
  readonly hello: string
  readonly chain: string
  readonly ancestors: boolean
}

/** Second words of either side: welcome, or why not. */
export type SyntheticVerdict =
  | { readonly verdict: "welcome" }
  | { readonly verdict: string; readonly points: ReadonlyArray<string> }

export const hexOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex")

export const bytesOfHex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"))

/** One message with its length. */
export const encodeFrame = (value: unknown): Uint8Array => {
  const json = new TextEncoder().encode(JSON.stringify(value))
  const frame = new Uint8Array(4 + json.length)
  new DataView(frame.buffer).setUint32(0, json.length)
  frame.set(json, 4)
  return frame
}

/** Cuts a stream into messages: `push` bytes, then `next` until it gives undefined; a text says what is wrong. */
export class SyntheticFrames {
  private bytes = new Uint8Array(0)

  push(chunk: Uint8Array): void {
    const joined = new Uint8Array(this.bytes.length + chunk.length)
    joined.set(this.bytes)
    joined.set(chunk, this.bytes.length)
    this.bytes = joined
  }

  next(): { readonly value: unknown } | string | undefined {
    if (this.bytes.length < 4) return undefined
    const length = new DataView(this.bytes.buffer, this.bytes.byteOffset).getUint32(0)
    if (length > syntheticFrameBytes) return `a message of ${length} bytes, at most ${syntheticFrameBytes}`
    if (this.bytes.length < 4 + length) return undefined
    const text = new TextDecoder().decode(this.bytes.subarray(4, 4 + length))
    this.bytes = this.bytes.slice(4 + length)
    try {
      return { value: JSON.parse(text) as unknown }
    } catch {
      return `no JSON: ${text.slice(0, 40)}`
    }
  }
}

/** Entries of a locator: the head, then ten each at distances of 1, 2, 4, …; the last, inexact one is the lowest block. */
const entriesOf = ({ head, idAt, lowestLevel }: LocatorSource): ReadonlyArray<BranchEntry> => {
  const entries: Array<BranchEntry> = [{ id: head.id, level: head.level, exact: true }]
  let step = 1
  for (let level = head.level - step, count = 1; level > lowestLevel; level -= step, count++) {
    entries.push({ id: idAt(level), level, exact: true })
    if (count % 10 === 0) step *= 2
  }
  if (head.level > lowestLevel) entries.push({ id: idAt(lowestLevel), level: lowestLevel, exact: false })
  return entries
}

/** What a message looks like in JSON. `proofOf`: the proof of any unit of a block, made of all of them. */
export const toWire = (
  message: Outgoing,
  proofOf: (units: ReadonlyArray<Uint8Array>) => Uint8Array
): Record<string, unknown> => {
  switch (message.kind) {
    case "branch":
      return { kind: "branch", head: hexOf(message.chain.head.bytes), entries: entriesOf(message.chain) }
    case "head":
    case "header":
      return { kind: message.kind, header: hexOf(message.header.bytes) }
    case "ancestor":
      return { ...message, header: hexOf(message.header.bytes) }
    case "unit":
      return {
        kind: "unit",
        block: message.block,
        unit: message.unit,
        body: hexOf(message.units[message.unit] ?? new Uint8Array(0)),
        proof: hexOf(proofOf(message.units))
      }
    case "peers":
    case "swap-ack":
      return { ...message }
    default:
      return { kind: "request", request: message }
  }
}

const requestKinds: ReadonlySet<string> = new Set<Request["kind"]>([
  "get-branch",
  "get-head",
  "get-headers",
  "get-ancestor",
  "get-units",
  "get-peers",
  "swap-request"
])

/** The message that JSON stands for, or what is wrong with it. */
export const fromWire = (rules: ChainRules, value: unknown): Incoming | string => {
  // A peer of tests writes what the types say, or something that is no message at all: the kind and the headers are looked at.
  const message = value as Record<string, never>
  const kind: unknown = typeof value === "object" && value !== null ? message["kind"] : undefined
  const facts = (hex: unknown): HeaderFacts | string =>
    typeof hex === "string" ? rules.decodeHeader(bytesOfHex(hex)) : "no header"
  switch (kind) {
    case "branch": {
      const head = facts(message["head"])
      return typeof head === "string" ? head : { kind: "branch", head, entries: message["entries"]! }
    }
    case "head":
    case "header": {
      const header = facts(message["header"])
      return typeof header === "string" ? header : { kind, header }
    }
    case "ancestor": {
      const header = facts(message["header"])
      if (typeof header === "string") return header
      return { kind: "ancestor", of: message["of"]!, offset: message["offset"]!, header }
    }
    case "unit":
      return {
        kind: "unit",
        block: message["block"]!,
        unit: message["unit"]!,
        body: bytesOfHex(message["body"]!),
        proof: bytesOfHex(message["proof"]!)
      }
    case "peers":
      return { kind: "peers", points: message["points"]! }
    case "swap-ack":
      return { kind: "swap-ack", point: message["point"]!, id: message["id"]! }
    case "request": {
      const request = message["request"] as unknown as Request
      return requestKinds.has(request.kind) ? { kind: "request", request } : `an unknown request ${request.kind}`
    }
    default:
      return `an unknown message ${JSON.stringify(value).slice(0, 60)}`
  }
}
