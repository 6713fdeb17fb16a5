/** Every bound of this package, with its reason. */
export const Limits = {
  /** A placement or namespace registry as bytes. Ten times what etcd stores in one value by default (1.5 MiB). */
  documentBytes: 16 * 1024 * 1024,
  /** Instances in one placement: far above the largest clusters known, far below what would hurt. */
  instances: 4096,
  /** Shards of a cluster; M3DB recommends up to 4096. */
  shards: 65_536,
  /** Shard entries of all instances together: every shard of the largest cluster, four times. About 200 bytes each. */
  shardEntries: 262_144,
  /** Namespaces in one registry. */
  namespaces: 4096,
  /** Problems that one error lists; what is left out is counted. */
  problems: 50
} as const
