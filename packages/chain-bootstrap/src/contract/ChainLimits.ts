/** Every bound of the sync engine and its adapter, with its reason. */
export const ChainLimits = {
  /** Items remembered as asked of one peer, so that late answers are never taken for unasked ones; far more than any peer has outstanding. */
  askedHistory: 16_384,
  /** Header and body messages under way on one connection: two keep it busy over a round trip (specs: 5.7.2). */
  messagesOut: 2,
  /** The same for peers with a good score. */
  messagesOutTrusted: 4,
  /** Score above which a peer counts as good. */
  trustedScore: 80,
  /** Targets that one peer may have at a time: its earliest hash and the next ones, as many as one request names (A34). */
  targetsPerPeer: 10,
  /** Starting points of parallel descents at a time: enough for 50 peers with two messages of ten headers each. */
  descents: 1024,
  /** Pending headers whose facts stay in memory; above it headers go to the store on arrival and memory holds links only. */
  factsInMemory: 32_768,
  /** Headers of side branches kept near the tip after they were pruned (R7): 8 cycles see far fewer. */
  retainedHeaders: 4096,
  /** A segment waits so long for the other targets to reach quorum while there is work to do (A20). */
  settleMillis: 500,
  /** Time to reach `minPeers` before more than 2/3 of them are enough to begin: a dead peer must not hold up the others for ever. */
  connectGraceMillis: 10_000,
  /** A peer whose head is at most this far above ours is followed header by header, not by a branch. */
  nearTipLevels: 16,
  /** Apply batches under way: the applier works on one while the next is ready. */
  appliesOut: 2,
  /**
   * Bodies that are wanted no more while units of them arrive or are written: a chain may come back before they are durable. More than two windows of the
   * applier; beyond it units are fetched again.
   */
  leftBodies: 512,
  /** Ids known to be invalid. */
  invalidIds: 10_000,
  /** Actions that one turn of the store takes: they share commits. */
  storeActionsPerCommit: 256,
  /** Blocks whose bodies are read for one call of an applier: 16 MiB of Tezos bodies at the very most, mostly far less. */
  blocksReadAhead: 4,
  /** Requests of one peer that wait for an answer; more are left unanswered, which every node tolerates. */
  servedRequestsWaiting: 32,
  /** Peers that are served at the same time. */
  servedAtOnce: 4,
  /** Points told in one answer (Tezos decodes at most 100). */
  pointsTold: 50,
  /** Events taken in one turn of the loop: many enough to be cheap, few enough for timers to be on time. */
  eventsPerTurn: 512,
  /** Answers of one peer that wait for the engine; more are not read from its connection until those are taken. */
  eventsPerPeer: 256,
  /** Messages that wait to be written to one peer: far more than are ever under way, so that only a peer that does not read has as many. It is left. */
  outboxMessages: 256,
  /** Actions that wait for the store; with more, nothing is read from any peer until it has caught up. */
  storeActionsWaiting: 4_096,
  /** While a body waits for memory, it is tried again so often: what others give back is not told. */
  memoryRetryMillis: 50,
  /** Tries of blocks that a restarted applier lacks, as long as its fault may pass. */
  replayTries: 6,
  /** A peer has so long to take our farewell before its connection is cut. */
  farewellMillis: 1_000,
  /** Bound of a graceful stop: what arrived becomes durable within it, or is fetched again. */
  stopMillis: 5_000,
  /** A request that has taken this share of its timer is made to a second peer as well: one that withholds must not hold up the rest. */
  patienceShare: 5,
  /** Rest of a peer that left a body or a header of a descent unanswered, doubled each time in a row: silence is no fault, but costs time. */
  restMillis: 2_000,
  /** The longest such rest. */
  restLongestMillis: 60_000,
  /** Headers of an earlier run's descent that the store does not have, in a row, until it is not asked for more. */
  looseMisses: 256,
  /** Levels below the peers' heads in which anchored mode links what different peers name: their locators are dense there. */
  anchorBandLevels: 256,
  /** Woken so much later than asked for, the engine moves all deadlines by as much: timers are good to a few hundred milliseconds on a busy machine. */
  lateMillis: 1_000,
  /** A gap between two descents that is worth a GetPredecessorHeader, of which a peer allows one in 10 s. */
  ancestorGapLevels: 64,
  /** Known peers are written at least so far apart. */
  savePeersMillis: 30_000,
  /** Chosen blocks not yet applied, as a multiple of the segment's headers, beyond which no further segment is chosen. */
  chosenSegments: 2
} as const
