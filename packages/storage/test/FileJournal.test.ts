import { assert, describe, it } from "@effect/vitest"
import { turns } from "@peerstrap/conformance"
import { FileJournal, FileSystem, Journal, Limits, MemoryFileSystem } from "@peerstrap/storage"
import type * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"

type Memory = MemoryFileSystem.MemoryFileSystem
type Files = FileSystem["Service"]
type Service = Context.Service.Shape<typeof Journal>

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

const open = <A, E>(
  memory: Memory,
  use: (journal: Service) => Effect.Effect<A, E>,
  options: Partial<FileJournal.FileJournalOptions> = {}
) =>
  Effect.scoped(Effect.flatMap(FileJournal.open({ directory: "/journal", ...options }), use)).pipe(
    Effect.provideService(FileSystem, memory.fileSystem)
  )

const append = (memory: Memory, texts: ReadonlyArray<string>, options: Partial<FileJournal.FileJournalOptions> = {}) =>
  open(memory, (journal) => journal.append(texts.map(bytesOf)), options)

const allOf = (journal: Service, from?: number) =>
  Effect.map(
    Stream.runCollect(journal.replay(from)),
    (pages) => pages.flatMap(({ first, records }) => records.map((record, i) => `${first + i} ${textOf(record)}`))
  )

const segmentsOf = (memory: Memory) => memory.fileSystem.list("/journal")

/** Replaces a file of the journal, as a disk that forgets would. */
const spoil = Effect.fnUntraced(function*(memory: Memory, index: number, change: (bytes: Uint8Array) => Uint8Array) {
  const path = `/journal/${(yield* segmentsOf(memory))[index]!}`
  const bytes = yield* memory.fileSystem.readFile(path, 1e8)
  yield* memory.fileSystem.writeFileAtomic(path, change(bytes))
  return path
})

const flip = (at: number) => (bytes: Uint8Array) => {
  const out = bytes.slice()
  out[at < 0 ? out.length + at : at]! ^= 0x10
  return out
}

describe("FileJournal", () => {
  it.effect("keeps records across openings, numbered through", () =>
    Effect.gen(function*() {
      const memory = MemoryFileSystem.make()
      assert.strictEqual(yield* append(memory, ["a", ""]), 0)
      assert.strictEqual(yield* append(memory, ["c"]), 2)
      yield* open(memory, (journal) =>
        Effect.gen(function*() {
          assert.deepStrictEqual(yield* allOf(journal), ["0 a", "1 ", "2 c"])
          assert.deepStrictEqual(yield* allOf(journal, 1), ["1 ", "2 c"])
          assert.deepStrictEqual(yield* journal.bounds, { first: 0, next: 3 })
          assert.strictEqual(journal.cut, undefined)
        }))
    }))

  it.effect("opening alone writes no segment", () =>
    Effect.gen(function*() {
      const memory = MemoryFileSystem.make()
      yield* open(memory, allOf)
      assert.deepStrictEqual(yield* segmentsOf(memory), [])
    }))

  it.effect("leaves its directory free when it cannot be opened, before its scope ends", () =>
    Effect.scoped(Effect.gen(function*() {
      const memory = MemoryFileSystem.make()
      yield* append(memory, ["kept"])
      const opening = Effect.provideService(FileJournal.open({ directory: "/journal" }), FileSystem, memory.fileSystem)
      for (const operation of ["lock", "list", "openRead", "read", "sync"]) {
        memory.plan([{ at: 1, operation, reason: "io" }])
        assert.strictEqual((yield* Effect.flip(opening)).reason, "io", operation)
      }
      const journal = yield* opening
      assert.deepStrictEqual(yield* allOf(journal), ["0 kept"])
      assert.strictEqual((yield* Effect.flip(opening)).reason, "in-use")
    })))

  it.effect("drops nothing after its end, and ends after what is being dropped", () =>
    Effect.gen(function*() {
      const memory = MemoryFileSystem.make()
      const gate = Deferred.makeUnsafe<void>()
      const slow: Files = {
        ...memory.fileSystem,
        remove: (path) => Effect.andThen(Deferred.await(gate), memory.fileSystem.remove(path))
      }
      const ended = yield* Effect.forkChild(
        Effect.scoped(Effect.gen(function*() {
          const journal = yield* FileJournal.open({ directory: "/journal", segmentBytes: 1 })
          for (const text of ["a", "b", "c"]) yield* journal.append([bytesOf(text)])
          return { journal, dropping: yield* Effect.forkDetach(journal.dropBefore(2), { startImmediately: true }) }
        })).pipe(Effect.provideService(FileSystem, slow))
      )
      yield* turns(100)
      assert.isUndefined(ended.pollUnsafe())
      assert.strictEqual((yield* Effect.flip(open(memory, allOf))).reason, "in-use")
      yield* Deferred.succeed(gate, undefined)
      const { dropping, journal } = yield* Fiber.join(ended)
      yield* Fiber.join(dropping)
      assert.strictEqual((yield* Effect.flip(journal.dropBefore(3))).reason, "closed")
      assert.deepStrictEqual(yield* open(memory, allOf), ["2 c"])
    }))

  it.effect("a hundred concurrent appends take two syncs of one file", () =>
    Effect.gen(function*() {
      const memory = MemoryFileSystem.make()
      yield* open(memory, (journal) =>
        Effect.gen(function*() {
          yield* journal.append([bytesOf("first")])
          const before = memory.operations
          const numbers = yield* Effect.forEach(
            Array.from({ length: 100 }, (_, i) => i),
            (i) => journal.append([bytesOf(`${i}`)]),
            { concurrency: "unbounded" }
          )
          assert.deepStrictEqual(numbers, Array.from({ length: 100 }, (_, i) => i + 1))
          assert.strictEqual(memory.operations - before, 2)
        }))
    }))

  it.effect("cuts a torn end at each byte, and goes on behind it", () =>
    Effect.gen(function*() {
      const whole = MemoryFileSystem.make()
      yield* open(whole, (journal) =>
        Effect.andThen(journal.append([bytesOf("kept")]), journal.append([bytesOf("torn"), bytesOf("x")])))
      const name = (yield* segmentsOf(whole))[0]!
      const bytes = yield* whole.fileSystem.readFile(`/journal/${name}`, 1e6)
      const ends = 24 + 28 + 8
      for (let length = 0; length < bytes.length; length++) {
        const memory = MemoryFileSystem.make()
        yield* memory.fileSystem.writeFileAtomic(`/journal/${name}`, bytes.subarray(0, length))
        const kept = length >= ends ? ["0 kept"] : []
        const next = yield* open(memory, (journal) =>
          Effect.gen(function*() {
            const isWhole = length === ends || length === 24
            assert.strictEqual(
              journal.cut?.bytes,
              isWhole ? undefined : length - (length > ends ? ends : length > 24 ? 24 : 0)
            )
            assert.deepStrictEqual(yield* allOf(journal), kept)
            return yield* journal.append([bytesOf("more")])
          }))
        assert.strictEqual(next, kept.length)
        yield* open(memory, (journal) =>
          Effect.gen(function*() {
            assert.deepStrictEqual(yield* allOf(journal), [...kept, `${next} more`])
            assert.strictEqual(journal.cut, undefined)
          }))
      }
    }))

  it.effect("damage before the end is an error that names the file and the offset", () =>
    Effect.gen(function*() {
      const reference = MemoryFileSystem.make()
      yield* open(reference, (journal) =>
        Effect.andThen(journal.append([bytesOf("first")]), journal.append([bytesOf("second")])))
      const name = (yield* segmentsOf(reference))[0]!
      const bytes = yield* reference.fileSystem.readFile(`/journal/${name}`, 1e6)
      // Every bit of the first frame: the second one behind it tells that it was whole once.
      for (let at = 24; at < 24 + 28 + 9; at++) {
        const memory = MemoryFileSystem.make()
        yield* memory.fileSystem.writeFileAtomic(`/journal/${name}`, flip(at)(bytes))
        const error = yield* Effect.flip(open(memory, allOf))
        assert.strictEqual((error as { reason: string }).reason, "damaged")
        assert.include(error.message, `/journal/${name}: record 0 at offset 24 does not hold`)
      }
    }))

  it.effect("a flipped bit of the segment's header is an error", () =>
    Effect.gen(function*() {
      const memory = MemoryFileSystem.make()
      yield* append(memory, ["a"])
      yield* spoil(memory, 0, flip(9))
      assert.include((yield* Effect.flip(open(memory, allOf))).message, "header of the segment does not hold")
    }))

  it.effect("damage and loss in an earlier segment show in the replay", () =>
    Effect.gen(function*() {
      for (const change of [flip(-1), (bytes: Uint8Array) => bytes.subarray(0, 24)]) {
        const memory = MemoryFileSystem.make()
        yield* append(memory, ["a"])
        yield* append(memory, ["b"])
        yield* spoil(memory, 0, change)
        const error = yield* Effect.flip(open(memory, allOf))
        assert.include(error.message, "0000000000000000.journal: record 0 at offset 24 does not hold")
      }
    }))

  it.effect("records that hold a whole journal do not make a torn end look like damage", () =>
    Effect.gen(function*() {
      const inner = MemoryFileSystem.make()
      yield* append(inner, ["one", "two"])
      const name = (yield* segmentsOf(inner))[0]!
      const copy = yield* inner.fileSystem.readFile(`/journal/${name}`, 1e6)
      const outer = MemoryFileSystem.make()
      yield* open(outer, (journal) => journal.append([copy, bytesOf("end")]))
      yield* spoil(outer, 0, (bytes) => bytes.subarray(0, bytes.length - 1))
      yield* open(outer, (journal) => Effect.sync(() => assert.strictEqual(journal.cut?.offset, 24)))
    }))

  it.effect("drops whole segments only, and tells who asks for what is gone", () =>
    Effect.gen(function*() {
      const memory = MemoryFileSystem.make()
      yield* open(memory, (journal) =>
        Effect.gen(function*() {
          for (let i = 0; i < 10; i++) yield* journal.append([bytesOf(`${i}`.repeat(20))])
          assert.strictEqual((yield* segmentsOf(memory)).length, 5)
          yield* journal.dropBefore(5)
          assert.deepStrictEqual(yield* journal.bounds, { first: 4, next: 10 })
          const error = yield* Effect.flip(Stream.runDrain(journal.replay(3)))
          assert.strictEqual((error as { reason: string }).reason, "dropped")
          yield* journal.dropBefore(1000)
          assert.deepStrictEqual(yield* journal.bounds, { first: 8, next: 10 })
        }), { segmentBytes: 100 })
      memory.crash()
      yield* open(memory, (journal) =>
        Effect.gen(function*() {
          assert.deepStrictEqual((yield* allOf(journal)).map((line) => line.slice(0, 3)), ["8 8", "9 9"])
        }))
    }))

  it.effect("a full disk fails the append alone; a failed sync breaks the journal until it is opened anew", () =>
    Effect.gen(function*() {
      const memory = MemoryFileSystem.make()
      yield* open(memory, (journal) =>
        Effect.gen(function*() {
          yield* journal.append([bytesOf("a")])
          memory.plan([{ at: 1, operation: "append", reason: "no-space" }])
          assert.strictEqual((yield* Effect.flip(journal.append([bytesOf("b")])))._tag, "FileError")
          assert.strictEqual(yield* journal.append([bytesOf("c")]), 1)
          memory.plan([{ at: 1, operation: "sync", reason: "io" }])
          assert.strictEqual((yield* Effect.flip(journal.append([bytesOf("d")])))._tag, "FileError")
          assert.include((yield* Effect.flip(journal.append([bytesOf("e")]))).message, "open the journal anew")
          assert.deepStrictEqual(yield* allOf(journal), ["0 a", "1 c"])
        }))
      memory.crash()
      yield* open(memory, (journal) => Effect.map(allOf(journal), (all) => assert.deepStrictEqual(all, ["0 a", "1 c"])))
      assert.strictEqual(memory.openFiles, 0)
    }))

  it.effect("each operation of the disk may fail: no append that returned is lost, no file stays open", () =>
    Effect.gen(function*() {
      for (const operation of ["list", "create", "append", "sync", "syncDirectory"]) {
        for (let at = 1, isOver = false; !isOver; at++) {
          const memory = MemoryFileSystem.make({ faults: [{ at, operation, reason: "io" }] })
          const kept: Array<string> = []
          const write = (text: string) => (journal: Service) =>
            Effect.map(journal.append([bytesOf(text)]), (number) => void kept.push(`${number} ${text}`))
          const three = (journal: Service) =>
            Effect.forEach(["a", "b", "c"], (text) => Effect.exit(write(text.repeat(40))(journal)))
          yield* Effect.exit(open(memory, three, { segmentBytes: 60 }))
          isOver = kept.length === 3
          assert.strictEqual(memory.openFiles, 0, `${operation} ${at}`)
          memory.plan([])
          memory.crash()
          const found = yield* open(memory, allOf)
          for (const line of kept) assert.include(found, line, `${operation} ${at}`)
        }
      }
    }))

  it.effect("refuses records and batches above the maximum, before it writes", () =>
    Effect.gen(function*() {
      const memory = MemoryFileSystem.make()
      yield* open(memory, (journal) =>
        Effect.gen(function*() {
          yield* journal.append([new Uint8Array(10)])
          for (const batch of [[new Uint8Array(11)], Array.from({ length: 400_000 }, () => new Uint8Array(10))]) {
            const error = yield* Effect.flip(journal.append(batch))
            assert.strictEqual((error as { reason: string }).reason, "too-large")
          }
          assert.deepStrictEqual(yield* journal.bounds, { first: 0, next: 1 })
        }), { maxRecordBytes: 10 })
      const error = yield* Effect.flip(open(memory, allOf, { maxRecordBytes: Limits.journalRecordBytes + 1 }))
      assert.strictEqual((error as { reason: string }).reason, "too-large")
    }))

  it.effect("a closed journal refuses, and closing waits for what was submitted", () =>
    Effect.gen(function*() {
      const memory = MemoryFileSystem.make()
      let kept: Service | undefined
      const fiber = yield* open(memory, (journal) => {
        kept = journal
        return Effect.forkDetach(journal.append([bytesOf("late")]), { startImmediately: true })
      })
      assert.isTrue(Exit.isSuccess(yield* Fiber.await(fiber)))
      const error = yield* Effect.flip(kept!.append([bytesOf("x")]))
      assert.include(error.message, "the journal is closed")
      assert.strictEqual(memory.openFiles, 0)
    }))
})
