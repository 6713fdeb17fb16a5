/** Args and result structs around every request and answer: field 1 the request; field 0 the value, field 1 the error. */
import { Limits } from "../contract/Limits.ts"
import { readError, type RemoteError, writeError } from "./RemoteError.ts"
import { ThriftCursor, ThriftType, ThriftWriter } from "./Thrift.ts"
import { catchFault, WireFault } from "./WireFault.ts"

const tooLong = (arg3: Uint8Array, maxBytes: number): WireFault =>
  new WireFault(`arg3 of ${arg3.length} bytes, at most ${maxBytes}`, maxBytes, "too-large")

/**
 * Decodes `<method>_result`. A result with neither field is a fault, and so are bytes after the struct. An error wins over
 * a value.
 */
export const decodeResult = <A>(
  arg3: Uint8Array,
  maxBytes: number,
  readValue: (cursor: ThriftCursor) => A
): A | RemoteError | WireFault => {
  if (arg3.length > maxBytes) return tooLong(arg3, maxBytes)
  return catchFault(() => {
    const cursor = new ThriftCursor(arg3)
    let value: { readonly read: A } | undefined
    let error: RemoteError | undefined
    for (let type = cursor.field(); type !== ThriftType.stop; type = cursor.field()) {
      if (cursor.fieldId === 0) {
        cursor.expect(type, ThriftType.struct)
        value = { read: readValue(cursor) }
      } else if (cursor.fieldId === 1) {
        cursor.expect(type, ThriftType.struct)
        error = readError(cursor)
      } else cursor.skip(type)
    }
    cursor.finish()
    if (error !== undefined) return error
    return value === undefined ? cursor.fail("result has neither a value nor an error") : value.read
  })
}

/** Decodes `<method>_args` of a method that takes a request. Without field 1 it is a fault. */
export const decodeArguments = <A>(
  arg3: Uint8Array,
  maxBytes: number,
  readRequest: (cursor: ThriftCursor) => A
): A | WireFault => {
  if (arg3.length > maxBytes) return tooLong(arg3, maxBytes)
  return catchFault(() => {
    const cursor = new ThriftCursor(arg3)
    let request: { readonly read: A } | undefined
    for (let type = cursor.field(); type !== ThriftType.stop; type = cursor.field()) {
      if (cursor.fieldId === 1) {
        cursor.expect(type, ThriftType.struct)
        request = { read: readRequest(cursor) }
      } else cursor.skip(type)
    }
    cursor.finish()
    return request === undefined ? cursor.fail("arguments without field 1, the request") : request.read
  })
}

/** Checks the args of a method that takes no request: any struct will do. Undefined when well formed. */
export const checkEmptyArguments = (arg3: Uint8Array): WireFault | undefined =>
  catchFault(() => {
    const cursor = new ThriftCursor(arg3)
    cursor.skip(ThriftType.struct)
    cursor.finish()
    return undefined
  })

/** Wraps a request: `0c 0001 <struct> 00`. The body ends itself. */
export const encodeArguments = (writeRequest: (writer: ThriftWriter) => void): Uint8Array => {
  const writer = new ThriftWriter(Limits.maxRequestBytes)
  writer.field(ThriftType.struct, 1)
  writeRequest(writer)
  writer.stop()
  return writer.finish()
}

/** Wraps an answer's value: `0c 0000 <struct> 00`. The body ends itself. */
export const encodeValue = (
  writeValue: (writer: ThriftWriter) => void,
  maxBytes: number = Limits.maxAnswerBytes
): Uint8Array => {
  const writer = new ThriftWriter(maxBytes)
  writer.field(ThriftType.struct, 0)
  writeValue(writer)
  writer.stop()
  return writer.finish()
}

/** arg3 of an answer whose value is an empty struct, as `bootstrapped` gives it. Goes with code 0. */
export const encodeEmptyValue = (): Uint8Array => encodeValue((writer) => writer.stop())

/** arg3 of an answer that carries a declared exception. Goes with code 1. */
export const encodeErrorAnswer = (error: RemoteError): Uint8Array => {
  const writer = new ThriftWriter(Limits.maxAnswerBytes)
  writer.field(ThriftType.struct, 1)
  writeError(writer, error)
  writer.stop()
  return writer.finish()
}

/** arg3 of a call without request. */
export const emptyArguments = (): Uint8Array => new Uint8Array(1)
