/**
 * A file system in memory that knows what a power cut would leave: `crash()` drops unsynced bytes and unsynced directory
 * entries. A fault plan fails chosen operations, a capacity makes the disk full. For tests, simulations and dry runs.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type File, FileError, type FileErrorReason, FileSystem } from "../contract/FileSystem.ts"
import { Limits } from "../contract/Limits.ts"
import { fileError, inUse } from "./FileErrors.ts"
import { MemoryFileNode, MemoryTree, parts } from "./MemoryTree.ts"

/** One planned failure: the `at`-th operation from now (1 is the next one), of those named by `operation` when it is given. */
export interface MemoryFault {
  readonly at: number
  readonly reason: FileErrorReason
  /** Counts only operations of this name (`append`, `sync`, `rename`, …). */
  readonly operation?: string
  /** All operations from the `at`-th on fail, as on a disk that is gone. */
  readonly sticky?: boolean
}

/** How large the disk is, and which operations fail. */
export interface MemoryOptions {
  /** Bytes that the disk holds; an append beyond them fails with `no-space` and leaves the file as it was. */
  readonly capacityBytes?: number
  readonly faults?: ReadonlyArray<MemoryFault>
}

/** What of the unsynced work a crash leaves; by default nothing. */
export interface CrashOptions {
  /** How many of a file's unsynced bytes survive (a torn tail). */
  readonly keepUnsyncedBytes?: (path: string, unsyncedBytes: number) => number
  /** Whether an unsynced change of a directory entry (made, renamed, removed) survives. */
  readonly keepEntry?: (path: string) => boolean
}

/** The file system, and what can be done to it from outside. */
export interface MemoryFileSystem {
  readonly fileSystem: (typeof FileSystem)["Service"]
  readonly layer: Layer.Layer<FileSystem>
  /** A power cut and a restart: unsynced work is gone, every open file fails from now on, nobody holds a lock. */
  crash(options?: CrashOptions): void
  /** Replaces the fault plan; counting begins anew. */
  plan(faults: ReadonlyArray<MemoryFault>): void
  setCapacityBytes(bytes: number | undefined): void
  /** Operations begun so far; run once to learn it, then fail each in turn. */
  readonly operations: number
  /** Files that were opened and not closed since the last crash. */
  readonly openFiles: number
  /** Bytes that all files hold together. */
  readonly usedBytes: number
}

interface PlannedFault {
  readonly fault: MemoryFault
  seen: number
}

class MemoryMachine {
  readonly tree = new MemoryTree()
  capacityBytes: number | undefined
  operations = 0
  openFiles = 0
  private epoch = 0
  private planned: Array<PlannedFault> = []
  private readonly locks = new Map<string, object>()

  constructor(options: MemoryOptions) {
    this.capacityBytes = options.capacityBytes
    this.plan(options.faults ?? [])
  }

  plan(faults: ReadonlyArray<MemoryFault>): void {
    this.planned = faults.map((fault) => ({ fault, seen: 0 }))
  }

  run<A>(operation: string, path: string, step: () => A): Effect.Effect<A, FileError> {
    return Effect.suspend(() => {
      this.operations++
      let failing: MemoryFault | undefined
      for (const planned of this.planned) {
        const { at, operation: only, sticky } = planned.fault
        if (only !== undefined && only !== operation) continue
        planned.seen++
        if (planned.seen === at || (sticky === true && planned.seen > at)) failing ??= planned.fault
      }
      if (failing !== undefined) return Effect.fail(fileError(operation, path, failing.reason, "planned fault"))
      try {
        return Effect.succeed(step())
      } catch (cause) {
        if (cause instanceof FileError) return Effect.fail(cause)
        throw cause
      }
    })
  }

  freeBytes(): number {
    return this.capacityBytes === undefined
      ? Limits.unlimitedFreeBytes
      : Math.max(0, this.capacityBytes - this.tree.usedBytes())
  }

  write(operation: string, path: string, node: MemoryFileNode, chunks: ReadonlyArray<Uint8Array>): void {
    const bytes = chunks.reduce((total, chunk) => total + chunk.length, 0)
    if (this.capacityBytes !== undefined && bytes > this.freeBytes()) {
      throw fileError(operation, path, "no-space", `${bytes} bytes wanted, ${this.freeBytes()} free`)
    }
    for (const chunk of chunks) node.append(chunk)
  }

  open(path: string, node: MemoryFileNode): File {
    const epoch = this.epoch
    let closed = false
    this.openFiles++
    const check = (operation: string): void => {
      if (closed) throw fileError(operation, path, "io", "the file is closed")
      if (epoch !== this.epoch) throw fileError(operation, path, "io", "the machine crashed since this file was opened")
    }
    const run = <A>(operation: string, step: () => A) =>
      this.run(operation, path, () => {
        check(operation)
        return step()
      })
    return {
      path,
      read: (position, length) =>
        run("read", () => node.bytes.slice(position, Math.min(node.length, position + length))),
      append: (chunks) => run("append", () => this.write("append", path, node, chunks)),
      size: run("size", () => node.length),
      sync: run("sync", () => node.sync()),
      close: this.run("close", path, () => {
        if (closed || epoch !== this.epoch) return
        closed = true
        this.openFiles--
      })
    }
  }

  create(operation: string, path: string): MemoryFileNode {
    const { directory, name } = this.tree.parent(operation, path, true)
    const there = directory.entries.get(name)
    if (there?.kind === "directory") throw fileError(operation, path, "is-directory")
    if (there !== undefined) {
      there.truncate()
      return there
    }
    const node = new MemoryFileNode()
    directory.entries.set(name, node)
    return node
  }

  writeFileAtomic(path: string, bytes: Uint8Array): void {
    const { directory, name } = this.tree.parent("writeFileAtomic", path, true)
    if (directory.entries.get(name)?.kind === "directory") throw fileError("writeFileAtomic", path, "is-directory")
    const node = new MemoryFileNode()
    this.write("writeFileAtomic", path, node, [bytes])
    node.sync()
    directory.entries.set(name, node)
    directory.sync()
  }

  readFile(path: string, maxBytes: number): Uint8Array {
    const node = this.tree.findFile("readFile", path)
    if (node.length > maxBytes) {
      throw fileError(
        "readFile",
        path,
        "io",
        `the file has ${node.length} bytes, at most ${maxBytes} are accepted here`
      )
    }
    return node.bytes.slice(0, node.length)
  }

  remove(path: string): void {
    try {
      const { directory, name } = this.tree.parent("remove", path, false)
      if (directory.entries.get(name)?.kind === "directory") throw fileError("remove", path, "is-directory")
      directory.entries.delete(name)
    } catch (cause) {
      if (!(cause instanceof FileError) || cause.reason !== "not-found") throw cause
    }
  }

  /** Gives what frees it again. */
  lock(path: string): () => void {
    this.tree.parent("lock", path, true)
    const name = parts(path).join("/")
    if (this.locks.has(name)) throw inUse(path, "this process")
    const mine = {}
    this.locks.set(name, mine)
    return () => {
      // After a crash it may be another's.
      if (this.locks.get(name) === mine) this.locks.delete(name)
    }
  }

  crash(options: CrashOptions): void {
    this.epoch++
    this.openFiles = 0
    this.locks.clear()
    const survivors = options.keepUnsyncedBytes ?? (() => 0)
    this.tree.forEachFile((path, file) => {
      const unsynced = file.unsyncedBytes
      file.crash(Math.max(0, Math.min(unsynced, survivors(path, unsynced))))
    })
    this.tree.crashEntries(options.keepEntry ?? (() => false))
  }
}

const serviceOf = (machine: MemoryMachine): (typeof FileSystem)["Service"] => ({
  create: (path) => machine.run("create", path, () => machine.open(path, machine.create("create", path))),
  openRead: (path) => machine.run("openRead", path, () => machine.open(path, machine.tree.findFile("openRead", path))),
  readFile: (path, maxBytes) => machine.run("readFile", path, () => machine.readFile(path, maxBytes)),
  writeFileAtomic: (path, bytes) => machine.run("writeFileAtomic", path, () => machine.writeFileAtomic(path, bytes)),
  list: (path) =>
    machine.run("list", path, () => [...machine.tree.findDirectory("list", path).entries.keys()].toSorted()),
  stat: (path) =>
    machine.run("stat", path, () => {
      const node = machine.tree.find("stat", path)
      return { kind: node.kind, size: node.kind === "file" ? node.length : 0 }
    }),
  makeDirectory: (path) =>
    machine.run("makeDirectory", path, () => void machine.tree.makeDirectory("makeDirectory", path)),
  syncDirectory: (path) =>
    machine.run("syncDirectory", path, () => machine.tree.findDirectory("syncDirectory", path).sync()),
  rename: (from, to) => machine.run("rename", from, () => machine.tree.rename(from, to)),
  remove: (path) => machine.run("remove", path, () => machine.remove(path)),
  freeBytes: (path) => machine.run("freeBytes", path, () => machine.freeBytes()),
  lock: (path) =>
    Effect.asVoid(
      Effect.acquireRelease(machine.run("lock", path, () => machine.lock(path)), (free) => Effect.sync(free))
    )
})

/** An empty file system of its own, with the switches that a test needs. */
export const make = (options: MemoryOptions = {}): MemoryFileSystem => {
  const machine = new MemoryMachine(options)
  const fileSystem = serviceOf(machine)
  return {
    fileSystem,
    layer: Layer.succeed(FileSystem, fileSystem),
    crash: (crashOptions = {}) => machine.crash(crashOptions),
    plan: (faults) => machine.plan(faults),
    setCapacityBytes: (bytes) => {
      machine.capacityBytes = bytes
    },
    get operations() {
      return machine.operations
    },
    get openFiles() {
      return machine.openFiles
    },
    get usedBytes() {
      return machine.tree.usedBytes()
    }
  }
}

/** Provides an empty `FileSystem` in memory; a fresh one each time that the layer is built. */
export const layer: Layer.Layer<FileSystem> = Layer.sync(FileSystem, () => make().fileSystem)
