/** The first steps of every reader: choose the volume, then checkpoint → digest → info, each checked by the one before. */
import { adler32 } from "@peerstrap/m3tsz"
import * as Effect from "effect/Effect"
import { decodeCheckpoint, decodeDigests, type FileDigests } from "../codec/DigestFile.ts"
import { hex32 } from "../codec/IndexEntry.ts"
import { type DecodedInfo, decodeInfo } from "../codec/InfoFile.ts"
import type { FilesetError } from "../contract/errors.ts"
import { Limits } from "../contract/Limits.ts"
import { isMalformed } from "../contract/Malformed.ts"
import { filePath, type FilesetKey, latestComplete, shardDirectory } from "../engine/FilesetName.ts"
import { type Files, listFilesets, sizeOf } from "./Directory.ts"
import { damaged, fault, io, refetch } from "./Faults.ts"

/** A fileset, or with no `volume` the one that a node would read: the highest complete volume of the block. */
export type FilesetLocation = Omit<FilesetKey, "volume"> & { readonly volume?: number }

export const locate = Effect.fnUntraced(function*(fs: Files, location: FilesetLocation) {
  const { blockStart, namespace, prefix, shard, tree, volume } = location
  const directory = shardDirectory(prefix, namespace, shard, tree)
  if (volume !== undefined && (volume > 0 || location.legacy !== undefined)) {
    return { ...location, volume } as FilesetKey
  }
  const candidates = (yield* listFilesets(fs, directory, blockStart))
    .filter((one) => volume === undefined || one.volume === volume)
  const latest = latestComplete(candidates, blockStart)
  if (latest === undefined) {
    const message = `no complete fileset of block ${blockStart}${volume === undefined ? "" : `, volume ${volume}`}`
    return yield* fault("missing", directory, message, "fetch the block from its replicas")
  }
  return { ...location, volume: latest.volume, legacy: latest.legacy } satisfies FilesetKey as FilesetKey
})

export interface OpenedInfo {
  readonly digests: FileDigests
  readonly decoded: DecodedInfo
}

const unequal = (path: string, expected: number, actual: number): FilesetError =>
  fault("checksum", path, `digest is ${hex32(expected)}, the file has ${hex32(actual)}`, refetch)

/** Fails unless checkpoint, digest and info files agree. */
export const openInfo = Effect.fnUntraced(function*(fs: Files, key: FilesetKey) {
  const checkpointPath = filePath(key, "checkpoint")
  const size = yield* sizeOf(fs, checkpointPath)
  if (size !== Limits.checkpointBytes) {
    const message = size === undefined ? "no checkpoint file" : `the checkpoint file has ${size} bytes instead of 4`
    return yield* fault("incomplete", checkpointPath, message, refetch)
  }
  const expected = decodeCheckpoint(yield* io(fs.readFile(checkpointPath, Limits.checkpointBytes)))
  if (isMalformed(expected)) return yield* damaged(checkpointPath, expected)
  const digestPath = filePath(key, "digest")
  const digestBytes = yield* io(fs.readFile(digestPath, 4096))
  const digests = decodeDigests(digestBytes)
  if (isMalformed(digests)) return yield* damaged(digestPath, digests)
  if (adler32(digestBytes) !== expected) return yield* unequal(digestPath, expected, adler32(digestBytes))
  const infoPath = filePath(key, "info")
  const infoBytes = yield* io(fs.readFile(infoPath, Limits.maxInfoBytes))
  if (adler32(infoBytes) !== digests.info) return yield* unequal(infoPath, digests.info, adler32(infoBytes))
  const decoded = decodeInfo(infoBytes)
  if (isMalformed(decoded)) return yield* damaged(infoPath, decoded)
  if (decoded.info.blockStart !== key.blockStart) {
    const message = `the file names block ${decoded.info.blockStart}, its name says ${key.blockStart}`
    return yield* fault("malformed", infoPath, message, "restore the file's name")
  }
  return { digests, decoded } satisfies OpenedInfo as OpenedInfo
})

/** Reads a small file whole and compares it with its digest. */
export const readDigested = Effect.fnUntraced(function*(fs: Files, path: string, maxBytes: number, digest: number) {
  const bytes = yield* io(fs.readFile(path, maxBytes))
  const actual = adler32(bytes)
  return actual === digest ? bytes : yield* unequal(path, digest, actual)
})
