/** Every bound of connections, known peers and scores that is no option, with its reason. */
export const ConnectionLimits = {
  /** Points taken from one message of a peer; Octez tells at most 100. */
  pointsPerMessage: 100,
  /** Characters of a host name (RFC 1035). */
  hostCharacters: 253,
  /** Characters of an identity's text; Tezos ids have 30. */
  idCharacters: 128,
  /** Characters kept of a reason, which may quote a peer. */
  reasonCharacters: 240,
  /** Bans, greylistings and counters kept, of each; an attacker needs one identity with its proof of work for each. About 300 bytes each. */
  standings: 4096,
  /** Own points remembered after meeting ourselves. */
  ownPoints: 64,
  /** Characters of a saved document: 400 points and 3 × 4096 standings take less than 4 MiB. */
  savedCharacters: 4 * 1024 * 1024,
  /** A place kept for an incoming handshake that is never reported again: handshakes take at most 8 s. */
  handshakeMillis: 15_000,
  /** A dial that is never reported again: connecting takes at most 10 s, the handshake 8 s. */
  dialMillis: 60_000,
  /** Least time between two questions for peers to one peer (Octez ignores more than it asks for; 5.7.2). */
  askPeersMillis: 60_000,
  /** Least time between two swap requests to one peer: Octez ignores more than one in 60 s. */
  swapMillis: 65_000,
  /** How long an answer to either may take before the next means is tried (5.7.2). No answer is no fault (A36). */
  peersAnswerMillis: 30_000,
  /** Highest scoring peers that are asked to swap at a time (R105). */
  swapPeers: 3,
  /** Least time between two resolutions of the network's names: Octez maintains its connections every 120 s. */
  namesMillis: 120_000,
  /** Failed dials in a row that are told apart; 1.2⁶⁷ × 1 s is beyond the longest delay. */
  failures: 100
} as const
