/** Every bound of this package, with its reason. */
export const HeaderDagLimits = {
  /** Ids are hashes of 20 to 64 bytes; the hash of ids keeps a table of 1 KiB a byte. */
  maxIdBytes: 64,
  /** Support is kept as one bit a peer and node, four times; a node talks to tens of peers, hardly ever to hundreds. */
  maxPeers: 1024,
  /** Columns are indexed by 32-bit integers: 2^24 nodes of 64 peers are 2 GiB, more than one process should hold. */
  maxNodes: 16_777_216,
  /** Levels are signed 32-bit integers on the wire (specs: chain bootstrap 2.3). */
  maxLevel: 2_147_483_647,
  /** Fewest supporters of a quorum unless told otherwise: one peer would be a quorum of one (A16). */
  minSupporters: 3,
  /** Ids that one peer may name ahead of their headers: the 1000 entries of a locator and its head, and some room (A34). */
  maxNamedPerPeer: 1100,
  /** When an elector's settled level moves by no more than this, only the headers of those levels are counted again. */
  recountedLevels: 64
} as const
