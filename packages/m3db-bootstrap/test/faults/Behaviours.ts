/**
 * What one of three replicas may do, as a table: every behaviour of the scripted replica, its data options, and what happens to machines and
 * networks; with the evidence that has to come of it and the time that it may cost. `docs/faults.md` shows the table; tests compare.
 *
 * A scale model: byte counts are a hundredth of those measured with real nodes (27 MB, batches from 256 KiB, 200 kB/s, 150 kB a connection),
 * times are what they are. The healthy run then lasts as long as the real one.
 */
import { Limits } from "@peerstrap/m3db-wire"
import {
  areCompatible,
  fanOutOfAll,
  fanOutOfAThird,
  type FaultRow,
  other,
  scripted,
  silence,
  slower
} from "./FaultRow.ts"

const legal = { isLegal: true, inPairs: true }

const slowness: ReadonlyArray<FaultRow> = [
  scripted("slow:2000", { does: "each connection sends 2 kB/s (200 kB/s at full scale)", bar: slower, ...legal }),
  scripted("delay:20", { does: "20 ms before each answer", bar: slower, ...legal }),
  scripted("delay:2000", { does: "2 s before each answer", bar: slower, ...legal }),
  scripted("drip:1", { does: "one byte a millisecond", bar: slower, ...legal }),
  scripted("frame-size:80", { does: "answers in frames of 80 bytes", bar: slower, ...legal })
]

const connections: ReadonlyArray<FaultRow> = [
  scripted("half-open:1500", {
    does: "connections fall silent after 1.5 kB",
    bar: silence,
    pairMillis: Limits.idleTimeoutMillis,
    inPairs: true
  }),
  scripted("half-open:20000", { does: "connections fall silent after 20 kB", bar: silence }),
  scripted("cut:1500", { does: "connections are closed after 1.5 kB", inPairs: true }),
  scripted("cut:20000", { does: "connections are closed after 20 kB" }),
  scripted("http", { does: "answers as an HTTP server", atAll: "waits" }),
  other("flip", {
    does: "one flipped bit in each connection's stream",
    client: "fail the call by its checksum, close the connection, ask again",
    // A flipped bit in a frame's length can make silence of it.
    pairMillis: Limits.idleTimeoutMillis,
    faults: { flipWithinBytes: 20_000 },
    bar: { ratio: 3 },
    inPairs: true
  })
]

const machines: ReadonlyArray<FaultRow> = [
  other("down", {
    does: "nothing listens from the start",
    client: "start with the others at once",
    isDown: true,
    inPairs: true,
    atAll: "waits"
  }),
  other("killed", {
    does: "dies at 40 % of the run",
    client: "finish from the others",
    diesAt: 0.4,
    bar: { ratio: 2 },
    atAll: "either",
    inPairs: true
  }),
  scripted("die-after:10", {
    does: "stops in the middle of the tenth data answer",
    bar: { ratio: 2 },
    inPairs: true,
    atAll: "waits"
  })
]

/** Refusals. What a peer declares about itself is no proof against it, nor is a broken frame: the path may have broken it. */
const refusals: ReadonlyArray<FaultRow> = [
  "overloaded",
  "internal",
  "not-initialized",
  "not-bootstrapped",
  "not-responsible",
  "deadline",
  "limit",
  "bad-token",
  "unknown-namespace",
  "busy",
  "declined",
  "timeout",
  "cancelled",
  "unexpected",
  "network",
  "bad-request",
  "fatal"
].flatMap((kind) => [
  scripted(`error:${kind}`, {
    does: "every data call is refused so",
    ...(kind === "fatal" ? { unclear: ["protocol-violation"] } : {}),
    inPairs: kind === "internal" || kind === "busy" || kind === "fatal",
    atAll: "waits"
  }),
  scripted(`error:${kind}:4`, {
    does: "every fourth data call is refused so",
    isLegal: kind !== "fatal",
    ...(kind === "fatal" ? { unclear: ["protocol-violation"] } : {}),
    // These begin the listing again; where it takes more than three calls it may never end.
    atAll: kind === "bad-token" || kind === "bad-request" ? "either" : "completes",
    inPairs: kind === "overloaded" || kind === "bad-token"
  })
])

const calls: ReadonlyArray<FaultRow> = [
  scripted("rate-limit:5", {
    does: "more than 5 data calls a second are refused as overload",
    pairMillis: 3_000,
    ...legal
  }),
  scripted("hang:fetchBlocksRaw", {
    does: "block calls are never answered",
    bar: silence,
    pairMillis: Limits.idleTimeoutMillis,
    inPairs: true
  }),
  scripted("hang:fetchBlocksMetadataRawV2", {
    does: "listing calls are never answered",
    bar: silence,
    inPairs: true,
    atAll: "waits"
  }),
  scripted("not-bootstrapped", { does: "is bootstrapping for ever", atAll: "waits", inPairs: true }),
  scripted("not-bootstrapped:1", { does: "is bootstrapping for another second", ...legal }),
  ...["bad-crc", "chunkless-fragment"].flatMap((name) => [
    scripted(name, {
      does: "every data answer is broken so",
      unclear: ["protocol-violation"],
      atAll: "waits",
      inPairs: true
    }),
    scripted(`${name}:3`, { does: "every third data answer is broken so", unclear: ["protocol-violation"] })
  ]),
  ...["binary", "list", "negative"].map((kind) =>
    scripted(`huge-length:${kind}`, {
      does: "block answers claim a hostile length",
      blame: ["protocol-violation"],
      inPairs: kind === "binary"
    })
  ),
  scripted("deep-thrift", {
    does: "block answers nest structs far too deep",
    blame: ["protocol-violation"],
    inPairs: true
  })
]

const blocks: ReadonlyArray<FaultRow> = [
  scripted("missing:2", {
    does: "block answers lack every second series",
    blame: ["advertised-not-delivered"],
    inPairs: true
  }),
  scripted("hollow:3", {
    does: "every third series comes without blocks, as from a damaged data file",
    blame: ["advertised-not-delivered"],
    inPairs: true
  }),
  scripted("block-err:4", {
    does: "an error in place of every fourth series",
    unclear: ["block-error"],
    inPairs: true
  }),
  scripted("wrong-id:3", {
    does: "every third series under another id",
    blame: ["advertised-not-delivered", "unrequested-block"],
    inPairs: true
  }),
  scripted("wrong-start:5", {
    does: "every fifth series under the next block's start",
    blame: ["advertised-not-delivered", "unrequested-block"],
    // The next block may have been asked for as well.
    mayBlame: ["delivered-differs-from-advertised", "undecodable-block"],
    // Then two copies come for one of its blocks: `all` wants one from everybody who has the block, and this peer has none that is right.
    atAll: "either",
    inPairs: true
  }),
  scripted("lie-data:2", {
    does: "a flipped bit under the true checksum",
    blame: ["corrupt-block"],
    inPairs: true
  }),
  scripted("lie-data:3:valid", {
    does: "other values under their own checksum, not what was announced",
    unclear: ["delivered-differs-from-advertised"],
    bar: fanOutOfAThird,
    inPairs: true
  }),
  scripted("lie-checksum:3", {
    does: "listings announce a wrong checksum",
    unclear: ["delivered-differs-from-advertised"],
    bar: fanOutOfAThird,
    inPairs: true
  }),
  scripted("unmerged:3", { does: "every third series as two streams", bar: fanOutOfAThird, ...legal }),
  scripted("no-checksum", { does: "no checksum anywhere", bar: fanOutOfAll, inPairs: true }),
  scripted("extra", {
    does: "an element that nobody asked for",
    blame: ["surplus-element"],
    mayBlame: ["unrequested-block"],
    inPairs: true
  }),
  scripted("extra:block", {
    does: "a block that nobody asked for",
    blame: ["unrequested-block"],
    // It may be the next block, which was asked for as well.
    mayBlame: ["delivered-differs-from-advertised", "undecodable-block"],
    inPairs: true
  }),
  scripted("reorder:blocks", { does: "block elements shuffled" }),
  scripted("reorder:all", { does: "everything shuffled", inPairs: true })
]

const listings: ReadonlyArray<FaultRow> = [
  scripted("duplicate:2", { does: "listing elements twice", ...legal }),
  scripted("meta-err:3", { does: "listing elements with an error", bar: fanOutOfAThird, ...legal }),
  scripted("reorder:meta", { does: "listing elements shuffled", isLegal: true }),
  scripted("token-reset", { does: "once a listing begins again", ...legal }),
  scripted("empty-pages:3", { does: "three empty pages before each", ...legal }),
  scripted("empty-pages:0", {
    does: "empty pages for ever",
    mayBlame: ["endless-listing"],
    blameAtAll: ["endless-listing"],
    atAll: "waits",
    inPairs: true
  }),
  scripted("token-loop", {
    does: "the same page and token for ever",
    mayBlame: ["endless-listing"],
    blameAtAll: ["endless-listing"],
    atAll: "waits",
    inPairs: true
  }),
  ...[1, 10].map((perPage) =>
    scripted(`endless-pages:${perPage}`, {
      does: `made-up series for ever, ${perPage} on a page of at most 10`,
      mayBlame: ["endless-listing", "advertised-not-delivered"],
      atAll: "waits",
      blameAtAll: ["endless-listing"],
      // Each of four tries of what is made up may cost a timeout.
      pairMillis: 4 * Limits.idleTimeoutMillis,
      mayBeWaitedFor: true,
      // A refused token makes a listing begin again, and one without end has no end to come to.
      notWith: ["error:bad-", ...(perPage === 10 ? ["hang", "huge-length", "deep-thrift"] : [])],
      inPairs: true
    })
  )
]

const third = { every: 3, remainder: 0 }

const data: ReadonlyArray<FaultRow> = [
  other("lack-series=3", { does: "holds no data of every third series", variation: { lackSeries: third }, ...legal }),
  other("lack-points=2/1", {
    does: "holds every second point",
    client: "fetch all copies, merge, report the divergence",
    variation: { lackPoints: { every: 2, remainder: 1 } },
    bar: fanOutOfAll,
    ...legal
  }),
  other("other-values=3", {
    does: "holds other values of every third series",
    client: "fetch all copies, let the majority decide, report the divergence",
    variation: { otherValues: third },
    bar: fanOutOfAThird,
    ...legal
  }),
  scripted("damage=4", {
    does: "announces every fourth series and delivers it empty",
    behaviours: "hollow:4",
    blame: ["advertised-not-delivered"]
  }),
  scripted("wrong-checksum=4", {
    does: "holds a flipped bit of every fourth series under the true checksum",
    behaviours: "lie-data:4",
    blame: ["corrupt-block"]
  }),
  other("wiped", {
    does: "holds nothing and believes it is complete",
    variation: { lackSeries: { every: 1, remainder: 0 } },
    ...legal
  })
]

export const faultRows: ReadonlyArray<FaultRow> = [
  ...slowness,
  ...connections,
  ...machines,
  ...refusals,
  ...calls,
  ...blocks,
  ...listings,
  ...data
]

export const faultPairs = (): ReadonlyArray<readonly [FaultRow, FaultRow]> => {
  const rows = faultRows.filter(({ inPairs }) => inPairs)
  return rows.flatMap((a, at) => rows.slice(at + 1).filter((b) => areCompatible(a, b)).map((b) => [a, b] as const))
}
