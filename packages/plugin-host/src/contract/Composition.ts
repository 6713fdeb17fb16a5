/** Parts put together: what they are, where they were named, and, in types, what they provide together. */
import type { AnyPart, AnyPlugin, Part } from "./Plugin.ts"

/** A part with the words for where it stands. `path` leads into its config. */
export interface PlacedPart {
  readonly plugin: AnyPlugin
  readonly config: unknown
  readonly name?: string | undefined
  readonly where: (path?: ReadonlyArray<PropertyKey>) => string
}

/** Parts put together; the type says which services they provide. */
/** One that provides more stands in for one that provides less. */
export interface Composition<in Provided> {
  readonly parts: ReadonlyArray<PlacedPart>
  readonly "~types"?: (provided: Provided) => void
}

/** Services that a part provides. */
export type ProvidedBy<P> = P extends Part<infer Provided, unknown, unknown> ? Provided : never
/** Services of kinds `one` that a part provides. */
export type SingleOf<P> = P extends Part<unknown, infer Single, unknown> ? Single : never
/** Services that a part requires. */
export type RequiredBy<P> = P extends Part<unknown, unknown, infer Required> ? Required : never

/** What is required and by none provided. */
export type MissingOf<Parts extends ReadonlyArray<AnyPart>> = Exclude<
  RequiredBy<Parts[number]>,
  ProvidedBy<Parts[number]>
>

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
): Composition<ProvidedBy<Parts[number]>> => ({
  parts: (parts as ReadonlyArray<AnyPart>).map(({ config, name, plugin }, at) => ({
    plugin,
    config,
    name,
    where: (path = []) => `part ${at + 1} (${[plugin.id, ...path].map(String).join(".")})`
  }))
})
