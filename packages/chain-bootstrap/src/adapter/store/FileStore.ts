/** The store's operations over its log and its index: appends go to the group commit, every read checks what it reads. */
import { FileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import type { BlockId, BlockRef, BodyUnit, HeaderFacts } from "../../contract/Block.ts"
import type { ChainRules } from "../../contract/ChainRules.ts"
import type {
  AppliedStep,
  ChainStoreService,
  ChosenSegment,
  StoreDamage,
  StoreError,
  StoreIdentity
} from "../../contract/ChainStore.ts"
import { storeLimits } from "../../contract/StoreLimits.ts"
import type { DamageEntry, RecordLocation } from "../../engine/store/IndexEntry.ts"
import { kindName, recordKinds } from "../../engine/store/RecordCodec.ts"
import {
  evidenceLength,
  idToBytes,
  idToText,
  readHeaderPayload,
  readUnitPayload
} from "../../engine/store/RecordPayloads.ts"
import { readSegmentRecords } from "../../engine/store/SegmentRecords.ts"
import {
  type Refusal,
  refuseDocument,
  refuseHeaders,
  refuseSegment,
  refuseUnits
} from "../../engine/store/StoreInput.ts"
import type { Append } from "./GroupCommit.ts"
import { fromFile, fromIndex, fromRefusal } from "./StoreErrors.ts"
import type { StoreIndex } from "./StoreIndex.ts"
import { logName, type StoreLog } from "./StoreLog.ts"
import { checkLogFiles, type ScanProgress } from "./StoreScan.ts"

/** What opening a store found and mended. */
export interface OpenReport {
  /** Why the index was made anew; undefined: it was there, or the store is new. */
  readonly rebuilt: string | undefined
  readonly bytesScanned: number
  /** A half-written end that was cut: never reported as stored. */
  readonly torn: StoreDamage | undefined
  /** Damage known when the store was opened, at most `storeLimits.damages` places. */
  readonly damage: ReadonlyArray<StoreDamage>
  /** All of it, counted. */
  readonly damages: number
}

export interface FileChainStore extends ChainStoreService {
  readonly openReport: OpenReport
  /** Damage known by now: found when the store was opened, or by a read since. */
  readonly damage: ReadonlyArray<StoreDamage>
  /** Reads all log files again and checks the checksum of every record; what it finds is known from then on, also to the next who opens the store. */
  checkLogs(onProgress: (progress: ScanProgress) => void): Effect.Effect<ReadonlyArray<StoreDamage>, StoreError>
}

/** A damaged place in the words of a report. */
export const damageOf = (directory: string, { file, kind, length, offset, what }: DamageEntry): StoreDamage => ({
  path: `${directory}/${logName(file)}`,
  offset,
  bytes: length,
  what: kind === 0 ? what : `${kindName(kind)}: ${what}`
})

export interface FileStoreParts {
  readonly files: (typeof FileSystem)["Service"]
  readonly directory: string
  readonly rules: Pick<ChainRules, "decodeHeader">
  readonly identity: StoreIdentity
  readonly index: StoreIndex
  readonly log: StoreLog
  readonly openReport: OpenReport
  readonly append: (append: Append) => Effect.Effect<void, StoreError>
}

export class FileStore implements FileChainStore {
  readonly identity: StoreIdentity
  readonly openReport: OpenReport
  private readonly parts: FileStoreParts
  private readonly idBytes: number

  constructor(parts: FileStoreParts) {
    this.parts = parts
    this.identity = parts.identity
    this.openReport = parts.openReport
    this.idBytes = parts.index.identity.idBytes
  }

  get head(): BlockRef {
    return this.parts.index.state.head
  }

  get pending(): { readonly firstLevel: number; readonly ids: ReadonlyArray<BlockId> } {
    return this.parts.index.pending
  }

  get looseHeaders(): number {
    return this.parts.index.state.loose
  }

  get damage(): ReadonlyArray<StoreDamage> {
    return this.parts.index.damages().map((damage) => damageOf(this.parts.directory, damage))
  }

  appendHeaders(headers: ReadonlyArray<HeaderFacts>): Effect.Effect<void, StoreError> {
    return this.append(() => refuseHeaders(headers), { kind: "headers", headers })
  }

  appendUnits(units: ReadonlyArray<BodyUnit>): Effect.Effect<void, StoreError> {
    return this.append(() => refuseUnits(units), { kind: "units", units })
  }

  appendSegment(segment: ChosenSegment): Effect.Effect<void, StoreError> {
    const refuse = (): Refusal | undefined => {
      const refusal = refuseSegment(segment, this.identity.base)
      if (refusal !== undefined || evidenceLength(segment) <= storeLimits.evidenceBytes) return refusal
      return { reason: "too-large", message: `evidence of more than ${storeLimits.evidenceBytes} bytes` }
    }
    return this.append(refuse, { kind: "segment", segment })
  }

  appendApplied(step: AppliedStep): Effect.Effect<void, StoreError> {
    return this.append(() => undefined, { kind: "step", step })
  }

  hasHeader(id: BlockId): boolean {
    return this.parts.index.findHeader(this.key(id)) !== undefined
  }

  unitsHeld(id: BlockId): number {
    return this.parts.index.unitsHeld(this.key(id))
  }

  appliedAt(level: number): BlockId | undefined {
    return this.parts.index.appliedAt(level)
  }

  appliedLevel(id: BlockId): number | undefined {
    return this.parts.index.appliedLevel(this.key(id))
  }

  readHeaders(ids: ReadonlyArray<BlockId>): Effect.Effect<ReadonlyArray<HeaderFacts | undefined>, StoreError> {
    return Effect.suspend(() => {
      const { index, rules } = this.parts
      const headers: Array<HeaderFacts | undefined> = ids.map(() => undefined)
      const keys = ids.map((id) => this.key(id))
      const places = keys.map((key) => index.findHeader(key))
      const held = ids.flatMap((_, i) => places[i] === undefined ? [] : [i])
      const lost: Array<number> = []
      return this.parts.log.readRecords(held.map((i) => places[i]!), (at, record) => {
        const i = held[at]!
        const payload = record?.kind === recordKinds.header
          ? readHeaderPayload(record.payload, this.idBytes)
          : undefined
        const header = payload === undefined ? undefined : rules.decodeHeader(payload.bytes)
        if (typeof header === "object" && header.id === ids[i]) headers[i] = header
        else lost.push(i)
      }).pipe(
        Effect.andThen(this.change(() => {
          for (const i of lost) index.dropHeader(keys[i]!, unreadable(places[i]!, recordKinds.header))
        })),
        Effect.as(headers)
      )
    })
  }

  readUnits(id: BlockId): Effect.Effect<ReadonlyArray<Uint8Array | undefined>, StoreError> {
    return Effect.suspend(() => {
      const { index } = this.parts
      const key = this.key(id)
      const places = index.findUnits(key)
      const units: Array<Uint8Array | undefined> = Array.from({ length: (places.at(-1)?.unit ?? -1) + 1 })
      const lost: Array<number> = []
      return this.parts.log.readRecords(places, (at, record) => {
        const payload = record?.kind === recordKinds.unit ? readUnitPayload(record.payload, this.idBytes) : undefined
        const { unit } = places[at]!
        if (payload !== undefined && payload.unit === unit && idToText(payload.block) === id) {
          units[unit] = payload.body.slice()
        } else lost.push(at)
      }).pipe(
        Effect.andThen(this.change(() => {
          for (const at of lost) index.dropUnit(key, places[at]!.unit, unreadable(places[at]!, recordKinds.unit))
        })),
        Effect.as(units)
      )
    })
  }

  evidence(fromLevel: number, toLevel: number): Effect.Effect<ReadonlyArray<ChosenSegment>, StoreError> {
    return Effect.suspend(() => {
      const { index, log } = this.parts
      const read = Effect.fnUntraced(function*(this: FileStore, place: RecordLocation) {
        const bytes = yield* log.readRange(place.file, place.offset, place.length)
        const segment = readSegmentRecords(bytes, { ...place, salt: log.options.salt }, this.idBytes)
        if (segment !== undefined) return [segment]
        yield* this.change(() => index.dropSegment(unreadable(place, recordKinds.segment)))
        return []
      }.bind(this))
      return Effect.map(Effect.forEach(index.segments(fromLevel, toLevel), (place) => read(place)), (all) => all.flat())
    })
  }

  writeDocument(name: string, text: string): Effect.Effect<void, StoreError> {
    return Effect.suspend(() => {
      const bytes = new TextEncoder().encode(text)
      const refusal = refuseDocument(name, bytes.length)
      if (refusal !== undefined) return Effect.fail(fromRefusal(this.parts.directory, refusal))
      return Effect.mapError(this.parts.files.writeFileAtomic(this.documentPath(name), bytes), fromFile)
    })
  }

  readDocument(name: string): Effect.Effect<string | undefined, StoreError> {
    return Effect.suspend(() => {
      const refusal = refuseDocument(name, 0)
      if (refusal !== undefined) return Effect.fail(fromRefusal(this.parts.directory, refusal))
      const read = this.parts.files.readFile(this.documentPath(name), storeLimits.documentBytes)
      return read.pipe(
        Effect.map((bytes): string | undefined => new TextDecoder().decode(bytes)),
        Effect.catchIf(({ reason }) => reason === "not-found", () => Effect.as(Effect.void, undefined)),
        Effect.mapError(fromFile)
      )
    })
  }

  checkLogs(onProgress: (progress: ScanProgress) => void): Effect.Effect<ReadonlyArray<StoreDamage>, StoreError> {
    const { directory, files, index, log } = this.parts
    return checkLogFiles({ ...log.options, onProgress }).pipe(
      Effect.tap((found) => this.change(() => index.noteDamage(found))),
      Effect.map((found) => found.map((damage) => damageOf(directory, damage))),
      Effect.provideService(FileSystem, files)
    )
  }

  private key(id: BlockId): Uint8Array {
    return idToBytes(id, this.idBytes)
  }

  private documentPath(name: string): string {
    return `${this.parts.directory}/documents/${name}`
  }

  private append(refuse: () => Refusal | undefined, append: Append): Effect.Effect<void, StoreError> {
    return Effect.suspend(() => {
      const refusal = refuse()
      return refusal === undefined
        ? this.parts.append(append)
        : Effect.fail(fromRefusal(this.parts.directory, refusal))
    })
  }

  private change(body: () => void): Effect.Effect<void, StoreError> {
    return Effect.try({ try: body, catch: (cause) => fromIndex(this.parts.index.path, cause) })
  }
}

const unreadable = ({ file, length, offset }: RecordLocation, kind: number): DamageEntry => ({
  file,
  offset,
  length,
  kind,
  what: "cannot be read back as it was written"
})
