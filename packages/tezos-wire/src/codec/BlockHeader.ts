/** Block headers: bytes to fields and back, and their hash (specs: chain bootstrap 2.3; layout in the contract). */
import type { HeaderContent, HeaderFields } from "../contract/BlockHeader.ts"
import type { Digests } from "../contract/Crypto.ts"
import { Limits } from "../contract/Limits.ts"
import type { Malformed } from "../contract/Malformed.ts"
import { type Reader, reading } from "./Reader.ts"
import { demand, Writer } from "./Writer.ts"

/** Bytes of a header without fitness and protocol data: no header is smaller. */
export const leastHeaderBytes = 114

const readFitness = (reader: Reader): ReadonlyArray<Uint8Array> => {
  const outer = reader.enter(reader.length(Limits.maxFitnessBytes, "fitness"))
  const elements: Array<Uint8Array> = []
  while (reader.left > 0) {
    elements.push(reader.view(reader.length(Limits.maxFitnessBytes, "fitness element"), "fitness element"))
  }
  reader.leave(outer, "fitness")
  return elements
}

/** Reads a header that ends where the reader's innermost length ends. */
export const readHeader = (reader: Reader): HeaderFields => {
  const start = reader.position
  const size = reader.left
  if (size > Limits.maxHeaderBytes) reader.fail(`a header of ${size} bytes, the limit is ${Limits.maxHeaderBytes}`)
  if (size < leastHeaderBytes) reader.fail(`a header of ${size} bytes, the least is ${leastHeaderBytes}`)
  const { buffer, byteOffset } = reader.bytes
  return {
    level: reader.i32("level"),
    proto: reader.u8("proto"),
    predecessor: reader.view(32, "predecessor"),
    timestamp: reader.i64("timestamp"),
    validationPass: reader.u8("validation pass"),
    operationsHash: reader.view(32, "operations hash"),
    fitness: readFitness(reader),
    context: reader.view(32, "context"),
    protocolData: reader.rest(),
    raw: new Uint8Array(buffer, byteOffset + start, size)
  }
}

/** Fields of a header of at most `Limits.maxHeaderBytes`; all arrays are views on `bytes`. */
export const decodeHeader = (bytes: Uint8Array): HeaderFields | Malformed => reading("block header", bytes, readHeader)

/** Bytes of a header, fresh. Throws a RangeError for what does not fit, or what not every node would read. */
export const encodeHeader = (content: HeaderContent): Uint8Array => {
  const fitnessBytes = content.fitness.reduce((size, element) => size + 4 + element.length, 0)
  const size = leastHeaderBytes + fitnessBytes + content.protocolData.length
  demand(
    fitnessBytes <= Limits.maxWrittenFitnessBytes,
    () => `fitness has ${fitnessBytes} bytes, at most ${Limits.maxWrittenFitnessBytes} are written`
  )
  demand(size <= Limits.maxHeaderBytes, () => `a header of ${size} bytes, the limit is ${Limits.maxHeaderBytes}`)
  const writer = new Writer(size)
  writer.i32(content.level, "level")
  writer.u8(content.proto, "proto")
  writer.fixed(content.predecessor, 32, "predecessor")
  writer.i64(content.timestamp, "timestamp")
  writer.u8(content.validationPass, "validation pass")
  writer.fixed(content.operationsHash, 32, "operations hash")
  writer.u32(fitnessBytes, "fitness")
  for (const element of content.fitness) writer.prefixed(element, "fitness element")
  writer.fixed(content.context, 32, "context")
  writer.raw(content.protocolData)
  return writer.finish()
}

/** Block hash: blake2b-256 of the header as it came. Genesis is the exception: its hash is a constant, not the hash of a header. */
export const headerHash = (digests: Digests, raw: Uint8Array): Uint8Array => digests.blake2b(raw, 32)
