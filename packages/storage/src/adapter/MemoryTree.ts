/**
 * Files and directories in memory, each with two faces: what a running process sees, and what a power cut would leave. Content
 * becomes durable by a sync of the file, an entry (a new, renamed or removed name) by a sync of its directory.
 */
import type { FileError, FileErrorReason } from "../contract/FileSystem.ts"
import { fileError } from "./FileErrors.ts"

/** Append-only content. The prefix of a buffer never changes, so the durable face may share it. */
export class MemoryFileNode {
  readonly kind = "file"
  bytes = new Uint8Array(0)
  length = 0
  durableBytes = new Uint8Array(0)
  durableLength = 0
  private isTruncated = false

  append(chunk: Uint8Array): void {
    const needed = this.length + chunk.length
    if (needed > this.bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2, 256))
      grown.set(this.bytes.subarray(0, this.length))
      this.bytes = grown
    }
    this.bytes.set(chunk, this.length)
    this.length = needed
  }

  truncate(): void {
    this.bytes = new Uint8Array(0)
    this.length = 0
    this.isTruncated = true
  }

  sync(): void {
    this.durableBytes = this.bytes
    this.durableLength = this.length
    this.isTruncated = false
  }

  /** Bytes that a power cut may take: all of them when the file was begun anew since its last sync. */
  get unsyncedBytes(): number {
    return this.isTruncated ? this.length : this.length - this.durableLength
  }

  /** Loses what was not synced, but for the first `survivors` of those bytes (a torn tail). */
  crash(survivors: number): void {
    const tornLength = this.isTruncated ? survivors : this.durableLength + survivors
    const left = survivors > 0 ? this.bytes.slice(0, tornLength) : this.durableBytes.slice(0, this.durableLength)
    this.bytes = left
    this.length = left.length
    this.sync()
  }
}

export class MemoryDirectoryNode {
  readonly kind = "directory"
  entries = new Map<string, MemoryNode>()
  durableEntries = new Map<string, MemoryNode>()

  sync(): void {
    this.durableEntries = new Map(this.entries)
  }
}

export type MemoryNode = MemoryFileNode | MemoryDirectoryNode

/** The names on the way to `path`, however it is spelled. */
export const parts = (path: string): ReadonlyArray<string> => {
  const out: Array<string> = []
  for (const part of path.split("/")) {
    if (part === "..") out.pop()
    else if (part !== "" && part !== ".") out.push(part)
  }
  return out
}

/** The tree and its path rules; failing operations throw a `FileError`. Relative paths begin at the root, as in a process there. */
export class MemoryTree {
  readonly root = new MemoryDirectoryNode()

  private fail(operation: string, path: string, reason: FileErrorReason): FileError {
    return fileError(operation, path, reason)
  }

  find(operation: string, path: string): MemoryNode {
    let node: MemoryNode = this.root
    for (const part of parts(path)) {
      if (node.kind === "file") throw this.fail(operation, path, "not-a-directory")
      const next = node.entries.get(part)
      if (next === undefined) throw this.fail(operation, path, "not-found")
      node = next
    }
    return node
  }

  findFile(operation: string, path: string): MemoryFileNode {
    const node = this.find(operation, path)
    if (node.kind === "directory") throw this.fail(operation, path, "is-directory")
    return node
  }

  findDirectory(operation: string, path: string): MemoryDirectoryNode {
    const node = this.find(operation, path)
    if (node.kind === "file") throw this.fail(operation, path, "not-a-directory")
    return node
  }

  /** Makes all missing levels; they are durable at once, as the port promises. */
  makeDirectory(operation: string, path: string): MemoryDirectoryNode {
    let node = this.root
    const all = parts(path)
    for (const [index, part] of all.entries()) {
      const next = node.entries.get(part)
      if (next === undefined) {
        const made = new MemoryDirectoryNode()
        node.entries.set(part, made)
        node.durableEntries.set(part, made)
        node = made
      } else if (next.kind === "directory") node = next
      else throw this.fail(operation, path, index === all.length - 1 ? "already-exists" : "not-a-directory")
    }
    return node
  }

  /** The directory that holds `path` and the name in it; makes missing directories when asked to. */
  parent(operation: string, path: string, make: boolean): { directory: MemoryDirectoryNode; name: string } {
    const all = parts(path)
    const name = all.at(-1)
    if (name === undefined) throw this.fail(operation, path, "is-directory")
    const above = all.slice(0, -1).join("/")
    try {
      return { directory: this.findDirectory(operation, above), name }
    } catch (cause) {
      const reason = (cause as FileError).reason
      if (reason === "not-found" && make) {
        return { directory: this.makeDirectory(operation, above), name }
      }
      throw this.fail(operation, path, reason)
    }
  }

  rename(from: string, to: string): void {
    const source = this.parent("rename", from, false)
    const node = source.directory.entries.get(source.name)
    if (node === undefined) throw this.fail("rename", from, "not-found")
    const target = this.parent("rename", to, false)
    const there = target.directory.entries.get(target.name)
    if (there === node) return
    if (there !== undefined) {
      if (there.kind === "directory" && node.kind === "file") throw this.fail("rename", to, "is-directory")
      if (there.kind === "file" && node.kind === "directory") throw this.fail("rename", to, "not-a-directory")
      if (there.kind === "directory" && there.entries.size > 0) throw this.fail("rename", to, "already-exists")
    }
    source.directory.entries.delete(source.name)
    target.directory.entries.set(target.name, node)
  }

  /** Every file that is visible or durable, once, with one of its paths. */
  forEachFile(visit: (path: string, file: MemoryFileNode) => void): void {
    const seen = new Set<MemoryNode>()
    const walk = (path: string, node: MemoryNode): void => {
      if (seen.has(node)) return
      seen.add(node)
      if (node.kind === "file") return visit(path, node)
      for (const entries of [node.entries, node.durableEntries]) {
        for (const [name, child] of entries) walk(`${path}/${name}`, child)
      }
    }
    walk("", this.root)
  }

  /** Bytes that visible files hold. */
  usedBytes(): number {
    const sum = (node: MemoryNode): number =>
      node.kind === "file" ? node.length : [...node.entries.values()].reduce((total, child) => total + sum(child), 0)
    return sum(this.root)
  }

  /** Takes every directory back to its durable entries, but for changes that `keepEntry` lets survive. */
  crashEntries(keepEntry: (path: string) => boolean): void {
    const seen = new Set<MemoryNode>()
    const walk = (path: string, node: MemoryNode): void => {
      if (node.kind === "file" || seen.has(node)) return
      seen.add(node)
      for (const name of new Set([...node.entries.keys(), ...node.durableEntries.keys()])) {
        const live = node.entries.get(name)
        if (live === node.durableEntries.get(name) || !keepEntry(`${path}/${name}`)) continue
        if (live === undefined) node.durableEntries.delete(name)
        else node.durableEntries.set(name, live)
      }
      node.entries = new Map(node.durableEntries)
      for (const [name, child] of node.entries) walk(`${path}/${name}`, child)
    }
    walk("", this.root)
  }
}
