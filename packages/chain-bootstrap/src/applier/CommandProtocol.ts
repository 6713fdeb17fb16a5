/**
 * The lines that go between the bootstrapper and an applier's process, one JSON value each. See `docs/command-applier.md`. Ids are lower-case hex.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Block, BlockId, BlockRef } from "../contract/Block.ts"

export const commandProtocol = "peerstrap-applier/1"

const Level = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
const Place = Schema.Struct({ level: Level, hash: Schema.String })

const Hello = Schema.Struct({
  protocol: Schema.Literal(commandProtocol),
  name: Schema.optionalKey(Schema.String),
  head: Schema.optionalKey(Place),
  branches: Schema.optionalKey(Schema.Literals(["one", "many"])),
  bodies: Schema.optionalKey(Schema.Boolean)
})
export type Hello = typeof Hello.Type

const Answer = Schema.Union([
  Schema.Struct({ ok: Schema.String }),
  Schema.Struct({ invalid: Schema.String, reason: Schema.optionalKey(Schema.String) }),
  Schema.Struct({ retry: Schema.String, reason: Schema.optionalKey(Schema.String) })
])

/** What a child says about the block that it was asked about. */
export interface CommandAnswer {
  readonly kind: "ok" | "invalid" | "retry"
  readonly hash: BlockId
  readonly reason: string
}

const decodeHello = Schema.decodeUnknownOption(Schema.fromJsonString(Hello))
const decodeAnswer = Schema.decodeUnknownOption(Schema.fromJsonString(Answer))

export const parseHello = (line: string): Hello | undefined => Option.getOrUndefined(decodeHello(line))

export const parseAnswer = (line: string): CommandAnswer | undefined => {
  const answer = Option.getOrUndefined(decodeAnswer(line))
  if (answer === undefined) return undefined
  if ("ok" in answer) return { kind: "ok", hash: answer.ok, reason: "" }
  return "invalid" in answer
    ? { kind: "invalid", hash: answer.invalid, reason: answer.reason ?? "no reason given" }
    : { kind: "retry", hash: answer.retry, reason: answer.reason ?? "no reason given" }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex")
const place = ({ id, level }: BlockRef): { readonly level: number; readonly hash: string } => ({ level, hash: id })

/** `operations`: the units in order as hex; left out for a child that wants none. */
export const applyLine = ({ header, units }: Block, withBodies: boolean): string =>
  JSON.stringify({
    apply: {
      ...place(header),
      header: hex(header.bytes),
      ...(withBodies ? { operations: units.map(hex) } : {})
    }
  })

export const rollbackLine = (to: BlockRef): string => JSON.stringify({ rollback: place(to) })
export const moveHeadLine = (to: BlockRef): string => JSON.stringify({ moveHead: place(to) })
export const forgetLine = (hash: BlockId): string => JSON.stringify({ forget: { hash } })

/** Cuts a stream of bytes into lines of bounded length. */
export class LineReader {
  private readonly held: Uint8Array
  private length = 0

  constructor(maxBytes: number) {
    this.held = new Uint8Array(maxBytes)
  }

  /** Calls back for each complete line, without its end; false when a line is longer than the bound. */
  push(chunk: Uint8Array, line: (text: string) => void): boolean {
    let from = 0
    while (from < chunk.length) {
      const end = chunk.indexOf(10, from)
      const piece = chunk.subarray(from, end < 0 ? chunk.length : end)
      if (this.length + piece.length > this.held.length) return false
      this.held.set(piece, this.length)
      this.length += piece.length
      if (end < 0) return true
      line(this.rest())
      from = end + 1
    }
    return true
  }

  /** What came after the last line end, and forgets it. */
  rest(): string {
    const text = new TextDecoder().decode(this.held.subarray(0, this.length))
    this.length = 0
    return text.endsWith("\r") ? text.slice(0, -1) : text
  }
}
