/** A level file on the real file system: by events alone (the clock of these tests stands still), and by polls alone. */
import { assert, describe, it } from "@effect/vitest"
import { LevelControl, LevelSource, SettableLevel, WatchedFileLevel } from "@peerstrap/consistency-policy"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Queue from "effect/Queue"
import * as References from "effect/References"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as fs from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"

const quietly = Effect.provideService(References.MinimumLogLevel, "None")

const temporaryDirectory = Effect.acquireRelease(
  Effect.promise(() => fs.mkdtemp(join(tmpdir(), "level-file-"))),
  (path) => Effect.promise(() => fs.rm(path, { recursive: true, force: true }))
)

const write = (path: string, content: string): Effect.Effect<void> => Effect.promise(() => fs.writeFile(path, content))

/** As careful programs do it: a whole file is put in the place of the old one. */
const replace = (path: string, content: string): Effect.Effect<void> =>
  Effect.promise(async () => {
    await fs.writeFile(`${path}.new`, content)
    await fs.rename(`${path}.new`, path)
  })

const remove = (path: string): Effect.Effect<void> => Effect.promise(() => fs.unlink(path))

/** Reads `changes` into a queue; its first element is taken off and returned. */
const follow = Effect.gen(function*() {
  const source = yield* LevelSource
  const seen = yield* Queue.unbounded<string>()
  yield* Effect.forkScoped(
    Stream.runForEach(source.changes, (change) => Queue.offer(seen, `${change.level} by ${change.origin}`))
  )
  return { first: yield* Queue.take(seen), next: Queue.take(seen) }
})

/** Log lines as they come, level first. */
const logLines = Effect.gen(function*() {
  const lines = yield* Queue.unbounded<string>()
  const logger = Logger.make(({ logLevel, message }) => {
    Queue.offerUnsafe(lines, `${logLevel} ${Array.isArray(message) ? message.join(" ") : String(message)}`)
  })
  return { layer: Logger.layer([logger]), next: Queue.take(lines) }
})

describe("a watched level file, by events", () => {
  it.effect("the file overrides the flag from the start, and the flag is back when it is deleted", () =>
    Effect.gen(function*() {
      const path = join(yield* temporaryDirectory, "level")
      yield* write(path, "  none \n")
      yield* Effect.gen(function*() {
        const { first, next } = yield* follow
        assert.strictEqual(first, `none by file ${path}`)
        yield* remove(path)
        assert.strictEqual(yield* next, "all by flag")
        yield* write(path, "one")
        assert.strictEqual(yield* next, `one by file ${path}`)
      }).pipe(Effect.provide(WatchedFileLevel.layer({ path, otherwise: "all" })))
    }).pipe(quietly))

  it.effect("the last change wins, be it of the file or of somebody else", () =>
    Effect.gen(function*() {
      const path = join(yield* temporaryDirectory, "level")
      yield* write(path, "none")
      const layer = WatchedFileLevel.layerFeeding({ path }).pipe(Layer.provideMerge(SettableLevel.layer("majority")))
      yield* Effect.gen(function*() {
        const { first, next } = yield* follow
        const control = yield* LevelControl
        assert.strictEqual(first, `none by file ${path}`)
        yield* control.set("all", "control socket")
        assert.strictEqual(yield* next, "all by control socket")
        yield* replace(path, "none")
        assert.strictEqual(yield* next, `none by file ${path}`)
        yield* control.set("one", "control socket")
        assert.strictEqual(yield* next, "one by control socket")
        yield* remove(path)
        yield* write(path, "unstrict_all")
        // Deleting the file withdrew nothing, for the control socket had spoken since.
        assert.strictEqual(yield* next, `unstrict_all by file ${path}`)
      }).pipe(Effect.provide(layer))
    }).pipe(quietly))

  it.effect("an unknown word is logged with the allowed ones, and the level stays", () =>
    Effect.gen(function*() {
      const path = join(yield* temporaryDirectory, "level")
      const log = yield* logLines
      yield* Effect.gen(function*() {
        const { next } = yield* follow
        assert.strictEqual(yield* log.next, `Warn level file ${path} is not there yet; the level stays until it is`)
        yield* replace(path, "none")
        yield* next
        assert.strictEqual(yield* log.next, `Info consistency level none, set by file ${path} (was majority by flag)`)
        yield* replace(path, "quorum\n")
        const warning = yield* log.next
        assert.include(warning, "Warn")
        assert.include(warning, path)
        assert.include(warning, "\"quorum\" is not a consistency level")
        assert.strictEqual(
          warning.split("none, one, unstrict_majority, majority, unstrict_all, all").length,
          2,
          warning
        )
        assert.strictEqual((yield* (yield* LevelSource).current).level, "none")
      }).pipe(
        Effect.provide(WatchedFileLevel.layer({ path, otherwise: "majority" }).pipe(Layer.provideMerge(log.layer)))
      )
    }))

  it.effect("a directory, a huge file or bytes that are no text in its place are warnings, too", () =>
    Effect.gen(function*() {
      const root = yield* temporaryDirectory
      const log = yield* logLines
      const warningFor = (path: string) =>
        Effect.gen(function*() {
          yield* Layer.build(WatchedFileLevel.layer({ path, otherwise: "majority" }))
          return yield* log.next
        }).pipe(Effect.scoped, Effect.provide(log.layer))
      yield* Effect.promise(() => fs.mkdir(join(root, "directory")))
      assert.include(yield* warningFor(join(root, "directory")), "cannot be read (EISDIR)")
      yield* write(join(root, "huge"), `none${" ".repeat(1_000_000)}`)
      assert.include(yield* warningFor(join(root, "huge")), "longer than 256 bytes")
      yield* Effect.promise(() => fs.writeFile(join(root, "bytes"), new Uint8Array([0xff, 0xfe, 0])))
      assert.include(yield* warningFor(join(root, "bytes")), "is not a consistency level")
    }))
})

describe("a level file, by polls", () => {
  it.effect("is looked at each time the poll interval has passed, not before", () =>
    Effect.gen(function*() {
      const path = join(yield* temporaryDirectory, "level")
      const layer = WatchedFileLevel.layer({ path, otherwise: "majority", watch: false, pollMillis: 3000 })
      yield* Effect.gen(function*() {
        const source = yield* LevelSource
        const { next } = yield* follow
        yield* write(path, "none")
        yield* TestClock.adjust(2999)
        assert.strictEqual((yield* source.current).level, "majority")
        yield* TestClock.adjust(1)
        assert.strictEqual(yield* next, `none by file ${path}`)
      }).pipe(Effect.provide(layer))
    }).pipe(quietly))

  it.effect("sees a directory that appears later, and a file that goes", () =>
    Effect.gen(function*() {
      const directory = join(yield* temporaryDirectory, "later")
      const path = join(directory, "level")
      // Time passes until the follower, which reads real files in between, has seen the change.
      const passing = Effect.forever(Effect.andThen(TestClock.adjust(5000), Effect.yieldNow))
      yield* Effect.gen(function*() {
        const { first, next } = yield* follow
        assert.strictEqual(first, "majority by flag")
        yield* Effect.promise(() => fs.mkdir(directory))
        yield* write(path, "all")
        assert.strictEqual(yield* Effect.raceFirst(next, passing), `all by file ${path}`)
        yield* remove(path)
        assert.strictEqual(yield* Effect.raceFirst(next, passing), "majority by flag")
      }).pipe(Effect.provide(WatchedFileLevel.layer({ path, otherwise: "majority" })))
    }).pipe(quietly))

  it.effect("an empty file is a warning at the next poll", () =>
    Effect.gen(function*() {
      const path = join(yield* temporaryDirectory, "level")
      const log = yield* logLines
      yield* Effect.gen(function*() {
        assert.include(yield* log.next, "is not there yet")
        yield* write(path, "")
        const passing = Effect.forever(Effect.andThen(TestClock.adjust(5000), Effect.yieldNow))
        assert.include(yield* Effect.raceFirst(log.next, passing), "no consistency level given")
      }).pipe(
        Effect.provide(WatchedFileLevel.layer({ path, otherwise: "majority" }).pipe(Layer.provideMerge(log.layer)))
      )
    }))
})
