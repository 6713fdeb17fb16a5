/** What a declared error or an error frame means to a caller (specs: peer streaming 1.8, 2.1, 5.1; K4, K5). */
import { ErrorCode, type ErrorPayload } from "../codec/ErrorFrame.ts"
import { ErrorFlag, ErrorType, type RemoteError } from "../codec/RemoteError.ts"
import type { CallErrorReason } from "../contract/NodeClient.ts"

/** Two texts for one cause: metadata and blocks calls word it differently (K4). */
const unknownNamespace = /^(?:unknown namespace: |unable to find specified namespace: )/
const overloaded = /server is overloaded|rate limit|resource exhausted/i
const notOwned = /not responsible for shard/
const notBootstrapped = /not yet bootstrapped|not bootstrapped|database is not yet initialized/

const classifyText = (type: number, message: string): CallErrorReason => {
  if (type === ErrorType.badRequest) return unknownNamespace.test(message) ? "unknown-namespace" : "bad-request"
  if (overloaded.test(message)) return "overloaded"
  if (notOwned.test(message)) return "not-owned"
  return notBootstrapped.test(message) ? "not-bootstrapped" : "internal"
}

/** By flags, then type; the text decides only within a type. */
export const classifyRemoteError = (error: RemoteError): CallErrorReason =>
  (error.flags & ErrorFlag.resourceExhausted) !== 0 ? "overloaded" : classifyText(error.type, error.message)

/** Go's rendering of an `Error` struct inside an unexpected-error frame (K17). */
const renderedError = /Error\(\{Type:(BAD_REQUEST|INTERNAL_ERROR) Message:(.*) Flags:(\d+)\}\)/s

/** By code; an unexpected error whose text renders an `Error` struct counts as that struct. */
export const classifyErrorFrame = (error: ErrorPayload): CallErrorReason => {
  const { code, message } = error
  switch (code) {
    case ErrorCode.busy:
    case ErrorCode.declined:
      return "overloaded"
    case ErrorCode.badRequest:
      return /unknown namespace|unable to find specified namespace/.test(message) ? "unknown-namespace" : "bad-request"
    case ErrorCode.fatal:
      return "protocol"
    default: {
      const rendered = renderedError.exec(message)
      if (rendered === null) return classifyText(ErrorType.internalError, message)
      const exhausted = (Number(rendered[3]) & ErrorFlag.resourceExhausted) !== 0
      const type = rendered[1] === "BAD_REQUEST" ? ErrorType.badRequest : ErrorType.internalError
      return exhausted ? "overloaded" : classifyText(type, rendered[2]!)
    }
  }
}

const codeNames = new Map<number, string>(Object.entries(ErrorCode).map(([name, code]) => [code, name]))

/** The peer's words with the name of the frame's code. */
export const describeErrorFrame = (error: ErrorPayload): string =>
  `error frame ${codeNames.get(error.code) ?? error.code}: ${error.message}`
