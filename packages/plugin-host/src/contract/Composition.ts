/** Parts put together: what they are, where they were named, and, in types, what they provide together. */
import type { AnyPart, AnyPlugin, Part } from "./Plugin.ts"

/** A part with the words for where it stands. `path` leads into its config. */
export interface PlacedPart {
  readonly plugin: AnyPlugin
  readonly config: unknown
  readonly name?: string | undefined
  readonly where: (path?: ReadonlyArray<PropertyKey>) => string
}

/** Parts put together; the type says which services they provide. One that provides more stands in for one that provides less. */
export interface Composition<in Provided> {
  readonly parts: ReadonlyArray<PlacedPart>
  readonly "~types"?: (provided: Provided) => void
}

/** Of a part whose types are not known (`AnyPart`) nothing is known to be provided or required; the report tells. */
type Known<T> = unknown extends T ? never : T

/** Services that a part provides; of a union each service that one of its members provides. */
export type ProvidedBy<P> = P extends Part<infer Provided, unknown, unknown> ? Known<Provided> : never
/** Services of kinds `one` that a part provides. */
export type SingleOf<P> = P extends Part<unknown, infer Single, unknown> ? Known<Single> : never
/** Services that a part requires. */
export type RequiredBy<P> = P extends Part<unknown, unknown, infer Required> ? Known<Required> : never

/** `true` when a member of the union `P` does not provide the service. */
type Lacking<P, Service> = P extends Part<infer Provided, unknown, unknown>
  ? Service extends Known<Provided> ? never : true
  : never

/** Services that a part provides whichever member of a union it is. */
export type SurelyProvidedBy<P, Service = ProvidedBy<P>> = Service extends unknown
  ? [Lacking<P, Service>] extends [never] ? Service : never
  : never

/** Services that parts provide together. The elements of an array that is no tuple may be none: they provide nothing for sure. */
export type ProvidedByAll<Parts extends ReadonlyArray<AnyPart>> = Parts extends
  readonly [infer Head, ...infer Rest extends ReadonlyArray<AnyPart>] ? SurelyProvidedBy<Head> | ProvidedByAll<Rest>
  : Parts extends readonly [...infer Rest extends ReadonlyArray<AnyPart>, infer Last]
    ? SurelyProvidedBy<Last> | ProvidedByAll<Rest>
  : never

/** What is required and by none provided. */
export type MissingOf<Parts extends ReadonlyArray<AnyPart>> = Exclude<RequiredBy<Parts[number]>, ProvidedByAll<Parts>>

/** Services of kinds `one` that two parts of a tuple provide. Of an array that is no tuple nothing is known here; the report tells. */
export type DoubledOf<Parts extends ReadonlyArray<AnyPart>, Seen = never> = Parts extends
  readonly [infer Head, ...infer Rest extends ReadonlyArray<AnyPart>]
  ? Extract<SingleOf<Head>, Seen> | DoubledOf<Rest, Seen | SingleOf<Head>>
  : never

/** What the arguments of `compose` must be besides parts: nothing when all fits, else an object that names what does not. */
export type Fitting<Parts extends ReadonlyArray<AnyPart>> = [MissingOf<Parts>] extends [never]
  ? [DoubledOf<Parts>] extends [never] ? unknown : { readonly "provided by two parts": DoubledOf<Parts> }
  : { readonly "provided by no part": MissingOf<Parts> }

/** Puts parts together. A requirement that no part provides is a compile error, and so is one of kind `one` that two provide. */
export const compose = <const Parts extends ReadonlyArray<AnyPart>>(
  ...parts: Parts & Fitting<Parts>
): Composition<ProvidedByAll<Parts>> => ({
  parts: (parts as ReadonlyArray<AnyPart>).map(({ config, name, plugin }, at) => ({
    plugin,
    config,
    name,
    where: (path = []) => `part ${at + 1} (${[plugin.id, ...path].map(String).join(".")})`
  }))
})
