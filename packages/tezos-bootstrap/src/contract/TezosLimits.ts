/** Every bound of this package with its reason. What the wire itself bounds stands in `@peerstrap/tezos-wire`. */
export const TezosLimits = {
  /** How far ahead of our clock a block may be dated; Octez takes no more either. `limits.clockDriftSeconds` of a network changes it. */
  clockDriftSeconds: 1,
  /** Least time between two messages of a kind to one peer: what Octez enforces (4, 4, 10, 0.1, 60 s) and a margin. */
  spacingMillis: { branch: 5_000, head: 5_000, ancestor: 11_000, peers: 60_000, swap: 65_000 },
  /** A peer that is left has so long to take our Disconnect: it is cut off when that cannot be written soon. */
  farewellMillis: 500,
  /** A network file has about 1 KiB; more is something else. */
  networkFileBytes: 262_144,
  /** Problems that are listed of one network file; the rest is counted. */
  networkProblems: 50,
  /** Peers that a network file names. */
  networkPeers: 1_000,
  /** Addresses taken of one DNS name: public bootstrap names have below ten. */
  addressesPerName: 64,
  /** Names that are looked up at a time: the resolver of the system has four threads in a Node process. */
  lookupsAtOnce: 4,
  /** Time for the look-up of one name; a resolver's own give-up takes longer. */
  lookupTimeoutMillis: 10_000,
  /** Time for one answer of an Octez node. It answers an injection after validation: far below a second, minutes at a protocol change. */
  rpcTimeoutMillis: 300_000,
  /** Bytes of one answer of an Octez node: traces of errors have some KiB. */
  rpcAnswerBytes: 1_048_576,
  /** Bytes of a raw header as JSON text: two digits a byte of the largest header, and quotes. */
  rpcHeaderTextBytes: 16_777_728,
  /** Times in a row that a node may say it does not know a block's predecessor before that counts as lost. */
  unknownPredecessorTries: 5,
  /** Looks at the node's head until it has followed a change of branches; after them a warning. */
  moveHeadLooks: 20,
  /** Time between two of those looks. */
  moveHeadPauseMillis: 250
} as const
