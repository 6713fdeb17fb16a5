/** Every bound of this package with its reason. */
export const progressLimits = {
  /** Rates are over the last so many milliseconds: long enough to be steady, short enough to show a change. */
  rateWindowMillis: 10_000,
  /** Slots of that window: the rate is at most 1/20 of the window late. */
  rateWindowSlots: 20,
  /** Memory of the long-term rate. */
  averageMillis: 60_000,
  /** Without progress for so long a run counts as stalled: longer than any back-off and the usual request timeout. */
  stallMillis: 30_000,
  /** Between two paints of the live view: 10 a second, more is not seen. */
  frameMillis: 100,
  /** Between two plain lines while nothing changes. */
  plainLineMillis: 10_000,
  /** How often the plain lines look for a change of what is waited for. */
  plainPollMillis: 1000,
  /** Lanes and peers that the live view lists; the rest is counted. */
  shownLanes: 8,
  shownPeers: 8,
  /** Waits that a view spells out; `why` shows all. */
  shownWaits: 3,
  /** Subjects that a merged wait names. */
  shownSubjects: 4,
  /** A request on the control socket: commands are short. */
  maxRequestBytes: 64 * 1024,
  /** An answer: the status of 4,096 shards is about 1 MiB. */
  maxAnswerBytes: 16 * 1024 * 1024,
  /** Connections to the control socket at once: a few people and scripts. */
  maxControlConnections: 16,
  /** A connection that has not sent its request by then is closed. */
  requestTimeoutMillis: 10_000,
  /** Starters that reach for the lock of a path at the same moment wait so long for it, so that one of them gets it. Their thread stands still. */
  lockWaitMillis: 50,
  /** So often somebody who holds the lock and does not answer is looked at: it is about to listen, or to end. */
  maxLockTries: 20,
  /** Bytes of a socket's path: `sun_path` has 108 (104 on macOS), one is for the closing zero. */
  maxSocketPathBytes: { linux: 107, other: 103 }
} as const
