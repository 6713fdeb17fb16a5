/** An applier that tells the host how it is: `recoverable` after a fault that may pass, `permanent` when it is gone. */
import type { PluginRuntime } from "@peerstrap/plugin-host"
import * as Effect from "effect/Effect"
import type { ApplierFailed, BlockApplierService } from "../contract/BlockApplier.ts"

/** The same applier, whose ends are told. */
export const tellingApplier = (
  applier: BlockApplierService,
  runtime: PluginRuntime["Service"]
): BlockApplierService => {
  let told = "ok"
  const tell = (status: "ok" | "recoverable" | "permanent", message: string): void => {
    if (status === "ok" && told === "ok") return
    told = status
    runtime.report(status, message)
  }
  const watched = <A>(call: Effect.Effect<A, ApplierFailed>): Effect.Effect<A, ApplierFailed> =>
    Effect.tapError(call, ({ message }) => Effect.sync(() => tell("permanent", message)))
  return {
    name: applier.name,
    needsBodies: applier.needsBodies,
    branches: applier.branches,
    get head() {
      return watched(applier.head)
    },
    apply: (blocks) =>
      Effect.tap(
        watched(applier.apply(blocks)),
        ({ outcome, reason }) =>
          Effect.sync(() => outcome === "transient" ? tell("recoverable", reason) : tell("ok", ""))
      ),
    rollback: (to) => watched(applier.rollback(to)),
    moveHead: (to) => watched(applier.moveHead(to)),
    forget: (id) => watched(applier.forget(id))
  }
}
