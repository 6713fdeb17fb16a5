/** Filesets most of whose series hash to other shards: told once for a directory, because the number of shards given is likely wrong. */
import {
  checkSharding,
  commonDivisor,
  type FilesetProblem,
  type FilesetVerification,
  type VerifyOptions
} from "@peerstrap/m3db-files"
import { formatCount } from "@peerstrap/progress"
import type { FileProblem } from "./DataDirectory.ts"

const mostShards = 65_536

const isOfShards = ({ remedy }: FilesetProblem): boolean => remedy === checkSharding

export class MisplacedFilesets {
  private first: FilesetProblem | undefined
  private filesets = 0
  private modulus = 0
  private highest = 0

  /** The problems of a fileset that are told one by one. */
  add({ key, problems, shardFit }: FilesetVerification): ReadonlyArray<FilesetProblem> {
    if (shardFit === undefined) return problems
    this.modulus = commonDivisor(this.modulus, shardFit.modulus)
    this.highest = Math.max(this.highest, key.shard)
    if (!shardFit.isMostlyElsewhere) return problems
    this.first ??= problems.find(isOfShards)
    this.filesets++
    return problems.filter((problem) => !isOfShards(problem))
  }

  /** All of them together, with the number of shards that would explain them. */
  problem(sharding: VerifyOptions["sharding"]): FileProblem | undefined {
    const { filesets, first, highest, modulus } = this
    if (first === undefined || sharding === undefined) return undefined
    const isExplained = modulus > highest && modulus <= mostShards
    return {
      path: first.path,
      offset: -1,
      what: `${first.message}; so are ${formatCount(filesets)} filesets: is --num-shards right?` +
        (isExplained ? ` ${modulus} would explain them` : ""),
      remedy: "give the cluster's own --num-shards and --hash-seed; the files themselves may be good"
    }
  }
}
