/** A place for one store, which checks open, close and, where it can be done, cut from its power. Two are here: memory, and files in memory. */
import { FileSystem, MemoryFileSystem } from "@peerstrap/storage"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as FileChainStore from "../adapter/store/FileChainStore.ts"
import * as MemoryChainStore from "../adapter/store/MemoryChainStore.ts"
import type { ChainStoreService, StoreError, StoreIdentity } from "../contract/ChainStore.ts"
import { syntheticRules } from "./SyntheticChain.ts"

/** A place for stores under test, and what can be done to it. */
export interface ChainStorePlaceService {
  /** Opens the store there, new or continued. It closes with the scope. Its rules are `syntheticRules`. */
  open(identity: StoreIdentity): Effect.Effect<ChainStoreService, StoreError, Scope.Scope>
  /** Capability `power-cut`: what was not durable is gone, and whoever had the store open is as well. */
  readonly powerCut?: Effect.Effect<void>
  /** Capability `counted-handles`: files, locks or other handles that stores of this place hold now. */
  readonly handles?: Effect.Effect<number>
}

/** Empty when its layer is built. The suite of `ChainStore` takes it for each of its checks. */
export class ChainStorePlace extends Context.Service<ChainStorePlace, ChainStorePlaceService>()(
  "@peerstrap/chain-bootstrap/testing/ChainStorePlace"
) {}

/** `MemoryChainStore` on a medium of its own. */
export const memoryStorePlace: Layer.Layer<ChainStorePlace> = Layer.sync(ChainStorePlace, () => {
  const medium = MemoryChainStore.makeMedium()
  return {
    open: (identity) => MemoryChainStore.open({ identity, medium }),
    powerCut: Effect.sync(() => {
      medium.open = false
    }),
    handles: Effect.sync(() => medium.open ? 1 : 0)
  }
})

/** `FileChainStore` on a file system in memory; the salt is fixed so that runs are equal. `through` stands between the two. */
export const fileStorePlace = (
  through: (fileSystem: FileSystem["Service"]) => FileSystem["Service"] = (fileSystem) => fileSystem
): Layer.Layer<ChainStorePlace> =>
  Layer.sync(ChainStorePlace, () => {
    const memory = MemoryFileSystem.make()
    return {
      open: (identity) =>
        FileChainStore.open({ directory: "/store", rules: syntheticRules, identity, index: "memory", salt: 0x5a17 })
          .pipe(
            Effect.provideService(FileSystem, through(memory.fileSystem))
          ),
      powerCut: Effect.sync(() => memory.crash()),
      handles: Effect.sync(() => memory.openFiles)
    }
  })
