/** `decode`: a message, header or list of operations as JSON. */
import { command, type CommandResult, ExitCode, optional, Type, withDefault } from "@peerstrap/command-line"
import { DescribedKinds } from "@peerstrap/tezos-wire"
import * as Effect from "effect/Effect"
import { decodeBytes } from "../decode/DecodeBytes.ts"
import { type DecodeInput, readDecodeInput } from "../decode/DecodeInput.ts"
import { loadedCrypto } from "../LoadedCrypto.ts"

const flags = {
  kind: withDefault(
    Type.oneOf(["auto", ...DescribedKinds], "auto"),
    "auto",
    "frame: u32 size, tag, body. message: tag, body. header: a block header. operations: u32 length, branch, data, repeated. auto: the first of " +
      "these that fits."
  ),
  file: optional(Type.path("FILE", "header.bin"), "Reads this file instead: hex text, or the bytes themselves.")
} as const

export const decode = command({
  name: "decode",
  summary: "Show a p2p message, a block header or a list of operations as JSON",
  details: [
    "Hashes are shown as people write them and hashes of headers and operations are computed. Malformed input ends with exit code 2 and names " +
    "the byte offset."
  ],
  operands: { name: "HEX", least: 0, most: 1, help: "Hex digits, or the path of a file." },
  flags,
  examples: [
    { args: "decode 00107a06a770", says: "A message: GetCurrentBranch of mainnet's chain id" },
    { args: "decode --kind header --file header.hex --json", says: "A header from a file, as one JSON document" }
  ],
  check: (settings, operands, context, problem): DecodeInput | undefined => {
    const input = readDecodeInput(operands[0], settings.file, context.read)
    if (typeof input !== "string") return input
    problem({ where: settings.file === undefined ? "HEX" : "--file", message: input })
    return undefined
  },
  run: Effect.fnUntraced(function*({ plan, settings }) {
    const digests = yield* loadedCrypto
    const { bytes, source } = plan!
    const decoded = decodeBytes(settings.kind, bytes, digests)
    if ("value" in decoded) {
      const { kind, value } = decoded
      return {
        exitCode: ExitCode.done,
        text: `${JSON.stringify(value, undefined, 2)}\n`,
        json: { kind, bytes: bytes.length, value }
      } satisfies CommandResult as CommandResult
    }
    const { kind, message, offset } = decoded
    const result: CommandResult = {
      exitCode: ExitCode.usage,
      text: "",
      error: {
        message: `${source}: malformed at byte ${offset} of ${bytes.length}: ${message}`,
        remedy: settings.kind === "auto"
          ? "no kind fits, this one came furthest; say what it is with --kind, and give all of its bytes"
          : "give all of its bytes and nothing else, or another --kind"
      },
      json: { kind, bytes: bytes.length, offset, problem: message }
    }
    return result
  })
})
