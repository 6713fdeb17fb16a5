/**
 * The file system of the machine, over Node's promise API. What makes it more than that API: appends are complete or taken
 * back, a replaced file is old or new after a power cut but never half, and directories that it makes are durable at once.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { randomBytes } from "node:crypto"
import * as fs from "node:fs/promises"
import { basename, dirname, join, resolve } from "node:path"
import { type File, type FileError, type FileInfo, FileSystem } from "../contract/FileSystem.ts"
import { Limits } from "../contract/Limits.ts"
import { makeDirectoryAt, syncDirectoryAt } from "./DurableDirectory.ts"
import { errorCode, fileError, fromCause } from "./FileErrors.ts"
import { type HeldLock, takeLock } from "./FileLock.ts"
import { writeFully } from "./WriteFully.ts"

const fileMode = 0o666

// A system call cannot be taken back, so an interrupted fiber waits for it: no handle is lost, no write lands later.
const attempt = <A>(operation: string, path: string, run: () => Promise<A>): Effect.Effect<A, FileError> =>
  Effect.uninterruptible(Effect.tryPromise({ try: run, catch: (cause) => fromCause(operation, path, cause) }))

const openMakingParents = async (path: string, flags: string, mode: number): Promise<fs.FileHandle> => {
  try {
    return await fs.open(path, flags, mode)
  } catch (cause) {
    if (errorCode(cause) !== "ENOENT") throw cause
    await makeDirectoryAt(dirname(path))
    return await fs.open(path, flags, mode)
  }
}

const readUpTo = async (handle: fs.FileHandle, position: number, length: number): Promise<Uint8Array> => {
  let wanted = length
  if (length > Limits.readWithoutSizeBytes) {
    wanted = Math.max(0, Math.min(length, (await handle.stat()).size - position))
  }
  const bytes = new Uint8Array(wanted)
  let filled = 0
  while (filled < wanted) {
    const { bytesRead } = await handle.read(bytes, filled, wanted - filled, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return filled === wanted ? bytes : bytes.slice(0, filled)
}

// Appends of one file follow each other, whoever calls: each begins where the last complete one ended.
const makeFile = (path: string, handle: fs.FileHandle, initialSize: number): File => {
  let end = initialSize
  let last: Promise<unknown> = Promise.resolve()
  let closed = false
  const appendAtEnd = async (chunks: ReadonlyArray<Uint8Array>): Promise<void> => {
    try {
      end += await writeFully(
        async (batch, position) => (await handle.writev(batch, position)).bytesWritten,
        chunks,
        end
      )
    } catch (cause) {
      await handle.truncate(end).catch(() => undefined)
      throw cause
    }
  }
  return {
    path,
    read: (position, length) => attempt("read", path, () => readUpTo(handle, position, length)),
    append: (chunks) =>
      attempt("append", path, () => {
        const mine = last.then(() => appendAtEnd(chunks))
        last = mine.catch(() => undefined)
        return mine
      }),
    size: attempt("size", path, async () => (await handle.stat()).size),
    sync: attempt("sync", path, () => last.then(() => handle.datasync())),
    close: attempt("close", path, async () => {
      if (closed) return
      closed = true
      await last
      await handle.close()
    })
  }
}

const readWhole = async (path: string, maxBytes: number): Promise<Uint8Array> => {
  const handle = await fs.open(path, "r")
  try {
    const info = await handle.stat()
    if (info.isDirectory()) throw fileError("readFile", path, "is-directory")
    if (info.size > maxBytes) {
      throw fileError("readFile", path, "io", `the file has ${info.size} bytes, at most ${maxBytes} are accepted here`)
    }
    return await readUpTo(handle, 0, info.size)
  } finally {
    await handle.close()
  }
}

const replaceFile = async (path: string, bytes: Uint8Array, mode: number): Promise<void> => {
  const directory = dirname(path)
  const temporary = join(directory, `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`)
  const handle = await openMakingParents(temporary, "wx", mode)
  try {
    try {
      await writeFully(async (batch, position) => (await handle.writev(batch, position)).bytesWritten, [bytes], 0)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await fs.rename(temporary, path)
  } catch (cause) {
    await fs.unlink(temporary).catch(() => undefined)
    throw cause
  }
  await syncDirectoryAt(directory)
}

const describe = async (path: string): Promise<FileInfo> => {
  const info = await fs.stat(path)
  return { kind: info.isFile() ? "file" : info.isDirectory() ? "directory" : "other", size: info.size }
}

const removeFile = async (path: string): Promise<void> => {
  try {
    await fs.unlink(path)
  } catch (cause) {
    const code = errorCode(cause)
    if (code === "ENOENT") return
    // macOS answers EPERM where Linux answers EISDIR.
    if (code === "EPERM" && (await fs.stat(path)).isDirectory()) throw fileError("remove", path, "is-directory")
    throw cause
  }
}

const freeBytesAt = async (path: string): Promise<number> => {
  for (let at = resolve(path);; at = dirname(at)) {
    try {
      const info = await fs.statfs(at)
      return info.bavail * info.bsize
    } catch (cause) {
      if (errorCode(cause) !== "ENOENT" || at === dirname(at)) throw cause
    }
  }
}

const lockAt = async (path: string): Promise<HeldLock> => {
  await makeDirectoryAt(dirname(path))
  return takeLock(path)
}

const openForReading = async (path: string): Promise<File> => {
  const handle = await fs.open(path, "r")
  const info = await handle.stat()
  if (info.isDirectory()) {
    await handle.close()
    throw fileError("openRead", path, "is-directory")
  }
  return makeFile(path, handle, info.size)
}

/** The port over Node's files. Needs nothing; keeps no state but the files that callers have open. */
export const fileSystem: (typeof FileSystem)["Service"] = {
  create: (path, options) =>
    attempt(
      "create",
      path,
      async () => makeFile(path, await openMakingParents(path, "w+", options?.mode ?? fileMode), 0)
    ),
  openRead: (path) => attempt("openRead", path, () => openForReading(path)),
  readFile: (path, maxBytes) => attempt("readFile", path, () => readWhole(path, maxBytes)),
  writeFileAtomic: (path, bytes, options) =>
    attempt("writeFileAtomic", path, () => replaceFile(path, bytes, options?.mode ?? fileMode)),
  list: (path) => attempt("list", path, async () => (await fs.readdir(path)).toSorted()),
  stat: (path) => attempt("stat", path, () => describe(path)),
  makeDirectory: (path) => attempt("makeDirectory", path, () => makeDirectoryAt(path)),
  syncDirectory: (path) => attempt("syncDirectory", path, () => syncDirectoryAt(path)),
  rename: (from, to) => attempt("rename", from, () => fs.rename(from, to)),
  remove: (path) => attempt("remove", path, () => removeFile(path)),
  freeBytes: (path) => attempt("freeBytes", path, () => freeBytesAt(path)),
  lock: (path) =>
    Effect.asVoid(
      Effect.acquireRelease(attempt("lock", path, () => lockAt(path)), (held) => Effect.sync(() => held.free()))
    )
}

/** Provides `FileSystem` from the machine's own files. */
export const layer: Layer.Layer<FileSystem> = Layer.succeed(FileSystem, fileSystem)
