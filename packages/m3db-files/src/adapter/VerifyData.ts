/** Checks the data file: its digest, that the series lie end to end, and each series against its checksum. */
import { adler32Start, adler32Update } from "@peerstrap/m3tsz"
import type { File } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import { hex32, IndexEntryDecoder } from "../codec/IndexEntry.ts"
import type { FilesetError } from "../contract/errors.ts"
import { Limits } from "../contract/Limits.ts"
import { filePath } from "../engine/FilesetName.ts"
import { io } from "./Faults.ts"
import type { VerifyContext } from "./VerifyFileset.ts"
import type { SeriesLayout } from "./VerifyIndex.ts"

/** The id of a row, for messages and stream checks: the entry is read again. */
const readId = Effect.fnUntraced(function*(index: File, offset: number) {
  const decoder = new IndexEntryDecoder()
  let bytes = yield* io(index.read(offset, 4096))
  let found = decoder.read(bytes, 0, bytes.length)
  while (found === "more") {
    const known = bytes.length
    bytes = yield* io(index.read(offset, decoder.needed + 4096))
    if (bytes.length === known) break
    found = decoder.read(bytes, 0, bytes.length)
  }
  return found === "entry"
    ? bytes.slice(decoder.idStart, decoder.idEnd)
    : new Uint8Array(0)
})

/** Follows the series through the file as its bytes arrive in pieces. */
class SeriesWalk {
  /** Series whose checksum is wrong, as rows in write order. */
  readonly wrong: Array<{ readonly row: number; readonly actual: number }> = []
  further = 0
  private row = 0
  private left = 0
  private sum = adler32Start
  private readonly layout: SeriesLayout

  constructor(layout: SeriesLayout) {
    this.layout = layout
    this.left = layout.count > 0 ? layout.size[0]! : 0
  }

  take(bytes: Uint8Array): void {
    const { layout } = this
    let at = 0
    while (this.row < layout.count) {
      const length = Math.min(this.left, bytes.length - at)
      this.sum = adler32Update(this.sum, bytes, at, length)
      at += length
      this.left -= length
      if (this.left > 0) return
      if (this.sum !== layout.checksum[this.row]) this.note(this.row, this.sum)
      this.row++
      this.left = layout.size[this.row] ?? 0
      this.sum = adler32Start
    }
  }

  private note(row: number, actual: number): void {
    if (this.wrong.length < Limits.maxProblems) this.wrong.push({ row, actual })
    else this.further++
  }
}

/** True when the series lie end to end from 0 to the end of the file. */
const covers = (context: VerifyContext, layout: SeriesLayout, size: number): boolean => {
  const { report } = context
  let position = 0
  for (let row = 0; row < layout.count; row++) {
    const offset = layout.offset[row]!
    if (offset !== position) {
      const entry = layout.entryOffset[row]!
      report.add(
        "index",
        "malformed",
        `series ${row} begins at ${offset} of the data file, expected ${position}`,
        entry
      )
      return false
    }
    position += layout.size[row]!
  }
  if (position === size) return true
  const what = position < size ? "bytes after the last series" : "the file ends before the last series"
  report.add(
    "data",
    "malformed",
    `${what}: the series have ${position} bytes, the file ${size}`,
    Math.min(position, size)
  )
  return position < size
}

const checkStreams = Effect.fnUntraced(
  function*(context: VerifyContext, layout: SeriesLayout, index: File, data: File) {
    const { options, report } = context
    const check = options.checkStream
    if (check === undefined) return
    for (let first = 0; first < layout.count;) {
      let last = first
      let bytes = 0
      do bytes += layout.size[last++]!
      while (last < layout.count && bytes + layout.size[last]! <= Limits.readChunkBytes)
      const start = layout.offset[first]!
      const read = yield* io(data.read(start, bytes))
      for (; first < last; first++) {
        const offset = layout.offset[first]!
        const problem = check(read.subarray(offset - start, offset - start + layout.size[first]!))
        if (problem === undefined) continue
        const id = yield* readId(index, layout.entryOffset[first]!)
        report.series("data", "malformed", id, problem, offset)
      }
    }
  }
)

const scan = Effect.fnUntraced(
  function*(context: VerifyContext, layout: SeriesLayout | undefined, data: File, index: File) {
    const { digests, report, sizes } = context
    const size = sizes.get("data")!
    report.dataBytes = size
    const walk = layout !== undefined && covers(context, layout, size) ? new SeriesWalk(layout) : undefined
    let digest = adler32Start
    for (let at = 0; at < size;) {
      const bytes = yield* io(data.read(at, Limits.readChunkBytes))
      if (bytes.length === 0) break
      digest = adler32Update(digest, bytes, 0, bytes.length)
      walk?.take(bytes)
      at += bytes.length
    }
    report.digest("data", digests?.data, digest)
    if (walk === undefined || layout === undefined) return
    for (const { actual, row } of walk.wrong) {
      const id = yield* readId(index, layout.entryOffset[row]!)
      const message = `checksum is ${hex32(layout.checksum[row]!)}, the bytes have ${hex32(actual)}`
      report.series("data", "checksum", id, message, layout.offset[row]!)
    }
    report.further += walk.further
    yield* checkStreams(context, layout, index, data)
  }
)

/** `layout` undefined: the index does not say where the series are; then only the digest is checked. */
export const verifyData = (context: VerifyContext, layout: SeriesLayout | undefined): Effect.Effect<void> => {
  const { fs, key, report, sizes } = context
  if (!sizes.has("data")) return Effect.void
  const opened = <A>(file: "index" | "data", use: (file: File) => Effect.Effect<A, FilesetError>) =>
    Effect.acquireUseRelease(io(fs.openRead(filePath(key, file))), use, (handle) => Effect.ignore(handle.close))
  const withIndex = (data: File): Effect.Effect<void, FilesetError> =>
    layout === undefined
      ? scan(context, undefined, data, data)
      : opened("index", (index) => scan(context, layout, data, index))
  return Effect.catch(opened("data", withIndex), (error) => Effect.sync(() => report.addError("data", error)))
}
