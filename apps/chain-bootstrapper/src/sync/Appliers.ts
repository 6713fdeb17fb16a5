/** What `--applier` stands for. */
import { BlockApplier, type BlockApplierService } from "@peerstrap/chain-bootstrap"
import { type Network, octezRpc } from "@peerstrap/tezos-bootstrap"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { SyncSettings } from "./SyncFlags.ts"

const archive: BlockApplierService = {
  name: "archive",
  needsBodies: false,
  branches: "one",
  head: Effect.as(Effect.void, undefined),
  apply: (blocks) => Effect.succeed({ applied: blocks.length, outcome: "ok", reason: "" }),
  rollback: () => Effect.void,
  moveHead: () => Effect.void,
  forget: () => Effect.void
}

export const applierLayer = (settings: SyncSettings, network: Network): Layer.Layer<BlockApplier> =>
  Layer.succeed(
    BlockApplier,
    settings.applier === "octez-rpc" ? octezRpc({ url: settings.octezRpc!, network }) : archive
  )
