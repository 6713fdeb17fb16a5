/** Chain stores as plugins of kind `chain.store`. */
import { configDefault, configValue, definePlugin, PluginRuntime, Type } from "@peerstrap/plugin-host"
import { formatCount } from "@peerstrap/progress"
import { filesKind } from "@peerstrap/storage/plugin"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as FileChainStore from "../adapter/store/FileChainStore.ts"
import * as MemoryChainStore from "../adapter/store/MemoryChainStore.ts"
import { unmendedPlaces } from "../adapter/store/StoreHoles.ts"
import { ChainBase } from "../contract/ChainBase.ts"
import { ChainProtocol } from "../contract/ChainProtocol.ts"
import { ChainStore, type ChainStoreService, StoreError, type StoreIdentity } from "../contract/ChainStore.ts"
import { storeLimits } from "../contract/StoreLimits.ts"
import { baseKind, protocolKind, storeKind } from "./Kinds.ts"

/** What progress is told of while a store opens: bytes of its log that are read. */
export const openingStore = "opening store"

/** Index, its write-ahead log, lock, log being written, directory. */
const ownDescriptors = 6

/** Why a run may not go on in a store that is there: another chain's, or another base's. */
const refusal = Effect.fnUntraced(function*(directory: string, found: StoreIdentity) {
  const protocol = yield* ChainProtocol
  const { wanted } = yield* ChainBase
  const refuse = (message: string): StoreError =>
    new StoreError({ reason: "other-chain", path: directory, message: `${directory} ${message}; nothing was changed` })
  if (found.chainId !== protocol.chainId || found.protocol !== protocol.name) {
    const names = `${found.protocol} ${found.chainId}, not ${protocol.name} ${protocol.chainId}`
    return yield* refuse(`is the store of another chain: ${names}`)
  }
  if (wanted !== undefined && wanted !== found.base.id) {
    const { id, level } = found.base
    const block = `level ${formatCount(level)} ${protocol.rules.displayId(id)}`
    return yield* refuse(`begins at another base, ${block}, than the one that is wanted`)
  }
})

/** The base's header lies in the store; genesis is a constant in most chains, so that no header hashes to its id. */
const openNew = Effect.fnUntraced(function*<S extends ChainStoreService, E, R>(
  opening: (identity: StoreIdentity) => Effect.Effect<S, E, R>
) {
  const { chainId, name } = yield* ChainProtocol
  const { header, ref } = yield* Effect.flatMap(ChainBase, ({ find }) => find)
  const store = yield* opening({ protocol: name, chainId, base: ref })
  if (header !== undefined && ref.level > 0) yield* store.appendHeaders([header])
  return store
})

const openFiles = Effect.fnUntraced(function*(directory: string, index: "disk" | "memory") {
  const protocol = yield* ChainProtocol
  const runtime = yield* PluginRuntime
  const opening = (identity: StoreIdentity | undefined) =>
    FileChainStore.open({
      directory,
      rules: protocol.rules,
      identity,
      index,
      onScan: ({ bytesDone, bytesTotal }) => runtime.progress(openingStore, bytesDone, bytesTotal)
    })
  runtime.progress(openingStore, 0, 0)
  // What is there says where it begins, so that no peer is asked for a base that is not needed.
  const scope = yield* Scope.fork(yield* Effect.scope)
  const existing = yield* opening(undefined).pipe(
    Scope.provide(scope),
    Effect.catchIf(({ reason }) => reason === "not-found", () => Scope.close(scope, Exit.void))
  )
  if (existing !== undefined) yield* refusal(directory, existing.identity)
  const store = existing ?? (yield* openNew(opening))
  const { damages, rebuilt, torn } = store.openReport
  if (rebuilt !== undefined) {
    runtime.event("store-index-made-anew", { reason: rebuilt }, `the store's index was made anew: ${rebuilt}`)
  }
  if (torn !== undefined) {
    const text = `a half-written end was cut, ${torn.bytes} bytes: they are fetched again`
    runtime.event("store-end-cut", { bytes: torn.bytes }, text)
  }
  if ((yield* unmendedPlaces(store)).length > 0) {
    const text = `${formatCount(damages)} places of the store in ${directory} are damaged`
    runtime.event("store-damaged", { damages, directory }, text)
  }
  return store
})

/** Plugin `chain.store.files`: a store in a directory. */
export const fileStore = definePlugin({
  id: "chain.store.files",
  version: "0.1.0",
  stability: "stable",
  summary: "A directory: append-only logs, an index that can be made again, small documents.",
  provides: [storeKind],
  requires: [filesKind, protocolKind, baseKind],
  config: Schema.Struct({
    directory: configValue(Type.path("DIR", "/var/lib/tezos-store"), "Made when it is not there."),
    index: configDefault(
      Type.oneOf(["disk", "memory"], "disk"),
      "disk",
      "disk: SQLite in the directory. memory: for files that are not the machine's own; made anew at each start."
    )
  }),
  budgets: () => ({ descriptors: storeLimits.openFiles + ownDescriptors }),
  limits: {
    fileBytes: { value: storeLimits.fileBytes, reason: "a log file is closed at this size" },
    groupBytes: {
      value: storeLimits.groupBytes,
      reason: "what one group commit writes, unless a single append is larger"
    },
    openFiles: { value: storeLimits.openFiles, reason: "log files held open for reading" }
  },
  layer: ({ directory, index }) => Layer.effect(ChainStore, openFiles(directory, index))
})

/** Plugin `chain.store.memory`: a store that ends with its process. */
export const memoryStore = definePlugin({
  id: "chain.store.memory",
  version: "0.1.0",
  stability: "stable",
  summary: "This process's memory, gone with it: for dry runs and simulations. It grows with the chain.",
  provides: [storeKind],
  requires: [protocolKind, baseKind],
  config: Schema.Struct({}),
  layer: () => Layer.effect(ChainStore, openNew((identity) => MemoryChainStore.open({ identity })))
})

/** The stores of this package. */
export const storePlugins = [fileStore, memoryStore]
