/** File systems that are wrong in one way each; the kit must reject every one. */
import type { Mutant } from "@peerstrap/conformance"
import * as Effect from "effect/Effect"
import { fileError } from "../adapter/FileErrors.ts"
import type { File, FileError, FileSystem } from "../contract/FileSystem.ts"
import { fileLockMutants } from "./FileLockMutants.ts"
import { type FileSystemPlace, memoryFileSystemPlace } from "./FileSystemPlace.ts"

type Service = (typeof FileSystem)["Service"]

const withFile = (change: (file: File) => File) => (files: Service): Service => ({
  ...files,
  create: (path, options) => Effect.map(files.create(path, options), change),
  openRead: (path) => Effect.map(files.openRead(path), change)
})

const asIo = ({ operation, path }: FileError): FileError => fileError(operation, path, "io")

/** A way to break a file system, and the check that must see it. */
export interface BrokenFiles {
  readonly name: string
  readonly rejectedBy: string
  readonly because: RegExp | "hangs"
  readonly mutate: (files: Service) => Service
}

const broken: ReadonlyArray<BrokenFiles> = [
  {
    name: "writes an append short by a byte",
    rejectedBy: "appends all chunks in order and reads them back by offset",
    because: /size: saw 13, expected 15/,
    mutate: withFile((file) => ({
      ...file,
      append: (chunks) =>
        file.append(chunks.map((chunk, i) => (i === chunks.length - 1 ? chunk.subarray(0, chunk.length - 1) : chunk)))
    }))
  },
  {
    name: "stops an append after 1024 chunks",
    rejectedBy: "takes more chunks than one system call does",
    because: /size: saw 2048/,
    mutate: withFile((file) => ({ ...file, append: (chunks) => file.append(chunks.slice(0, 1024)) }))
  },
  {
    name: "ignores where to read",
    rejectedBy: "appends all chunks in order and reads them back by offset",
    because: /middle: saw "onetwoth"/,
    mutate: withFile((file) => ({ ...file, read: (_position, length) => file.read(0, length) }))
  },
  {
    name: "forgets to sync a file",
    rejectedBy: "synced bytes in a synced directory survive a power cut, later ones do not",
    because: /content: saw ""/,
    mutate: withFile((file) => ({ ...file, sync: Effect.void }))
  },
  {
    name: "forgets to sync a directory",
    rejectedBy: "rename and remove are durable after a sync of the directory only",
    because: /after the sync: saw \["a"\]/,
    mutate: (files) => ({ ...files, syncDirectory: () => Effect.void })
  },
  {
    name: "makes appends durable at once",
    rejectedBy: "synced bytes in a synced directory survive a power cut, later ones do not",
    because: /saw "keptlost"/,
    mutate: withFile((file) => ({ ...file, append: (chunks) => Effect.andThen(file.append(chunks), file.sync) }))
  },
  {
    name: "renames only where nothing is in the way",
    rejectedBy: "rename moves, and replaces a file in its way",
    because: /content: saw "old"/,
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
    name: "replaces a file in place",
    rejectedBy: "a reader of a replaced file keeps the version that it opened",
    because: /old content: saw "SECOND"/,
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
    name: "leaves the temporary file of a replacement",
    rejectedBy: "writeFileAtomic replaces, and leaves nothing else behind",
    because: /names: saw \["state","state.tmp"\]/,
    mutate: (files) => ({
      ...files,
      writeFileAtomic: (path, bytes) =>
        Effect.andThen(files.writeFileAtomic(`${path}.tmp`, bytes), files.writeFileAtomic(path, bytes))
    })
  },
  {
    name: "replaces without a sync of the directory",
    rejectedBy: "writeFileAtomic is durable when it returns",
    because: /there is no such file/,
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
    name: "lists names backwards",
    rejectedBy: "list is sorted; stat and missing paths",
    because: /names: saw \["d","b"/,
    mutate: (files) => ({ ...files, list: (path) => Effect.map(files.list(path), (names) => names.toReversed()) })
  },
  {
    name: "fails to remove what is not there",
    rejectedBy: "remove: a missing file is no error, a directory is",
    because: /no such file/,
    mutate: (files) => ({ ...files, remove: (path) => Effect.andThen(files.stat(path), files.remove(path)) })
  },
  {
    name: "reads whole files of any size",
    rejectedBy: "readFile refuses a file above the bound",
    because: /"io": succeeded/,
    mutate: (files) => ({ ...files, readFile: (path) => files.readFile(path, Number.MAX_SAFE_INTEGER) })
  },
  {
    name: "does not know how much is free",
    rejectedBy: "freeBytes answers for a path that does not exist yet; close twice is close",
    because: /free is positive: saw false/,
    mutate: (files) => ({ ...files, freeBytes: () => Effect.succeed(0) })
  },
  {
    name: "gives the same bytes to all readers",
    rejectedBy: "what was read belongs to the caller",
    because: /content: saw "\\u0000/,
    mutate: (files) => {
      const whole = new Map<string, Uint8Array>()
      return {
        ...files,
        readFile: (path, maxBytes) =>
          Effect.map(files.readFile(path, maxBytes), (bytes) => {
            const shared = whole.get(path) ?? bytes
            whole.set(path, shared)
            return shared
          }),
        openRead: (path) =>
          Effect.map(files.openRead(path), (file) => ({
            ...file,
            read: (position, length) => {
              const shared = whole.get(path)
              return shared === undefined
                ? file.read(position, length)
                : Effect.succeed(shared.subarray(position, position + length))
            }
          }))
      }
    }
  },
  {
    name: "keeps what was there when it creates a file",
    rejectedBy: "create truncates what was there",
    because: /saw "a long first versionsecond"/,
    mutate: (files) => ({
      ...files,
      create: Effect.fnUntraced(function*(path, options) {
        const before = yield* Effect.orElseSucceed(files.readFile(path, 1_000_000), () => new Uint8Array(0))
        const file = yield* files.create(path, options)
        yield* file.append([before])
        return file
      })
    })
  },
  {
    name: "mixes appends of concurrent callers",
    rejectedBy: "keeps appends of concurrent fibers whole",
    because: /sorted words/,
    mutate: withFile((file) => ({
      ...file,
      append: (chunks) =>
        Effect.forEach(
          chunks.flatMap((chunk) => Array.from(chunk, (byte) => Uint8Array.of(byte))),
          (chunk) => Effect.andThen(file.append([chunk]), Effect.yieldNow),
          { discard: true }
        )
    }))
  },
  {
    name: "takes a directory for a file",
    rejectedBy: "names the reason when a file and a directory are mistaken for each other",
    because: /saw "io", expected "is-directory"/,
    mutate: (files) => ({
      ...files,
      create: (path, options) => Effect.mapError(files.create(path, options), asIo),
      openRead: (path) => Effect.mapError(files.openRead(path), asIo)
    })
  },
  {
    name: "makes new names durable at once",
    rejectedBy: "a new name is lost without a sync of its directory",
    because: /names: saw \["file"\]/,
    mutate: (files) => ({
      ...files,
      create: (path, options) =>
        Effect.tap(files.create(path, options), () => files.syncDirectory(path.slice(0, path.lastIndexOf("/"))))
    })
  },
  {
    name: "loses the third append to a file",
    rejectedBy: "any history leaves what it says",
    because: /^seed \d+, step \d+ \(create .*content of/,
    mutate: withFile((file) => {
      let appends = 0
      return { ...file, append: (chunks) => Effect.suspend(() => file.append(++appends % 3 === 0 ? [] : chunks)) }
    })
  },
  {
    name: "leaves an interrupted append half done",
    rejectedBy: "an append that is interrupted, at each step, is whole or not there, and nothing lands later",
    because: /at step \d+ is one of , whole; saw w/,
    mutate: withFile((file) => ({
      ...file,
      append: (chunks) =>
        Effect.forEach(chunks, (chunk) => Effect.andThen(file.append([chunk]), Effect.yieldNow), { discard: true })
    }))
  },
  {
    name: "leaves an interrupted replacement half done",
    rejectedBy:
      "writeFileAtomic that is interrupted, at each step, leaves the old or the new version and no other name",
    because: /names at step \d+: saw \["state","state.tmp"\]/,
    mutate: (files) => ({
      ...files,
      writeFileAtomic: Effect.fnUntraced(function*(path, bytes) {
        yield* files.writeFileAtomic(`${path}.tmp`, bytes)
        yield* Effect.yieldNow
        yield* files.rename(`${path}.tmp`, path)
        yield* files.syncDirectory(path.slice(0, path.lastIndexOf("/")))
      })
    })
  },
  {
    name: "leaks the handle of a replacement",
    rejectedBy: "files that are closed, fail to open, or are interrupted at any step do not stay open",
    because: /open files at step 0: saw 1, expected 0/,
    mutate: (files) => ({
      ...files,
      writeFileAtomic: (path, bytes, options) =>
        Effect.andThen(files.writeFileAtomic(path, bytes, options), Effect.asVoid(files.openRead(path)))
    })
  },
  {
    name: "refuses to read more than a gigabyte",
    rejectedBy: "a read with a length beyond all measure gives what there is",
    because: /too long/,
    mutate: withFile((file) => ({
      ...file,
      read: (position, length) =>
        length > 2 ** 30
          ? Effect.fail(fileError("read", file.path, "io", "too long"))
          : file.read(position, length)
    }))
  },
  {
    name: "leaves what fitted onto a full disk",
    rejectedBy: "an append that the disk has no room for fails, and leaves the file as it was",
    because: /content: saw "there12345"/,
    mutate: withFile((file) => ({
      ...file,
      append: (chunks) => Effect.forEach(chunks, (chunk) => file.append([chunk]), { discard: true })
    }))
  }
]

/** Each breaks the files in memory, which can be interrupted, crashed and filled. */
export const fileSystemMutants: ReadonlyArray<Mutant<FileSystem | FileSystemPlace>> = [...broken, ...fileLockMutants]
  .map((
    { mutate, ...rest }
  ) => ({
    ...rest,
    layer: memoryFileSystemPlace(mutate)
  }))
