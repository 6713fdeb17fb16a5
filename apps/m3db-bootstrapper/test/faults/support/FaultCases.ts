/**
 * What replica C may do, and what may then be held against it. The catalogue has every behaviour of `m3peer.py` and of our own
 * scriptable replica, with its variants.
 */

/** `npm run faults`: everything there is, all pairs included. */
export const isLongRun = process.env["PEERSTRAP_FAULT_PAIRS"] === "all"

export interface FaultCase {
  /** As `m3peer.py` and our scriptable replica read it. */
  readonly behaviour: string
  /** Kinds of evidence with verdict `peer` that may stand against C; empty: none may. */
  readonly proof: ReadonlyArray<string>
  /** Kinds of evidence, whatever the verdict, of which one has to be found, unless the run says that it did not wait for C. */
  readonly signs: ReadonlyArray<string>
}

/** Legal, or silence, or what the network does as well: never proof against anyone. */
const innocent = (...behaviours: ReadonlyArray<string>): ReadonlyArray<FaultCase> =>
  behaviours.map((behaviour) => ({ behaviour, proof: [], signs: [] }))

/** Nothing that blames C for certain, but the report has to say it. */
const noticed = (sign: string, ...behaviours: ReadonlyArray<string>): ReadonlyArray<FaultCase> =>
  behaviours.map((behaviour) => ({ behaviour, proof: [], signs: [sign] }))

const proven = (behaviour: string, ...proof: ReadonlyArray<string>): FaultCase => ({ behaviour, proof, signs: proof })

const undelivered = "advertised-not-delivered"
/** What a flipped bit comes to where no checksum tells of it. */
const undecodable = "undecodable-block"
const violation = "protocol-violation"
/** Sound in itself, but not what was listed: with cold writes any block may change at any time. */
const differs = "delivered-differs-from-advertised"

/** A run waits for them at most as long as its idle timeout; they are first so that their waiting overlaps with other work. */
const silences = innocent(
  "hang:fetchBlocksRaw",
  "hang:fetchBlocksMetadataRawV2",
  "half-open:300",
  "half-open:3000",
  "not-bootstrapped",
  "not-bootstrapped:1"
)

const network = innocent(
  "slow:20000",
  "delay:20",
  "drip",
  "frame-size:200",
  "cut:300",
  "cut:3000",
  "die-after:1",
  "die-after:6",
  "hang:health",
  "rate-limit",
  "rate-limit:1"
)

const listings: ReadonlyArray<FaultCase> = [
  ...innocent("duplicate", "reorder:meta", "token-reset", "empty-pages:3", "unmerged", "unmerged:3", "no-checksum"),
  proven("token-loop", "endless-listing"),
  // Made-up series may be asked for before the listing proves to be endless.
  proven("endless-pages", "endless-listing", undelivered),
  proven("empty-pages:0", "endless-listing"),
  ...noticed(differs, "lie-checksum", "lie-checksum:3")
]

const blocks: ReadonlyArray<FaultCase> = [
  proven("missing", undelivered),
  proven("missing:3", undelivered),
  proven("hollow", undelivered),
  proven("hollow:3", undelivered),
  ...noticed("block-error", "block-err", "block-err:3"),
  proven("wrong-id", undelivered, "unrequested-block"),
  proven("wrong-id:3", undelivered, "unrequested-block"),
  proven("lie-data", "corrupt-block", undecodable),
  proven("lie-data:3", "corrupt-block", undecodable),
  ...noticed(differs, "lie-data:1:valid", "lie-data:3:valid"),
  proven("extra", "surplus-element", "unrequested-block"),
  proven("extra:block", "unrequested-block"),
  ...innocent("reorder:blocks", "reorder")
]

/** What is wrong with a frame may be the network's doing; what is wrong below its checksum is not. */
const frames: ReadonlyArray<FaultCase> = [
  ...innocent("bad-crc", "bad-crc:3", "chunkless-fragment", "chunkless-fragment:3"),
  proven("huge-length:binary", violation),
  proven("huge-length:list", violation),
  proven("huge-length:negative", violation),
  proven("deep-thrift", violation)
]

const errorKinds = [
  "internal",
  "not-initialized",
  "not-bootstrapped",
  "not-responsible",
  "deadline",
  "bad-token",
  "unknown-namespace",
  "timeout",
  "cancelled",
  "unexpected",
  "bad-request",
  "network",
  "overloaded",
  "limit",
  "busy",
  "declined",
  "fatal"
] as const

/** A replica that says that it cannot is honest about it. */
const lasting = innocent(...errorKinds.map((kind) => `error:${kind}`))
const passing = innocent(...errorKinds.map((kind) => `error:${kind}:3`))

/** Everything that `m3peer.py` offers; errors that pass are many and alike, so that most of them are left to the long run. */
export const faultCases: ReadonlyArray<FaultCase> = [
  ...silences,
  ...network,
  ...listings,
  ...blocks,
  ...frames,
  ...lasting,
  ...passing.filter((_, at) => isLongRun || at % 4 === 0)
]

/** What only our own scriptable replica offers. */
export const embeddedCases: ReadonlyArray<FaultCase> = [
  ...innocent("meta-err", "meta-err:3"),
  ...innocent("http"),
  proven("wrong-start", undelivered, "unrequested-block")
]

export const behaviourName = (behaviour: string): string => behaviour.split(":")[0]!

const every = [...faultCases, ...embeddedCases, ...passing]

const caseOf = (behaviour: string): FaultCase => {
  const same = every.find((one) => one.behaviour === behaviour)
  if (same !== undefined) return same
  const variants = every.filter((one) => behaviourName(one.behaviour) === behaviourName(behaviour))
  if (variants.length === 0) throw new RangeError(`the catalogue of faults has no ${behaviour}`)
  return { behaviour, proof: variants.flatMap(({ proof }) => proof), signs: [] }
}

/** What may be held against C when it does all of this, joined by `+`: one may hide the other, so that nothing has to be found. */
export const combined = (behaviour: string): FaultCase => {
  const parts = behaviour.split("+").map(caseOf)
  return parts.length === 1 ? parts[0]! : { behaviour, proof: parts.flatMap(({ proof }) => proof), signs: [] }
}

/** Wrong bytes under no checksum at all: nothing can tell them from newer ones, and a merge keeps points that only C has. */
export const isBeyondProof = (behaviour: string): boolean => {
  const names = new Set(behaviour.split("+").map(behaviourName))
  return names.has("no-checksum") && names.has("lie-data")
}

/** `PEERSTRAP_FAULT=cut:300+slow:20000` runs this alone: the replay of a test that failed. */
export const chosenFault: string | undefined = process.env["PEERSTRAP_FAULT"]

export const replayOf = (file: string, behaviours: string): string =>
  `replay: PEERSTRAP_FAULT='${behaviours}' npm test -- apps/m3db-bootstrapper/test/faults/${file}`
