/** `health`: `NodeHealthResult`, both directions (specs: peer streaming 2.3). */
import { Limits } from "../contract/Limits.ts"
import type { Health } from "../contract/NodeClient.ts"
import { decodeText } from "./ErrorFrame.ts"
import type { RemoteError } from "./RemoteError.ts"
import { decodeResult, encodeValue } from "./ResultStruct.ts"
import { type ThriftCursor, ThriftType } from "./Thrift.ts"
import type { WireFault } from "./WireFault.ts"

/** arg3 of an answer with code 0. */
export const encodeHealthAnswer = (health: Health): Uint8Array =>
  encodeValue((writer) => {
    writer.boolField(1, health.ok)
    writer.bytesField(2, Buffer.from(health.status, "utf8"))
    writer.boolField(3, health.bootstrapped)
    writer.stop()
  })

const readHealth = (cursor: ThriftCursor): Health => {
  let ok: boolean | undefined
  let status: string | undefined
  let bootstrapped: boolean | undefined
  for (let type = cursor.field(); type !== ThriftType.stop; type = cursor.field()) {
    if (cursor.fieldId === 1) {
      cursor.expect(type, ThriftType.bool)
      ok = cursor.bool()
    } else if (cursor.fieldId === 2) {
      cursor.expect(type, ThriftType.binary)
      const offset = cursor.binary()
      status = decodeText(cursor.buffer, offset, cursor.lo)
    } else if (cursor.fieldId === 3) {
      cursor.expect(type, ThriftType.bool)
      bootstrapped = cursor.bool()
    } else cursor.skip(type)
  }
  if (ok === undefined || status === undefined || bootstrapped === undefined) {
    return cursor.fail("health lacks ok, status or bootstrapped")
  }
  return { ok, status, bootstrapped }
}

/** Decodes arg3 of an answer. The optional metadata map is stepped over. */
export const decodeHealthAnswer = (
  arg3: Uint8Array,
  maxBytes: number = Limits.maxAnswerBytes
): Health | RemoteError | WireFault => decodeResult(arg3, maxBytes, readHealth)
