/** What a block of the toy chain is and what makes one right: the half of a protocol that is plain functions. */
import type { ChainRules, HeaderFacts } from "@peerstrap/chain-bootstrap"
import { createHash } from "node:crypto"

export const hash = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex")

/** A header is a text, "LEVEL PARENT TIME HASH-OF-BODY", and its id is the hash of that text. A body is a single unit. */
const decodeHeader = (bytes: Uint8Array): HeaderFacts | string => {
  const found = /^(\d{1,9}) ([0-9a-f]{64}) (\d{1,10}) ([0-9a-f]{64})$/.exec(new TextDecoder().decode(bytes))
  if (found === null) return "no header of the toy chain"
  const [level, timeSeconds] = [Number(found[1]), Number(found[3])]
  // Big-endian, so that bytes compare as numbers do: the longer chain is the heavier one.
  const weight = new Uint8Array(Uint32Array.of(level).buffer).toReversed()
  const bodyRoot = new Uint8Array(Buffer.from(found[4]!, "hex"))
  return { id: hash(bytes), parent: found[2]!, level, timeSeconds, weight, units: 1, bodyRoot, bytes: bytes.slice() }
}

const verifyBody = ({ bodyRoot }: HeaderFacts, [body]: ReadonlyArray<Uint8Array>): string | undefined =>
  body !== undefined && hash(body) === Buffer.from(bodyRoot).toString("hex") ? undefined : "the body's hash differs"

export const toyRules: ChainRules = {
  idBytes: 32,
  displayId: (id) => id.slice(0, 8),
  compareWeight: (a, b) => Buffer.compare(a, b),
  decodeHeader,
  checkAlone: ({ timeSeconds }, nowSeconds) => timeSeconds > nowSeconds + 15 ? "comes from the future" : undefined,
  checkLink: ({ level, parent, timeSeconds, weight }, below) => {
    const isNext = parent === below.id && level === below.level + 1 && timeSeconds > below.timeSeconds
    return isNext && Buffer.compare(weight, below.weight) > 0 ? undefined : "does not follow"
  },
  verifyUnit: (header, unit, body) => unit === 0 ? verifyBody(header, [body]) : `there is no unit ${unit}`,
  verifyBody,
  itemsPerRequest: 10,
  spacingMillis: { branch: 0, head: 0, ancestor: 0, peers: 0, swap: 0 },
  finality: 2
}
