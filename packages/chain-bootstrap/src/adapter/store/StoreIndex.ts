/**
 * The index of a chain store in `node:sqlite`: where each record is, which blocks are applied, which are pending. It can always be made again from the
 * log, so it is not synced; rows whose values nothing else would prove carry a checksum. Synchronous.
 */
import { DatabaseSync, type StatementSync } from "node:sqlite"
import { crc32 } from "node:zlib"
import type { BlockRef } from "../../contract/Block.ts"
import { StoreError } from "../../contract/ChainStore.ts"
import { storeLimits } from "../../contract/StoreLimits.ts"
import { type ChosenRun, emptyRun, pendingFrom, withRollback, withSegment } from "../../engine/store/ChosenRun.ts"
import type { DamageEntry, IndexEntry, RecordLocation } from "../../engine/store/IndexEntry.ts"
import { recordKinds } from "../../engine/store/RecordCodec.ts"
import { idToBytes, idToText } from "../../engine/store/RecordPayloads.ts"

/** Of what the log says up to `position` the index knows everything. */
export interface IndexState {
  readonly file: number
  readonly offset: number
  readonly head: BlockRef
  readonly run: ChosenRun
  readonly loose: number
  readonly damages: number
}

export interface IndexIdentity {
  readonly salt: number
  readonly idBytes: number
  readonly base: BlockRef
}

const version = 1

const schema = `
  CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS header (id BLOB PRIMARY KEY, file INT, offset INT, length INT, chosen INT) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS unit (block BLOB, unit INT, file INT, offset INT, length INT, PRIMARY KEY (block, unit))
    WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS applied (level INTEGER PRIMARY KEY, id BLOB NOT NULL, crc INT NOT NULL);
  CREATE TABLE IF NOT EXISTS applied_level (id BLOB PRIMARY KEY, level INT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS chosen (level INTEGER PRIMARY KEY, id BLOB NOT NULL, crc INT NOT NULL);
  CREATE TABLE IF NOT EXISTS segment (first INT, last INT, file INT, offset INT, length INT);
  CREATE TABLE IF NOT EXISTS damage (file INT, offset INT, length INT, kind INT, what TEXT);
`

const sql = {
  readMeta: "SELECT value FROM meta WHERE name = ?",
  writeMeta: "INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
  findHeader: "SELECT file, offset, length, chosen FROM header WHERE id = ?",
  writeHeader:
    "INSERT INTO header VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET file = excluded.file, offset = excluded.offset, length = excluded.length, chosen = excluded.chosen",
  findUnits: "SELECT unit, file, offset, length FROM unit WHERE block = ? ORDER BY unit",
  writeUnit:
    "INSERT INTO unit VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET file = excluded.file, offset = excluded.offset, length = excluded.length",
  dropUnit: "DELETE FROM unit WHERE block = ? AND unit = ?",
  findApplied: "SELECT id, crc FROM applied WHERE level = ?",
  writeApplied: "INSERT OR REPLACE INTO applied VALUES (?, ?, ?)",
  dropApplied: "DELETE FROM applied WHERE level >= ?",
  findLevel: "SELECT level FROM applied_level WHERE id = ?",
  writeLevel: "INSERT OR REPLACE INTO applied_level VALUES (?, ?)",
  dropLevels: "DELETE FROM applied_level WHERE id IN (SELECT id FROM applied WHERE level >= ?)",
  findChosen: "SELECT id, crc FROM chosen WHERE level = ?",
  writeChosen: "INSERT OR REPLACE INTO chosen VALUES (?, ?, ?)",
  dropChosenFrom: "DELETE FROM chosen WHERE level >= ?",
  dropChosenTo: "DELETE FROM chosen WHERE level <= ?",
  writeSegment: "INSERT INTO segment VALUES (?, ?, ?, ?, ?)",
  findSegments:
    "SELECT first, file, offset, length FROM segment WHERE first <= ? AND last >= ? ORDER BY first, file, offset",
  dropSegment: "DELETE FROM segment WHERE file = ? AND offset = ?",
  writeDamage: "INSERT INTO damage VALUES (?, ?, ?, ?, ?)",
  findDamages: "SELECT file, offset, length, kind, what FROM damage ORDER BY file, offset"
} as const

type Statement = keyof typeof sql
type Row = Record<string, unknown>

const rowBytes = new Uint8Array(4)
const rowCrc = (level: number, id: Uint8Array): number => {
  new DataView(rowBytes.buffer).setUint32(0, level)
  return crc32(id, crc32(rowBytes))
}

const locationOf = (row: Row): RecordLocation => ({
  file: Number(row["file"]),
  offset: Number(row["offset"]),
  length: Number(row["length"])
})

const placeOf = ({ file, length, offset }: RecordLocation): string => `${file} ${offset} ${length}`

/** Thrown where the index contradicts itself: it is given up and made anew at the next start. */
const spoiled = (path: string, what: string): StoreError =>
  new StoreError({
    reason: "damaged",
    path,
    message: `the index contradicts itself (${what}). Start again: it is made anew from the log, which is not affected`
  })

export class StoreIndex {
  readonly path: string
  readonly identity: IndexIdentity
  private readonly db: DatabaseSync
  private readonly statements = new Map<Statement, StatementSync>()
  private current: IndexState
  private isSpoiled = false

  private constructor(path: string, identity: IndexIdentity, db: DatabaseSync) {
    this.path = path
    this.identity = identity
    this.db = db
    const head = identity.base
    this.current = { file: 0, offset: 0, head, run: emptyRun, loose: 0, damages: 0 }
  }

  /** Opens or makes an index. Throws what SQLite throws; `all`: reads all of it for errors first. */
  static open(path: string, identity: IndexIdentity, check: "none" | "all"): StoreIndex {
    const db = new DatabaseSync(path)
    try {
      db.exec("PRAGMA page_size = 8192; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL")
      db.exec("PRAGMA synchronous = OFF; PRAGMA cache_size = -32768")
      if (check !== "none") {
        const found = Object.values(db.prepare("PRAGMA integrity_check(1)").get() ?? {})[0]
        if (found !== "ok") throw spoiled(path, String(found))
      }
      db.exec(schema)
      const index = new StoreIndex(path, identity, db)
      index.restore()
      return index
    } catch (cause) {
      db.close()
      throw cause
    }
  }

  get state(): IndexState {
    return this.current
  }

  /** Whether the last holder closed it. */
  get wasClosed(): boolean {
    return this.meta("closed") === "yes"
  }

  /** What a check of the index's structure finds, or undefined. */
  structureProblem(): string | undefined {
    const found = Object.values(this.db.prepare("PRAGMA quick_check(1)").get() ?? {})[0]
    return found === "ok" ? undefined : `the index is damaged: ${String(found)}`
  }

  /** Closes it as it is. */
  abandon(): void {
    this.db.close()
  }

  markOpen(): void {
    this.run("writeMeta", "closed", "no")
  }

  close(): void {
    if (!this.isSpoiled) this.run("writeMeta", "closed", "yes")
    else this.run("writeMeta", "state", "spoiled")
    this.db.close()
  }

  /** Takes entries in the order of the log and remembers that the log is known up to `position`, all or nothing. */
  take(entries: ReadonlyArray<IndexEntry>, position: { readonly file: number; readonly offset: number }): void {
    const before = this.current
    this.db.exec("BEGIN")
    try {
      for (const entry of entries) this.enter(entry)
      this.current = { ...this.current, ...position }
      this.save()
      this.db.exec("COMMIT")
    } catch (cause) {
      this.current = before
      if (this.db.isTransaction) this.db.exec("ROLLBACK")
      throw cause
    }
  }

  findHeader(id: Uint8Array): RecordLocation | undefined {
    const row = this.get("findHeader", id)
    return row === undefined || Number(row["file"]) === 0 ? undefined : locationOf(row)
  }

  findUnits(block: Uint8Array): ReadonlyArray<RecordLocation & { readonly unit: number }> {
    return this.all("findUnits", block).map((row) => ({ ...locationOf(row), unit: Number(row["unit"]) }))
  }

  /** Bit mask of the units held of a block. */
  unitsHeld(block: Uint8Array): number {
    let mask = 0
    for (const { unit } of this.all("findUnits", block)) mask |= 1 << Number(unit)
    return mask
  }

  appliedAt(level: number): string | undefined {
    const { base } = this.identity
    if (level === base.level) return base.id
    if (level < base.level || level > this.current.head.level) return undefined
    return this.row("findApplied", level) ?? this.spoil(`no block applied at level ${level}`)
  }

  appliedLevel(id: Uint8Array): number | undefined {
    const text = idToText(id)
    if (text === this.identity.base.id) return this.identity.base.level
    const row = this.get("findLevel", id)
    if (row === undefined) return undefined
    const level = Number(row["level"])
    return this.appliedAt(level) === text ? level : this.spoil(`block ${text} at level ${level}`)
  }

  get pending(): { readonly firstLevel: number; readonly ids: ReadonlyArray<string> } {
    const { head, run } = this.current
    const firstLevel = head.level + 1
    const from = pendingFrom(run, head, this.chosenRow)
    if (from === undefined) return { firstLevel, ids: [] }
    const ids = Array.from({ length: run.first + run.count - from }, (_, i) => this.chosenRow(from + i))
    return { firstLevel, ids }
  }

  segments(from: number, to: number): ReadonlyArray<RecordLocation & { readonly first: number }> {
    return this.all("findSegments", to, from).map((row) => ({ ...locationOf(row), first: Number(row["first"]) }))
  }

  damages(): ReadonlyArray<DamageEntry> {
    return this.all("findDamages").map((row) => ({
      ...locationOf(row),
      kind: Number(row["kind"]),
      what: String(row["what"])
    }))
  }

  /** A header that cannot be read any more is not held. */
  dropHeader(id: Uint8Array, damage: DamageEntry): void {
    this.change(() => {
      const row = this.get("findHeader", id)
      if (row === undefined || Number(row["file"]) === 0) return
      const chosen = Number(row["chosen"])
      this.run("writeHeader", id, 0, 0, 0, chosen)
      if (chosen === 0) this.current = { ...this.current, loose: this.current.loose - 1 }
      this.damage(damage)
    })
  }

  dropUnit(block: Uint8Array, unit: number, damage: DamageEntry): void {
    this.change(() => {
      this.run("dropUnit", block, unit)
      this.damage(damage)
    })
  }

  dropSegment(damage: DamageEntry): void {
    this.change(() => {
      this.run("dropSegment", damage.file, damage.offset)
      this.damage(damage)
    })
  }

  /** Damage that a check of the logs has found, unless it is known. */
  noteDamage(found: ReadonlyArray<DamageEntry>): void {
    const known = new Set(this.damages().map(placeOf))
    this.change(() => {
      for (const damage of found) if (!known.has(placeOf(damage))) this.damage(damage)
    })
  }

  private change(body: () => void): void {
    body()
    this.save()
  }

  private enter(entry: IndexEntry): void {
    if (entry.kind === "header") this.enterHeader(entry.id, entry.at)
    else if (entry.kind === "unit") {
      this.run("writeUnit", entry.block, entry.unit, entry.at.file, entry.at.offset, entry.at.length)
    } else if (entry.kind === "segment") this.enterSegment(entry)
    else if (entry.kind === "applied") this.enterApplied(entry)
    else if (entry.kind === "rollback") this.enterRollback(entry)
    else this.damage(entry.damage)
  }

  private enterHeader(id: Uint8Array, at: RecordLocation): void {
    const row = this.get("findHeader", id)
    if (row !== undefined && Number(row["file"]) !== 0) return
    const chosen = Number(row?.["chosen"] ?? 0)
    this.run("writeHeader", id, at.file, at.offset, at.length, chosen)
    if (chosen === 0) this.current = { ...this.current, loose: this.current.loose + 1 }
  }

  private enterSegment(entry: IndexEntry & { readonly kind: "segment" }): void {
    const { idBytes } = this.identity
    const { at, firstLevel, ids } = entry
    const count = ids.length / idBytes
    const segment = { first: firstLevel, count, parent: idToText(entry.parent) }
    const { deleteFrom, run } = withSegment(this.current.run, segment, this.chosenRow)
    this.run("dropChosenFrom", deleteFrom)
    let loose = this.current.loose
    for (let i = 0; i < count; i++) {
      const id = ids.subarray(i * idBytes, (i + 1) * idBytes)
      this.run("writeChosen", firstLevel + i, id, rowCrc(firstLevel + i, id))
      const row = this.get("findHeader", id)
      if (Number(row?.["chosen"] ?? 0) === 1) continue
      const held = locationOf(row ?? { file: 0, offset: 0, length: 0 })
      if (held.file !== 0) loose--
      this.run("writeHeader", id, held.file, held.offset, held.length, 1)
    }
    this.run("writeSegment", firstLevel, firstLevel + count - 1, at.file, at.offset, at.length)
    this.current = { ...this.current, run, loose }
  }

  private enterApplied(entry: IndexEntry & { readonly kind: "applied" }): void {
    const { idBytes } = this.identity
    const { at, firstLevel, ids } = entry
    const { head } = this.current
    if (firstLevel <= this.identity.base.level || ids.length === 0) return this.unfit(entry)
    if (firstLevel > head.level + 1 && !this.fillGap(firstLevel, at)) return this.unfit(entry)
    if (firstLevel <= head.level) {
      const what = `blocks from level ${firstLevel} on top of a head at level ${head.level}: a rollback is lost`
      this.damage({ ...at, kind: recordKinds.applied, what })
      this.undo(firstLevel - 1)
    }
    for (let i = 0; i < ids.length / idBytes; i++) {
      this.writeApplied(firstLevel + i, ids.subarray(i * idBytes, (i + 1) * idBytes))
    }
    this.trimRun()
  }

  private writeApplied(level: number, id: Uint8Array): void {
    this.run("writeApplied", level, id, rowCrc(level, id))
    this.run("writeLevel", id, level)
    this.current = { ...this.current, head: { id: idToText(id), level } }
  }

  /** A lost step may be filled up from what was chosen, when that links the head to the step after. */
  private fillGap(firstLevel: number, at: RecordLocation): boolean {
    const { head, run } = this.current
    if (pendingFrom(run, head, this.chosenRow) === undefined || firstLevel > run.first + run.count) return false
    this.damage({
      ...at,
      kind: recordKinds.applied,
      what: `levels ${head.level + 1}…${firstLevel - 1} taken from the chosen segments`
    })
    for (let level = head.level + 1; level < firstLevel; level++) {
      this.writeApplied(level, idToBytes(this.chosenRow(level), this.identity.idBytes))
    }
    return true
  }

  private enterRollback(entry: IndexEntry & { readonly kind: "rollback" }): void {
    const { head } = this.current
    if (entry.level > head.level || this.appliedAt(entry.level) !== idToText(entry.id)) return this.unfit(entry)
    this.undo(entry.level)
  }

  private unfit({ at, kind }: IndexEntry & { readonly kind: "applied" | "rollback" }): void {
    const { head } = this.current
    const what = `does not continue the chain that ends at level ${head.level}: records before it are lost`
    this.damage({ ...at, kind: recordKinds[kind], what })
  }

  private undo(to: number): void {
    const above = to + 1
    const undone = this.appliedAt(above)
    const run = withRollback(this.current.run, above, undone, this.chosenRow)
    if (run.count < this.current.run.count) this.run("dropChosenFrom", run.count === 0 ? 0 : run.first + run.count)
    const head = { id: this.appliedAt(to)!, level: to }
    this.run("dropLevels", above)
    this.run("dropApplied", above)
    this.current = { ...this.current, run, head }
  }

  /** Applied blocks leave the run when it goes on from the head. */
  private trimRun(): void {
    const { head, run } = this.current
    const end = run.first + run.count
    if (run.count === 0 || head.level < run.first || head.level >= end) return
    if (this.chosenRow(head.level) !== head.id) return
    this.run("dropChosenTo", head.level)
    const rest = { first: head.level + 1, count: end - head.level - 1, parent: head.id }
    this.current = { ...this.current, run: rest.count === 0 ? emptyRun : rest }
  }

  private damage(entry: DamageEntry): void {
    if (this.current.damages < storeLimits.damages) {
      this.run(
        "writeDamage",
        entry.file,
        entry.offset,
        entry.length,
        entry.kind,
        entry.what
      )
    }
    this.current = { ...this.current, damages: this.current.damages + 1 }
  }

  private readonly chosenRow = (level: number): string =>
    this.row("findChosen", level) ?? this.spoil(`no block chosen at level ${level}`)

  private row(statement: "findApplied" | "findChosen", level: number): string | undefined {
    const row = this.get(statement, level)
    if (row === undefined) return undefined
    const id = row["id"] as Uint8Array
    return rowCrc(level, id) === Number(row["crc"]) ? idToText(id) : this.spoil(`checksum of level ${level}`)
  }

  private spoil(what: string): never {
    this.isSpoiled = true
    throw spoiled(this.path, what)
  }

  private save(): void {
    const state = JSON.stringify(this.current)
    this.run("writeMeta", "state", `${crc32(state)} ${state}`)
  }

  private restore(): void {
    const { base, idBytes, salt } = this.identity
    const made = `${version} ${salt} ${idBytes} ${base.id} ${base.level}`
    const found = this.meta("made")
    if (found === undefined) {
      this.run("writeMeta", "made", made)
      this.save()
      return
    }
    if (found !== made) throw spoiled(this.path, "it belongs to another store or version")
    const text = this.meta("state") ?? ""
    const at = text.indexOf(" ")
    const state = text.slice(at + 1)
    if (at < 0 || crc32(state) !== Number(text.slice(0, at))) throw spoiled(this.path, "its state fails the checksum")
    this.current = JSON.parse(state) as IndexState
  }

  private meta(name: string): string | undefined {
    const value = this.get("readMeta", name)?.["value"]
    return value === undefined ? undefined : String(value)
  }

  private prepared(name: Statement): StatementSync {
    const found = this.statements.get(name)
    if (found !== undefined) return found
    const made = this.db.prepare(sql[name])
    this.statements.set(name, made)
    return made
  }

  private get(name: Statement, ...values: ReadonlyArray<Uint8Array | number | string>): Row | undefined {
    return this.prepared(name).get(...values)
  }

  private all(name: Statement, ...values: ReadonlyArray<Uint8Array | number | string>): ReadonlyArray<Row> {
    return this.prepared(name).all(...values)
  }

  private run(name: Statement, ...values: ReadonlyArray<Uint8Array | number | string>): void {
    this.prepared(name).run(...values)
  }
}
