/** Every bound of peer streaming, with its reason. Options of the apps set the ones that an operator may want to change. */

export interface StreamLimits {
  /** Jobs (shard × range) worked on at once. More overlap listing of one with fetching of another; each holds its metadata. */
  readonly jobsInFlight: number
  /** Block starts in one job: a listing over many blocks costs a peer one walk over its series instead of many. */
  readonly maxBlocksPerJob: number
  /** Peers of one shard: candidate sets are bit masks. */
  readonly maxPeersPerShard: number
  /** Series or elements a metadata page; real nodes build a page in memory, 4096 is what M3's own client asks. */
  readonly pageLimit: number
  /** Largest metadata page held; a larger one is asked for again with half the limit. */
  readonly maxPageBytes: number
  /** Largest answer to one batch of blocks. */
  readonly maxAnswerBytes: number
  /** Announced sizes above this are not believed when memory is drawn for a block. */
  readonly maxBlockBytes: number
  /** Tries of one block on one peer before the peer counts as used up for it (M3: 2). */
  readonly attemptsPerPeer: number
  /** Failures in a row after which a peer is not waited for where the level is met without it (M3: first try + 3 retries). */
  readonly failuresUntilHopeless: number
  /** Once the level is met, time for listings that are about as far as the others; then nobody waits for their rows any more. */
  readonly overtakenMillis: number
  /** Once all else of a job is done, time for listings that the level does not need; twice as long for one that is nearly done. */
  readonly stragglerMillis: number
  /** Both grow to this share of the time that the finished listings took: what took long may take a little longer. */
  readonly stragglerShare: number
  /**
   * When nothing is left to give out, a batch that takes `hedgeFactor` times what others of its size take, and at least so long, is asked
   * of idle peers, too: below it two requests cost more than the wait.
   */
  readonly hedgeMillis: number
  readonly hedgeFactor: number
  /**
   * A batch that takes `silentFactor` times the usual, and at least so long, makes its peer suspect at any time: others get its work. Long
   * enough for a far or busy peer, far below the idle timeout of a call.
   */
  readonly silentMillis: number
  readonly silentFactor: number
  /** Pages in a row that may bring nothing new, beyond the number of pages that did: repeated tokens are legal, loops are not. */
  readonly idlePages: number
  /** Series-blocks that only one peer lists and does not deliver, after which its endless listing counts as made up. */
  readonly undeliveredProof: number
  /** Series-blocks of one job; memory ends it earlier. */
  readonly maxGroupsPerJob: number
  /** (series × block) records that one peer may list for one job. */
  readonly maxRecordsPerListing: number
  /** Share of the ledger that metadata may fill; the rest keeps fetching possible. */
  readonly listingShare: number
  /** Share of the ledger that copies held for a merge may fill. */
  readonly copiesShare: number
  /** First and longest pause before blocks that nobody could deliver are tried again. */
  readonly blockedBaseMillis: number
  readonly blockedCapMillis: number
  /** Series (bytes of their streams) that one slice of merging works on before other events get their turn. */
  readonly mergeSliceBytes: number
  /** Points that one stream may decode to. */
  readonly maxPointsPerBlock: number
  /** Answer buffers kept for the next answers, beside the ledger and at most an eighth of it: one batch and a spare of several peers. */
  readonly idleBufferBytes: number
  /** Entries kept of each list in the report; counts are always complete. */
  readonly reportEntries: number
}

/** The bounds that a run has unless its options say otherwise. */
export const defaultStreamLimits: StreamLimits = {
  jobsInFlight: 8,
  maxBlocksPerJob: 16,
  maxPeersPerShard: 30,
  pageLimit: 4096,
  maxPageBytes: 4 << 20,
  maxAnswerBytes: 64 << 20,
  maxBlockBytes: 16 << 20,
  attemptsPerPeer: 2,
  failuresUntilHopeless: 4,
  overtakenMillis: 200,
  stragglerMillis: 300,
  stragglerShare: 0.25,
  hedgeMillis: 250,
  hedgeFactor: 3,
  silentMillis: 1_500,
  silentFactor: 8,
  idlePages: 64,
  undeliveredProof: 64,
  maxGroupsPerJob: 1 << 25,
  maxRecordsPerListing: 50_000_000,
  listingShare: 0.6,
  copiesShare: 0.2,
  blockedBaseMillis: 1_000,
  blockedCapMillis: 30_000,
  mergeSliceBytes: 128 << 10,
  maxPointsPerBlock: 1 << 22,
  idleBufferBytes: 32 << 20,
  reportEntries: 10_000
}
