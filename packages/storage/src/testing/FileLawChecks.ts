/** What holds of every `FileSystem` whatever is done, whenever it is interrupted, and at its limits. */
import { atEachStep, expectSame, expectTrue, SeededRandom } from "@peerstrap/conformance"
import * as Effect from "effect/Effect"
import { type File, type FileError, FileSystem } from "../contract/FileSystem.ts"
import { bytesOf, expectReason, readText, textOf } from "./FileProbes.ts"
import { type FileSystemCheck, FileSystemPlace } from "./FileSystemPlace.ts"

/** Files by name, as a history of operations must leave them. */
type Model = Map<string, string>

const someNames = ["a", "b", "c"] as const

/** An open file is closed again whatever happens. */
const withFile = <A, E>(path: string, use: (file: File) => Effect.Effect<A, E>) =>
  FileSystem.use((files) => Effect.acquireUseRelease(files.create(path), use, (file) => Effect.ignore(file.close)))

const someStep = Effect.fnUntraced(function*(random: SeededRandom, directory: string, model: Model) {
  const files = yield* FileSystem
  const name = someNames[random.below(3)]!
  const other = someNames[random.below(3)]!
  const path = `${directory}/${name}`
  const texts = Array.from({ length: random.below(4) }, () => "x".repeat(random.below(9)) + random.below(10))
  switch (random.below(5)) {
    case 0:
      yield* withFile(path, (file) => Effect.forEach(texts, (text) => file.append([bytesOf(text)]), { discard: true }))
      model.set(name, texts.join(""))
      return `create ${name}, ${texts.length} appends`
    case 1:
      yield* files.writeFileAtomic(path, bytesOf(texts.join("")))
      model.set(name, texts.join(""))
      return `writeFileAtomic ${name}`
    case 2:
      yield* files.remove(path)
      model.delete(name)
      return `remove ${name}`
    case 3: {
      const content = model.get(name)
      if (content === undefined) yield* expectReason(files.rename(path, `${directory}/${other}`), "not-found")
      else {
        yield* files.rename(path, `${directory}/${other}`)
        model.delete(name)
        model.set(other, content)
      }
      return `rename ${name} to ${other}`
    }
    default:
      yield* files.syncDirectory(directory)
      return "syncDirectory"
  }
})

const history = Effect.fnUntraced(function*(root: string, seed: number) {
  const files = yield* FileSystem
  const directory = `${root}/law-${seed}`
  yield* files.makeDirectory(directory)
  const random = new SeededRandom(seed)
  const model: Model = new Map()
  for (let step = 0; step < 25; step++) {
    const done = yield* someStep(random, directory, model)
    const where = `seed ${seed}, step ${step} (${done})`
    yield* expectSame(`${where}: names`, yield* files.list(directory), [...model.keys()].toSorted())
    for (const [name, content] of model) {
      yield* expectSame(`${where}: content of ${name}`, yield* readText(`${directory}/${name}`), content)
    }
  }
})

/** Small parts, so that an implementation that stops in between shows. */
const parts = (text: string): ReadonlyArray<Uint8Array> => Array.from(text, bytesOf)

const expectOneOf = (what: string, seen: string, expected: ReadonlyArray<string>) =>
  expectTrue(`${what} is one of ${expected.join(", ")}; saw ${seen}`, expected.includes(seen))

export const fileLawChecks: ReadonlyArray<FileSystemCheck> = [
  {
    name: "any history leaves what it says",
    run: Effect.gen(function*() {
      const { root } = yield* FileSystemPlace
      for (let seed = 1; seed <= 12; seed++) yield* history(root, seed)
    })
  },
  {
    name: "an append that is interrupted, at each step, is whole or not there, and nothing lands later",
    run: Effect.gen(function*() {
      const { root } = yield* FileSystemPlace
      const file = yield* (yield* FileSystem).create(`${root}/interrupted`)
      let before = 0
      yield* atEachStep(file.append(parts("whole")), (step) =>
        Effect.gen(function*() {
          const size = yield* file.size
          const added = textOf(yield* file.read(before, 100))
          yield* expectOneOf(`what an append left at step ${step}`, added, ["", "whole"])
          before = size
        }))
      yield* file.append([bytesOf("end")])
      yield* expectSame("what came last", textOf(yield* file.read(before, 100)), "end")
      yield* file.close
    })
  },
  {
    name: "writeFileAtomic that is interrupted, at each step, leaves the old or the new version and no other name",
    run: Effect.gen(function*() {
      const files = yield* FileSystem
      const { root } = yield* FileSystemPlace
      const path = `${root}/replaced/state`
      yield* files.writeFileAtomic(path, bytesOf("old"))
      yield* atEachStep(files.writeFileAtomic(path, bytesOf("new")), (step) =>
        Effect.gen(function*() {
          yield* expectOneOf(`the version at step ${step}`, yield* readText(path), ["old", "new"])
          yield* expectSame(`names at step ${step}`, yield* files.list(`${root}/replaced`), ["state"])
        }))
    })
  },
  {
    name: "files that are closed, fail to open, or are interrupted at any step do not stay open",
    needs: ["open-files"],
    run: Effect.gen(function*() {
      const files = yield* FileSystem
      const { openFiles, root } = yield* FileSystemPlace
      const path = `${root}/handles/file`
      const before = yield* openFiles
      const file = yield* files.create(path)
      yield* expectSame("open files with one", yield* openFiles, before + 1)
      yield* file.close
      yield* expectReason(files.openRead(`${root}/handles`), "is-directory")
      yield* expectReason(files.openRead(`${root}/handles/none`), "not-found")
      yield* expectReason(files.readFile(`${root}/handles`, 10), "is-directory")
      yield* Effect.ignore(files.writeFileAtomic(`${root}/handles`, bytesOf("x")))
      yield* files.writeFileAtomic(path, bytesOf("content"))
      yield* files.readFile(path, 100)
      const use: Effect.Effect<void, FileError, FileSystem> = withFile(
        path,
        (each) => Effect.asVoid(Effect.andThen(each.append([bytesOf("x")]), each.read(0, 1)))
      )
      yield* atEachStep(
        use,
        (step) => Effect.flatMap(openFiles, (open) => expectSame(`open files at step ${step}`, open, before))
      )
      yield* expectSame("open files at the end", yield* openFiles, before)
    })
  },
  {
    name: "a read with a length beyond all measure gives what there is",
    run: Effect.gen(function*() {
      const { root } = yield* FileSystemPlace
      yield* withFile(`${root}/measure`, (file) =>
        Effect.gen(function*() {
          yield* file.append([bytesOf("0123456789")])
          for (const length of [11, 2 ** 31, 2 ** 40]) {
            yield* expectSame(`read of ${length} bytes`, textOf(yield* file.read(4, length)), "456789")
          }
        }))
    })
  },
  {
    name: "an append that the disk has no room for fails, and leaves the file as it was",
    needs: ["full-disk"],
    run: Effect.gen(function*() {
      const { fillUpTo, root } = yield* FileSystemPlace
      yield* withFile(`${root}/full`, (file) =>
        Effect.gen(function*() {
          yield* file.append([bytesOf("there")])
          yield* fillUpTo(8)
          yield* expectReason(file.append([bytesOf("12345"), bytesOf("6789")]), "no-space")
          yield* expectSame("content", textOf(yield* file.read(0, 100)), "there")
          yield* file.append([bytesOf("12345678")])
          yield* expectSame("content", textOf(yield* file.read(0, 100)), "there12345678")
        }))
    })
  }
]
