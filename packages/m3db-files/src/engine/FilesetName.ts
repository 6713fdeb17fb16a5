/**
 * Names of data filesets and what a directory listing says about them: which volumes there are, which are complete, which one
 * a node reads. (specs: storage 5.1; M3: persist/fs/files.go)
 */

export const filesetFiles = ["info", "index", "summaries", "bloomfilter", "data", "digest", "checkpoint"] as const
/** One of the seven files of a fileset, by name. */
export type FilesetFile = typeof filesetFiles[number]

/** Flushed data and snapshots have the same format in two trees. */
export type FilesetTree = "data" | "snapshots"

/** One fileset of a node. `legacy`: names without a volume, as written before M3DB 0.11; they mean volume 0. */
export interface FilesetKey {
  readonly prefix: string
  readonly tree?: FilesetTree
  readonly namespace: string
  readonly shard: number
  /** ns. */
  readonly blockStart: bigint
  readonly volume: number
  readonly legacy?: boolean
}

const join = (...parts: ReadonlyArray<string>): string => parts.join("/").replaceAll(/\/{2,}/g, "/")

/** The directory of all namespaces, below a node's prefix. */
export const treeDirectory = (prefix: string, tree: FilesetTree = "data"): string => join(prefix, tree)

/** The directory of a namespace. */
export const namespaceDirectory = (prefix: string, namespace: string, tree: FilesetTree = "data"): string =>
  join(prefix, tree, namespace)

/** The directory of a shard, in which filesets lie. */
export const shardDirectory = (prefix: string, namespace: string, shard: number, tree: FilesetTree = "data"): string =>
  join(prefix, tree, namespace, String(shard))

/** The name of one file of a fileset; `blockStart` in ns. */
export const fileName = (blockStart: bigint, volume: number, file: FilesetFile, legacy = false): string =>
  legacy ? `fileset-${blockStart}-${file}.db` : `fileset-${blockStart}-${volume}-${file}.db`

/** The path of one file of a fileset. */
export const filePath = (key: FilesetKey, file: FilesetFile): string =>
  join(
    shardDirectory(key.prefix, key.namespace, key.shard, key.tree),
    fileName(key.blockStart, key.volume, file, key.legacy)
  )

/** A namespace that names one directory: not empty, no separators, not a way up. */
export const isNamespaceName = (name: string): boolean =>
  name.length > 0 && name.length <= 255 && name !== "." && name !== ".." && !/[/\\\0]/.test(name)

/** A shard directory's number, or undefined when the name is no plain decimal. */
export const parseShard = (name: string): number | undefined =>
  /^(0|[1-9]\d{0,9})$/.test(name) && Number(name) <= 0xffffffff ? Number(name) : undefined

/** What a file's name says. */
export interface ParsedName {
  readonly blockStart: bigint
  readonly volume: number
  readonly file: string
  readonly legacy: boolean
}

const maxInt64 = BigInt("9223372036854775807")

/** Undefined when the name is none of a fileset. The suffix may be one that this package does not know. */
export const parseFileName = (name: string): ParsedName | undefined => {
  const match = /^fileset-(\d{1,19})(?:-(\d{1,10}))?-([a-z]+)\.db$/.exec(name)
  if (match === null) return undefined
  const blockStart = BigInt(match[1]!)
  const volume = match[2] === undefined ? 0 : Number(match[2])
  if (blockStart > maxInt64 || volume > 0x7fffffff) return undefined
  return { blockStart, volume, file: match[3]!, legacy: match[2] === undefined }
}

/** The files of one volume that a directory holds. */
export interface ListedFileset {
  readonly blockStart: bigint
  readonly volume: number
  readonly legacy: boolean
  readonly files: ReadonlySet<string>
}

const compareListed = (a: ListedFileset, b: ListedFileset): number =>
  a.blockStart < b.blockStart
    ? -1
    : a.blockStart > b.blockStart
    ? 1
    : a.volume - b.volume || Number(b.legacy) - Number(a.legacy)

/** Groups names by fileset, ordered by block start and volume as numbers; names that are none of a fileset are left out. */
export const groupNames = (names: ReadonlyArray<string>): Array<ListedFileset> => {
  const groups = new Map<string, ListedFileset & { readonly files: Set<string> }>()
  for (const name of names) {
    const parsed = parseFileName(name)
    if (parsed === undefined) continue
    const { blockStart, volume, legacy } = parsed
    const key = `${blockStart}-${volume}-${legacy}`
    const group = groups.get(key) ?? { blockStart, volume, legacy, files: new Set<string>() }
    group.files.add(parsed.file)
    groups.set(key, group)
  }
  return [...groups.values()].toSorted(compareListed)
}

/** What is needed of a fileset to choose: complete means that its checkpoint file has exactly 4 bytes. */
export interface VolumeState {
  readonly blockStart: bigint
  readonly volume: number
  readonly legacy: boolean
  readonly complete: boolean
}

/** The volume that a node reads for a block: the highest complete one; of two names of volume 0 the new one. */
export const latestComplete = <A extends VolumeState>(volumes: Iterable<A>, blockStart: bigint): A | undefined => {
  let latest: A | undefined
  for (const one of volumes) {
    if (!one.complete || one.blockStart !== blockStart) continue
    if (latest === undefined || one.volume > latest.volume || (one.volume === latest.volume && !one.legacy)) {
      latest = one
    }
  }
  return latest
}
