/**
 * A conformance kit: the checks of one contract, what an implementation may be unable to do, and the mutants that prove the checks. It ships
 * with the contract, as `@peerstrap/PACKAGE/testing`.
 */
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"

/** One thing that every implementation does, or every one with the capabilities that it needs. */
export interface Check<out Services, out Capability extends string = never> {
  /** As a sentence about the implementation: `delivers bytes in order`. Unique within its kit. */
  readonly name: string
  /** Capabilities without which this cannot be asked. Default: none, everybody is asked. */
  readonly needs?: ReadonlyArray<Capability>
  /** Fails or dies with what was seen in place of what; succeeds otherwise. */
  readonly run: Effect.Effect<void, unknown, Services | Scope.Scope>
}

/** An implementation that is wrong in one way. */
export interface Mutant<in out Services> {
  /** What it does wrong, as a sentence about it: `drops the last chunk`. */
  readonly name: string
  /** The check that must not pass. Others may fail as well, though not all. */
  readonly rejectedBy: string
  /** What that check's failure says, so that it is the right reason. `hangs`: the check does not end. */
  readonly because: RegExp | "hangs"
  readonly layer: Layer.Layer<Services, unknown>
}

/** The checks of one contract, with capabilities and mutants. */
export interface Kit<Services, Capability extends string = never> {
  /** Name of the contract: `Transport`. */
  readonly contract: string
  /** What an implementation may lack, with a sentence each. All must be declared by whoever is checked. */
  readonly capabilities: Readonly<Record<Capability, string>>
  readonly checks: ReadonlyArray<Check<Services, Capability>>
  readonly mutants: ReadonlyArray<Mutant<Services>>
}

/** What an implementation can do: every capability of the kit, true or false. */
export type Capabilities<Capability extends string> = Readonly<Record<Capability, boolean>>

/** How a test runner is told of a test: `it` of vitest, `test` of node:test, and others. */
export type RegisterTest = (name: string, run: () => Promise<void>) => unknown
