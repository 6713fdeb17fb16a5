/** What every `FileSystem` does with the content of files. */
import { expectSame } from "@peerstrap/conformance"
import * as Effect from "effect/Effect"
import { FileSystem } from "../contract/FileSystem.ts"
import { bytesOf, expectReason, readText, textOf, writeText } from "./FileProbes.ts"
import { type FileSystemCheck, FileSystemPlace } from "./FileSystemPlace.ts"

export const fileContentChecks: ReadonlyArray<FileSystemCheck> = [
  {
    name: "appends all chunks in order and reads them back by offset",
    run: Effect.gen(function*() {
      const { root } = yield* FileSystemPlace
      const files = yield* FileSystem
      const file = yield* files.create(`${root}/a/b/file`)
      yield* file.append([bytesOf("one"), new Uint8Array(0), bytesOf("two")])
      yield* file.append([])
      yield* file.append(["three", "four"].map(bytesOf))
      yield* expectSame("size", yield* file.size, 15)
      yield* expectSame("middle", textOf(yield* file.read(3, 8)), "twothree")
      yield* expectSame("past the end", textOf(yield* file.read(11, 100_000)), "four")
      yield* expectSame("beyond the end", (yield* file.read(40, 5)).length, 0)
      yield* file.close
      yield* expectSame("content", yield* readText(`${root}/a/b/file`), "onetwothreefour")
    })
  },
  {
    name: "takes more chunks than one system call does",
    run: Effect.gen(function*() {
      const { root } = yield* FileSystemPlace
      const files = yield* FileSystem
      const file = yield* files.create(`${root}/many`)
      const chunks = Array.from({ length: 3000 }, (_, i) => Uint8Array.of(i & 255, i >> 8))
      yield* file.append(chunks)
      const back = yield* file.read(0, 6000)
      yield* expectSame("size", back.length, 6000)
      yield* expectSame("last pair", [...back.subarray(5998)], [2999 & 255, 2999 >> 8])
      yield* file.close
    })
  },
  {
    name: "keeps appends of concurrent fibers whole",
    run: Effect.gen(function*() {
      const { root } = yield* FileSystemPlace
      const files = yield* FileSystem
      const file = yield* files.create(`${root}/concurrent`)
      yield* Effect.forEach(["aaaa", "bbbb", "cccc", "dddd"], (text) => file.append([bytesOf(text)]), {
        concurrency: "unbounded",
        discard: true
      })
      const text = textOf(yield* file.read(0, 100))
      yield* expectSame("sorted words", (text.match(/.{4}/g) ?? []).toSorted().join(), "aaaa,bbbb,cccc,dddd")
      yield* file.close
    })
  },
  {
    name: "what was read belongs to the caller",
    run: Effect.gen(function*() {
      const { root } = yield* FileSystemPlace
      const files = yield* FileSystem
      yield* writeText(`${root}/own`, "own")
      const read = yield* files.readFile(`${root}/own`, 10)
      read.fill(0)
      const file = yield* files.openRead(`${root}/own`)
      ;(yield* file.read(0, 3)).fill(0)
      yield* expectSame("content", textOf(yield* file.read(0, 3)), "own")
      yield* file.close
    })
  },
  {
    name: "create truncates what was there",
    run: Effect.gen(function*() {
      const { root } = yield* FileSystemPlace
      yield* writeText(`${root}/again`, "a long first version")
      yield* writeText(`${root}/again`, "second")
      yield* expectSame("content", yield* readText(`${root}/again`), "second")
    })
  },
  {
    name: "readFile refuses a file above the bound",
    run: Effect.gen(function*() {
      const { root } = yield* FileSystemPlace
      const files = yield* FileSystem
      yield* writeText(`${root}/bound`, "123456")
      yield* expectSame("at the bound", (yield* files.readFile(`${root}/bound`, 6)).length, 6)
      yield* expectReason(files.readFile(`${root}/bound`, 5), "io")
    })
  }
]
