/** Flags and checks that the commands over a directory share. */
import { derived, type Problem, shown, Type } from "@peerstrap/command-line"
import { isNamespaceName } from "@peerstrap/m3db-files"
import { type DataFilter, readShardFilter } from "./DataDirectory.ts"
import { shardList } from "./ShardList.ts"

export const directoryFlags = {
  namespace: derived(Type.text("NAME", "a namespace", "metrics"), "all of them", "The namespace to look at."),
  shards: derived(shardList, "all of them", "The shards to look at.")
} as const

export const directoryOperand = "the directory that holds data/NAMESPACE/SHARD/fileset-…, as a node has it"

/** The filter that the flags ask for; wrong values are told. */
export const planFilter = (
  { namespace, shards }: { readonly namespace?: string | undefined; readonly shards?: string | undefined },
  problem: (problem: Problem) => void
): DataFilter => {
  if (namespace !== undefined && !isNamespaceName(namespace)) {
    problem({ where: "--namespace", message: `${shown(namespace)} cannot be a directory's name` })
  }
  return { namespace, shards: readShardFilter(shards, problem) }
}
