/** Implementations with one fault each, which the suite must reject; a suite that accepts one of them tests too little. */
import * as Effect from "effect/Effect"
import { type File, type FileSystem } from "../contract/FileSystem.ts"

type Service = (typeof FileSystem)["Service"]

/** A file system with one fault, and the check that must reject it. */
export interface FileSystemMutant {
  readonly name: string
  readonly mutate: (files: Service) => Service
}

const withFile = (change: (file: File) => File) => (files: Service): Service => ({
  ...files,
  create: (path, options) => Effect.map(files.create(path, options), change),
  openRead: (path) => Effect.map(files.openRead(path), change)
})

/** Each mutant wraps a correct implementation; those about durability need one that can crash. */
export const fileSystemMutants: ReadonlyArray<FileSystemMutant> = [
  {
    name: "append that writes short",
    mutate: withFile((file) => ({
      ...file,
      append: (chunks) =>
        file.append(chunks.map((chunk, i) => (i === chunks.length - 1 ? chunk.subarray(0, chunk.length - 1) : chunk)))
    }))
  },
  {
    name: "append that stops after 1024 chunks",
    mutate: withFile((file) => ({ ...file, append: (chunks) => file.append(chunks.slice(0, 1024)) }))
  },
  {
    name: "read that ignores its position",
    mutate: withFile((file) => ({ ...file, read: (_position, length) => file.read(0, length) }))
  },
  {
    name: "file sync that does nothing",
    mutate: withFile((file) => ({ ...file, sync: Effect.void }))
  },
  {
    name: "directory sync that does nothing",
    mutate: (files) => ({ ...files, syncDirectory: () => Effect.void })
  },
  {
    name: "append that is durable at once",
    mutate: withFile((file) => ({ ...file, append: (chunks) => Effect.andThen(file.append(chunks), file.sync) }))
  },
  {
    name: "rename that does not replace",
    mutate: (files) => ({
      ...files,
      rename: (from, to) =>
        Effect.matchEffect(files.stat(to), {
          onFailure: () => files.rename(from, to),
          onSuccess: () => Effect.void
        })
    })
  },
  {
    name: "atomic write in place",
    mutate: (files) => ({
      ...files,
      writeFileAtomic: Effect.fnUntraced(function*(path, bytes) {
        const file = yield* files.create(path)
        yield* file.append([bytes])
        yield* file.close
      })
    })
  },
  {
    name: "atomic write that leaves its temporary file",
    mutate: (files) => ({
      ...files,
      writeFileAtomic: (path, bytes) =>
        Effect.andThen(files.writeFileAtomic(`${path}.tmp`, bytes), files.writeFileAtomic(path, bytes))
    })
  },
  {
    name: "atomic write without a sync of the directory",
    mutate: (files) => ({
      ...files,
      writeFileAtomic: Effect.fnUntraced(function*(path, bytes) {
        const file = yield* files.create(`${path}.tmp`)
        yield* file.append([bytes])
        yield* file.sync
        yield* file.close
        yield* files.rename(`${path}.tmp`, path)
      })
    })
  },
  {
    name: "list in the order of making",
    mutate: (files) => ({ ...files, list: (path) => Effect.map(files.list(path), (names) => names.toReversed()) })
  },
  {
    name: "remove that fails for a missing file",
    mutate: (files) => ({ ...files, remove: (path) => Effect.andThen(files.stat(path), files.remove(path)) })
  },
  {
    name: "readFile without a bound",
    mutate: (files) => ({ ...files, readFile: (path) => files.readFile(path, Number.MAX_SAFE_INTEGER) })
  },
  {
    name: "free bytes unknown",
    mutate: (files) => ({ ...files, freeBytes: () => Effect.succeed(0) })
  }
]
