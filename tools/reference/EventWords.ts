/** What each event says, in words. Names and fields come from the sources; an event without words here, or words without an event, stop the page. */

export type ProgramName = "peerstrap-m3db" | "peerstrap-chain"

export const eventWords: Readonly<Record<ProgramName, Readonly<Record<string, string>>>> = {
  "peerstrap-m3db": {
    "message": "What a person would read, and no other event says.",
    "log": "A library's own log line.",
    "stalled": "Nothing moved for 10 s; the others are those of `why --json`: `waits`, each with cause and remedy.",
    "plan": "The run begins: what it is going to do.",
    "disk": "Free space where filesets go, before the first is written.",
    "run-ended": "Streaming is over: `complete`, `incomplete`, `deadline`, `stopped` or `failed`; verifying follows.",
    "job-started": "A shard with up to 16 blocks begins to list and fetch.",
    "job-ended": "That shard is done, its blocks are published or given up.",
    "job-sent-back": "Every job waits for memory: the youngest gives back what it holds and starts over later.",
    "level-changed": "The consistency level is another one from now on.",
    "peer-rate-changed": "The rate that is asked of each peer is another one from now on; 0: no limit.",
    "setting-changed": "A value of a plugin was set while the run goes on, by whom.",
    "plugin-status": "A plugin of the run starts, is well, is in trouble, stops.",
    "peer-out-of-reach": "So many failures in a row that the peer is not waited for where the level is met without it.",
    "peer-back": "It answers again.",
    "peer-suspect": "A batch takes much longer than others of its size: other peers get the peer's work.",
    "peer-called-back": "A peer that was given up is asked again, because the level asks for more.",
    "breaker-opened": "After a timeout or failures the peer rests for `forMillis`.",
    "breaker-half-open": "The rest is over: one call is tried.",
    "breaker-closed": "That call went well: the peer gets work as before.",
    "clock-jumped": "The machine slept or its clock was set: timers are moved by as much, nobody is blamed."
  },
  "peerstrap-chain": {
    "message": "What a person would read, and no other event says.",
    "log": "A library's own log line.",
    "stalled": "Nothing moved for 10 s; the others are those of `why --json`: `waits`, each with cause and remedy.",
    "plan": "The run begins: what it is going to do.",
    "setting-changed": "A value of a plugin was set while the run goes on, by whom.",
    "identity-made": "There was no identity: one was searched and kept.",
    "base-asked": "A peer is asked for the header of `--base`.",
    "base-found": "The header of `--base` came, its hash proves it.",
    "listening": "`serve` takes connections.",
    "applier-says": "A line that the applier's process wrote to its standard error.",
    "peer-up": "A session with a peer; `side` says who dialled.",
    "peer-down": "It ended.",
    "blamed": "Recorded evidence lowered a peer's score.",
    "mode": "Segmented or anchored from now on, and why.",
    "segment": "A segment of headers was chosen by a quorum.",
    "pruned": "A header lost against a chosen one; who claimed it.",
    "unavailable": "A hash that nobody serves.",
    "applied": "Blocks up to this one are applied.",
    "apply-retry": "The applier cannot take the block now; it is asked again.",
    "invalid": "The applier calls the block wrong for good.",
    "reorganised": "The head left one branch for another.",
    "status": "`synced`, `unsynced` or `stuck` from now on, and why.",
    "stuck": "No progress for `--stuck-after`, and what is done about it.",
    "store-index-made-anew": "The store's index was missing or not of its logs: it is made again from them.",
    "store-end-cut": "The last record of the store's log was torn, by a crash: it is cut off and fetched again.",
    "store-damaged":
      "Bytes of the store do not hold what was written: `sync` looks for what lay there and fetches it again.",
    "store-mended":
      "What damage took from the store's chain was fetched again before the run began; `left`: what no peer serves.",
    "identity-missing": "There is no identity yet: one is searched, which takes a while on public networks.",
    "identity-open-to-others": "Others may read the file of the identity: whoever has it is this node.",
    "peer-connected": "`serve`: a session with a peer.",
    "peer-closed": "`serve`: it ended.",
    "peer-attempt-failed": "`serve`: a connection that became no session."
  }
}

/** Modules that hand on events whose names stand elsewhere: with each, where. */
export const forwarders: Readonly<Record<string, string>> = {
  "packages/command-line/src/adapter/RunReporter.ts": "the reporter itself",
  "apps/chain-bootstrapper/src/sync/RunSync.ts": "notices of the engine",
  "apps/chain-bootstrapper/src/sync/StartParts.ts": "events of plugins",
  "apps/m3db-bootstrapper/src/bootstrap/RunBootstrap.ts": "events of plugins",
  "apps/chain-bootstrapper/src/serve/RunServe.ts": "connections of a server, `servedEvents`"
}
