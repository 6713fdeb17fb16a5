/** `serve`: answers other nodes from a store. */
import { command } from "@peerstrap/command-line"
import { NodeFileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { loadedCryptoLayer } from "../LoadedCrypto.ts"
import { resolveParts, type ServeParts } from "../serve/Parts.ts"
import { runServe, type ServeInput } from "../serve/RunServe.ts"
import { planServe, serveFlags, type ServePlan } from "../serve/ServeFlags.ts"

export const serve = command<typeof serveFlags, ServePlan | undefined, ServeParts>({
  name: "serve",
  summary: "Answer other nodes from a store: branches, headers, operations",
  details: [
    "Dials nobody and changes nothing in the store. What the store does not have is met with silence, as by every node of this network. It ends with " +
    "SIGINT or SIGTERM (exit code 130 or 143)."
  ],
  flags: serveFlags,
  examples: [
    { args: "serve --store /var/lib/tezos-store --listen 0.0.0.0:9732", says: "For other nodes" },
    {
      args: "serve --store /var/lib/tezos-store --listen 127.0.0.1:0 --json",
      says: "On any free port, which an event says"
    }
  ],
  check: planServe,
  resolve: resolveParts,
  stopsItself: true,
  run: (input) =>
    runServe(input as ServeInput).pipe(
      Effect.provide(Layer.merge(NodeFileSystem.layer, loadedCryptoLayer))
    )
})
