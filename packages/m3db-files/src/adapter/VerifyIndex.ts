/** Checks the index file entry by entry, and with it summaries and bloom filter, which are made from the same ids. */
import { decodeTags, showId, WireFault } from "@peerstrap/m3db-wire"
import { adler32Start, adler32Update } from "@peerstrap/m3tsz"
import type { File } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import { BloomFilter, optimalBloom } from "../codec/BloomFilter.ts"
import { compareRange } from "../codec/Bytes.ts"
import type { FilesetInfo } from "../codec/InfoFile.ts"
import { decodeSummaries, type Summaries } from "../codec/Summaries.ts"
import type { FilesetError } from "../contract/errors.ts"
import { Limits } from "../contract/Limits.ts"
import { isMalformed } from "../contract/Malformed.ts"
import { filePath } from "../engine/FilesetName.ts"
import { checkSharding, ShardCheck } from "../engine/ShardCheck.ts"
import { io, refetch } from "./Faults.ts"
import { IndexWindow } from "./IndexWindow.ts"
import type { VerifyContext } from "./VerifyFileset.ts"

/** Where the series lie, by write order; only of an index that was read to its end without a fault in its structure. */
export interface SeriesLayout {
  readonly count: number
  readonly offset: Float64Array
  readonly size: Uint32Array
  readonly checksum: Uint32Array
  /** Where the entry stands in the index file, to read its id again for a message. */
  readonly entryOffset: Float64Array
}

/** The shortest entry possible: four header bytes, six fields of one byte at least, and an id of two. */
const minEntryBytes = 10

class IndexChecks {
  readonly layout: SeriesLayout
  whole = true
  private readonly seen: Uint8Array
  private readonly context: VerifyContext
  private readonly expectedBloom: BloomFilter | undefined
  private readonly bloomBytes: Uint8Array | undefined
  private readonly summaries: Summaries | undefined
  private summary = 0
  private summaryStep = 0
  private read = 0
  private last: Uint8Array | undefined
  private readonly shards: ShardCheck | undefined
  private readonly misplaced: Array<{ readonly message: string; readonly at: number }> = []

  constructor(
    context: VerifyContext,
    info: FilesetInfo,
    indexBytes: number,
    summaries: Uint8Array | undefined,
    bloom: Uint8Array | undefined
  ) {
    this.context = context
    const { key, options: { sharding } } = context
    if (sharding !== undefined) this.shards = new ShardCheck(key.shard, sharding)
    // What the file cannot hold is not allocated, whatever the info file claims.
    const count = Math.min(info.entries, Math.ceil(indexBytes / minEntryBytes))
    this.seen = new Uint8Array(count)
    this.layout = {
      count,
      offset: new Float64Array(count),
      size: new Uint32Array(count),
      checksum: new Uint32Array(count),
      entryOffset: new Float64Array(count)
    }
    this.bloomBytes = bloom
    this.expectedBloom = this.prepareBloom(info, bloom)
    this.summaries = this.prepareSummaries(info, summaries)
  }

  private prepareBloom(info: FilesetInfo, bytes: Uint8Array | undefined): BloomFilter | undefined {
    const { report } = this.context
    if (bytes === undefined) return undefined
    const optimal = optimalBloom(info.entries)
    if (info.bloomBits < optimal.bits) {
      const message = `the bloom filter has ${info.bloomBits} bits, ${info.entries} entries need ${optimal.bits}`
      report.add("info", "malformed", message)
    }
    const given = BloomFilter.decode(info.bloomBits, info.bloomHashes, bytes)
    if (isMalformed(given)) {
      report.add("bloomfilter", given.reason, given.message, given.offset)
      return undefined
    }
    const expected = BloomFilter.empty(info.bloomBits, info.bloomHashes)
    return isMalformed(expected) ? undefined : expected
  }

  private prepareSummaries(info: FilesetInfo, bytes: Uint8Array | undefined): Summaries | undefined {
    if (bytes === undefined) return undefined
    const summaries = decodeSummaries(bytes, info.summaries)
    if (!isMalformed(summaries)) {
      if (summaries.count === 0 && info.entries > 0) {
        this.context.report.add("summaries", "malformed", "there are entries but no summary")
      }
      return summaries
    }
    this.context.report.add("summaries", summaries.reason, summaries.message, summaries.offset)
    return undefined
  }

  /** The entry that the window has just decoded at `at`. */
  entry(window: IndexWindow, at: number): void {
    const { key, report } = this.context
    const { bytes, entry } = window
    const id = bytes.subarray(entry.idStart, entry.idEnd)
    if (this.last !== undefined) {
      const order = compareRange(this.last, 0, this.last.length, id, 0, id.length)
      if (order === 0) report.series("index", "duplicate-id", id, "stands twice in the index", at)
      else if (order > 0) report.series("index", "malformed", id, "stands after a higher id", at)
    }
    if (entry.size === 0) report.series("index", "malformed", id, "has no bytes; such a series has no entry", at)
    const shard = this.shards?.look(id) ?? key.shard
    if (shard !== key.shard && this.misplaced.length < Limits.maxProblems) {
      this.misplaced.push({ message: `series ${showId(id)}: belongs to shard ${shard}, not ${key.shard}`, at })
    }
    if (entry.tagsStart >= 0) {
      const tags = decodeTags(bytes, entry.tagsStart, entry.tagsEnd)
      if (tags instanceof WireFault) report.series("index", "malformed", id, `tags: ${tags.message}`, at)
    }
    this.place(window, id, at)
    this.checkSummary(id, entry.writeIndex, at)
    this.expectedBloom?.add(bytes, entry.idStart, entry.idEnd)
    this.last = id
    this.read++
  }

  private place({ entry }: IndexWindow, id: Uint8Array, at: number): void {
    const { checksum, count, entryOffset, offset, size } = this.layout
    const row = entry.writeIndex
    if (row >= count || this.seen[row] === 1) {
      this.whole = false
      const message = row >= count ? `write index ${row} of ${count}` : `write index ${row} stands twice`
      return this.context.report.series("index", "malformed", id, message, at)
    }
    this.seen[row] = 1
    offset[row] = entry.offset
    size[row] = entry.size
    checksum[row] = entry.checksum
    entryOffset[row] = at
  }

  private checkSummary(id: Uint8Array, writeIndex: number, at: number): void {
    const { report } = this.context
    const { summaries, summary } = this
    if (summaries === undefined || summary >= summaries.count) return
    const target = summaries.indexOffset[summary]!
    if (target > at) return
    const { bytes } = summaries
    const start = summaries.idStart[summary]!
    const end = summaries.idEnd[summary]!
    if (target !== at || compareRange(bytes, start, end, id, 0, id.length) !== 0) {
      report.add("summaries", "malformed", `summary ${summary} does not match the index entry at ${target}`, start)
    } else if (summaries.writeIndex[summary] !== writeIndex) {
      report.add("summaries", "malformed", `summary ${summary} has another write index than its entry`, start)
    } else if (summary === 0 ? this.read !== 0 : summary > 1 && this.read !== summary * this.summaryStep) {
      report.add("summaries", "malformed", `summary ${summary} is not at an even distance from the others`, start)
    }
    if (summary === 1) this.summaryStep = this.read
    this.summary++
  }

  /** What lies in a wrong shard, one by one, or once when it is most of the fileset. */
  private tellMisplaced(): void {
    const { key, options: { sharding }, report } = this.context
    const fit = this.shards?.fit
    if (fit === undefined || sharding === undefined || fit.misplaced === 0) return
    const given = `${sharding.numShards} shards and seed ${sharding.seed}`
    if (fit.isMostlyElsewhere) {
      const message = `${fit.misplaced} of ${this.read} series belong to other shards than ${key.shard} with ${given}`
      return report.add("index", "malformed", message, -1, checkSharding)
    }
    const remedy = `check that the cluster has ${given}; if so, ${refetch}`
    for (const { at, message } of this.misplaced) report.add("index", "malformed", message, at, remedy)
    report.further += fit.misplaced - this.misplaced.length
  }

  finish(info: FilesetInfo): void {
    const { report } = this.context
    report.entries = this.read
    if (this.shards !== undefined) report.shardFit = this.shards.fit
    this.tellMisplaced()
    if (this.read < info.entries) this.whole = false
    const { summaries } = this
    if (this.whole && summaries !== undefined && this.summary < summaries.count) {
      const message = `${summaries.count - this.summary} summaries point behind the last entry`
      report.add("summaries", "malformed", message, summaries.idStart[this.summary]!)
    }
    if (!this.whole || this.expectedBloom === undefined || this.bloomBytes === undefined) return
    const wanted = this.expectedBloom.bytes
    for (let i = 0; i < wanted.length; i++) {
      if (wanted[i] === this.bloomBytes[i]) continue
      return report.add("bloomfilter", "malformed", "the bits do not match the ids of the index", i)
    }
  }
}

const scan = Effect.fnUntraced(
  function*(context: VerifyContext, window: IndexWindow, checks: IndexChecks, entries: number) {
    for (let i = 0; i < entries;) {
      const at = window.offset
      const found = window.next()
      if (found === "malformed") return yield* window.problem
      if (found === "more") {
        yield* window.fill
        continue
      }
      checks.entry(window, at)
      i++
    }
    if (!window.atEnd) context.report.add("index", "malformed", "bytes after the last entry", window.offset)
    else context.report.digest("index", context.digests?.index, window.digest)
  }
)

/** The digest alone, for an index that cannot be read as entries. */
const digestOnly = Effect.fnUntraced(function*(context: VerifyContext, file: File, size: number) {
  let digest = adler32Start
  for (let at = 0; at < size;) {
    const bytes = yield* io(file.read(at, Limits.readChunkBytes))
    if (bytes.length === 0) break
    digest = adler32Update(digest, bytes, 0, bytes.length)
    at += bytes.length
  }
  context.report.digest("index", context.digests?.index, digest)
})

/** Where the series lie, or undefined when the index does not say. */
export const verifyIndex = (
  context: VerifyContext,
  info: FilesetInfo | undefined,
  summaries: Uint8Array | undefined,
  bloom: Uint8Array | undefined
): Effect.Effect<SeriesLayout | undefined> => {
  const { fs, key, report, sizes } = context
  const size = sizes.get("index")
  if (size === undefined) return Effect.undefined
  const use = Effect.fnUntraced(function*(file: File) {
    if (info === undefined) {
      yield* digestOnly(context, file, size)
      return undefined
    }
    const checks = new IndexChecks(context, info, size, summaries, bloom)
    const whole = yield* Effect.catch(
      Effect.as(scan(context, new IndexWindow(file, size), checks, info.entries), true),
      (error: FilesetError) => Effect.sync(() => (report.addError("index", error), false))
    )
    checks.whole &&= whole
    checks.finish(info)
    return checks.whole ? checks.layout : undefined
  })
  return Effect.acquireUseRelease(
    io(fs.openRead(filePath(key, "index"))),
    use,
    (file) => Effect.ignore(file.close)
  ).pipe(
    Effect.catch((error: FilesetError) => Effect.sync(() => report.addError("index", error)))
  )
}
