/** What a placement or registry may arrive as: M3's protobuf or the coordinator's JSON. Tells them apart by their bytes. */
import { Limits } from "../contract/Limits.ts"
import { type TopologyError, topologyError } from "../contract/TopologyError.ts"

export type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly [key: string]: Json }

export type Document = { readonly kind: "json"; readonly value: { readonly [key: string]: Json } } | {
  readonly kind: "protobuf"
  readonly bytes: Uint8Array
  /** What is wrong with them as JSON, when they look like that, too. */
  readonly jsonError?: TopologyError
}

export const isRecord = (value: Json | undefined): value is { readonly [key: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const openBrace = 0x7b

const firstVisible = (bytes: Uint8Array): number => {
  let at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
  while (at < bytes.length && (bytes[at] === 0x20 || (bytes[at]! >= 0x09 && bytes[at]! <= 0x0d))) at++
  return at
}

/** Decides which of the two `bytes` are, and parses JSON; at most `Limits.documentBytes`. `hint` says where to get a right one. */
export const readDocument = (bytes: Uint8Array, subject: string, hint: string): Document | TopologyError => {
  if (bytes.length > Limits.documentBytes) {
    return topologyError("too-large", subject, [`${bytes.length} bytes, at most ${Limits.documentBytes} are read`])
  }
  const start = firstVisible(bytes)
  if (start === bytes.length) return topologyError("malformed", subject, [`is empty (${bytes.length} bytes); ${hint}`])
  if (bytes[start] !== openBrace) return { kind: "protobuf", bytes }
  try {
    const value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as Json
    if (isRecord(value)) return { kind: "json", value }
    return topologyError("malformed", subject, [`is JSON, but not an object; ${hint}`])
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    const jsonError = topologyError("malformed", subject, [
      `begins like JSON at byte ${start}, but cannot be parsed: ${why}; ${hint}`
    ])
    // A line feed is also the first byte of a protobuf map entry, and the entry may have the length of a brace.
    return start > 0 ? { kind: "protobuf", bytes, jsonError } : jsonError
  }
}
