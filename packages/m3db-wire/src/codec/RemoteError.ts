/** M3DB's `Error` struct, the only exception of the calls that we make (specs: peer streaming 2.1). */
import { decodeText } from "./ErrorFrame.ts"
import { type ThriftCursor, ThriftType, type ThriftWriter } from "./Thrift.ts"

/** The types of M3DB's `Error` struct by name. */
export const ErrorType = { internalError: 0, badRequest: 1 } as const

/** Bits of `RemoteError.flags`. */
export const ErrorFlag = { resourceExhausted: 1, serverTimeout: 2 } as const

/** An error that the peer declared: a value of an answer, not a defect of it. */
export class RemoteError {
  readonly _tag = "RemoteError"
  /** 0 INTERNAL_ERROR, 1 BAD_REQUEST. */
  readonly type: number
  readonly message: string
  /** Bit set, see `ErrorFlag`. Only the low 32 bits are kept. */
  readonly flags: number

  constructor(type: number, message: string, flags = 0) {
    this.type = type
    this.message = message
    this.flags = flags
  }
}

/** Where an error struct's text stands. */
export interface ErrorColumns {
  type: number
  flags: number
  messageOffset: number
  messageLength: number
}

/** Reads an error struct without making strings. */
export const readErrorColumns = (cursor: ThriftCursor, out: ErrorColumns): void => {
  out.type = -1
  out.flags = 0
  out.messageLength = -1
  for (let type = cursor.field(); type !== ThriftType.stop; type = cursor.field()) {
    if (cursor.fieldId === 1) {
      cursor.expect(type, ThriftType.i32)
      out.type = cursor.i32()
    } else if (cursor.fieldId === 2) {
      cursor.expect(type, ThriftType.binary)
      out.messageOffset = cursor.binary()
      out.messageLength = cursor.lo
    } else if (cursor.fieldId === 3) {
      cursor.expect(type, ThriftType.i64)
      cursor.i64()
      out.flags = cursor.lo
    } else cursor.skip(type)
  }
  if (out.type < 0 || out.messageLength < 0) cursor.fail("error struct lacks its type or message")
}

/** Reads M3DB's `Error` struct at the cursor; throws `WireFault` when it is malformed. */
export const readError = (cursor: ThriftCursor): RemoteError => {
  const columns: ErrorColumns = { type: 0, flags: 0, messageOffset: 0, messageLength: 0 }
  readErrorColumns(cursor, columns)
  return new RemoteError(
    columns.type,
    decodeText(cursor.buffer, columns.messageOffset, columns.messageLength),
    columns.flags
  )
}

/** Flags are left out when 0, as the default is. */
export const writeError = (writer: ThriftWriter, error: RemoteError): void => {
  writer.i32Field(1, error.type)
  writer.bytesField(2, Buffer.from(error.message, "utf8"))
  if (error.flags !== 0) writer.i64Field(3, BigInt(error.flags))
  writer.stop()
}
