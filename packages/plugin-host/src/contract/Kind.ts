/**
 * A kind of plugin: the contract that its plugins implement, under a dotted id. `one` means that a composition has exactly one plugin
 * of it, `many` that its plugins are asked in the order in which they are listed (bootstrappers, sinks).
 */
import type * as Context from "effect/Context"

/** How many plugins of a kind a composition has: exactly one, or any number in order. */
export type Multiplicity = "one" | "many"

/** What the service of a kind looks like: itself, or for `many` the ordered list. */
export type ServiceOf<S, M extends Multiplicity> = M extends "many" ? ReadonlyArray<S> : S

/** A kind of plugin: `I` is the identifier of the service tag, `S` the shape of one implementation. */
export interface Kind<out I, out S, out M extends Multiplicity = Multiplicity> {
  /** Dotted, lower case, e.g. `transport` or `m3db.sink`; ids of its plugins begin with it. */
  readonly id: string
  readonly multiplicity: M
  readonly tag: Context.Key<I, ServiceOf<S, M>>
  /** One sentence for `explain`. */
  readonly summary: string
  /** Whether members that are Effects, or return one, are counted on each edge. */
  readonly metered: boolean
}

/** What a kind says of itself. */
export interface KindOptions {
  readonly summary: string
  /** False for policies, whose members are plain functions: they are handed on unwrapped. Default true. */
  readonly metered?: boolean
}

/** A kind of which a composition has exactly one plugin. */
export const one = <I, S>(id: string, tag: Context.Key<I, S>, options: KindOptions): Kind<I, S, "one"> => ({
  id,
  multiplicity: "one",
  tag,
  summary: options.summary,
  metered: options.metered ?? true
})

/** A kind whose plugins form an ordered list; each plugin's layer gives the list of its own implementations, usually one. */
export const many = <I, S>(
  id: string,
  tag: Context.Key<I, ReadonlyArray<S>>,
  options: KindOptions
): Kind<I, S, "many"> => ({ id, multiplicity: "many", tag, summary: options.summary, metered: options.metered ?? true })

/** Any kind, for code that does not care which. */
export type AnyKind = Kind<unknown, unknown>

/** Identifiers of the services of a tuple of kinds. */
export type IdentifiersOf<Kinds extends ReadonlyArray<AnyKind>> = Kinds[number] extends infer K
  ? K extends Kind<infer I, unknown> ? I : never
  : never

/** The same of those kinds only of which there may be one. */
export type SingleIdentifiersOf<Kinds extends ReadonlyArray<AnyKind>> = Kinds[number] extends infer K
  ? K extends Kind<infer I, unknown, "one"> ? I : never
  : never
