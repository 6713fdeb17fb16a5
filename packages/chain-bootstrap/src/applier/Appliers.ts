/** All appliers of this package; `Layer.succeed(BlockApplier, …)` or `Layer.effect(BlockApplier, …)` makes one the run's. */
export * from "./ArchiveApplier.ts"
export * from "./CallbackApplier.ts"
export * from "./CommandApplier.ts"
export * from "./SimulatorApplier.ts"
