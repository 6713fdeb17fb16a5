/** `sync`: fetches, verifies and applies the chain of a network. */
import { command } from "@peerstrap/command-line"
import { NodeFileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { loadedCryptoLayer } from "../LoadedCrypto.ts"
import { resolveParts, type SyncParts } from "../sync/Parts.ts"
import type { SyncInput } from "../sync/PrepareSync.ts"
import { runSync } from "../sync/RunSync.ts"
import { syncFlags } from "../sync/SyncFlags.ts"
import { planSync, type SyncPlan } from "../sync/SyncPlan.ts"

export const sync = command<typeof syncFlags, SyncPlan | undefined, SyncParts>({
  name: "sync",
  summary: "Fetch a chain from its peers under a quorum, verify and apply it, and follow it",
  details: [
    "Asks peers for their branches, chooses headers that more than two thirds of them support and that link to the base, fetches their operations, " +
    "spread over the peers and verified against the header, and applies block after block. A store of the same chain goes on from where it is, also after " +
    "a kill; another chain's is refused.",
    "Progress goes to standard error, the result to standard output. DIR/peerstrap-report.json holds the last run's report. While it runs, " +
    "status, why and peers talk to it.",
    "A run is made of parts (peerstrap-chain plugins list). Beside sync's section a config file may have plugins: a list of { use: ID, with: {…}, from: FILE or " +
    "PACKAGE }, each of which takes the place of the part of its kind; a flag that would then do nothing is refused.",
    "Exit codes: 0 --until was reached and all blocks were read again and verified; 1 halted: a quorum contradicts our chain, or all peers end at the same " +
    "old block; 2 wrong flags, network file or store; 3 --deadline; 4 this machine (disk, permission, applier); 130, 143 stopped."
  ],
  flags: syncFlags,
  examples: [
    {
      args:
        "sync --network mainnet --base BLockGenesisGenesisGenesisGenesisGenesisf79b5d1CoW2 --store /var/lib/tezos-store",
      says: "Mainnet from a block that you trust (put a recent hash there), and follow it"
    },
    {
      args:
        "sync --network private.json --peer 10.0.0.1:9732 --peer 10.0.0.2:9732 --peer 10.0.0.3:9732 --until synced --deadline 30m " +
        "--store /var/lib/tezos-store",
      says: "A private network until synced, at most half an hour long"
    },
    {
      args:
        "sync --network sandbox --peer 127.0.0.1:9732 --min-quorum-peers 1 --until level:298 --store /tmp/store --json",
      says: "A single peer that you trust; one JSON document as the result"
    },
    {
      args:
        "sync --network mainnet --store /var/lib/tezos-store --applier command --applier-command ./index-blocks --listen 0.0.0.0:9732",
      says: "Go on with a store; hand each block to a program; serve other nodes, too"
    }
  ],
  check: planSync,
  resolve: resolveParts,
  stopsItself: true,
  run: (input) =>
    runSync(input as SyncInput).pipe(
      Effect.provide(Layer.merge(NodeFileSystem.layer, loadedCryptoLayer))
    )
})
