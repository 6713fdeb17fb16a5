/**
 * Config Schemas out of the value types that flags use: the same words (`512MiB`, `15s`), the same bounds, the same complaints, whether a value
 * comes from the command line, a config file or code.
 */
import type { FlagType } from "@peerstrap/command-line"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaTransformation from "effect/SchemaTransformation"

/** What may stand in a config for a value of a flag. */
export type ConfigScalar = string | number | boolean

/** The Schema of one config value that is written as a word, number or boolean. */
export type ConfigCodec<A> = Schema.Codec<A, ConfigScalar>

const anyOf = <A>(type: FlagType<A>): Schema.Codec<A> =>
  Schema.declare((value: unknown): value is A => value !== undefined, { expected: type.expected })

const kinds = { string: "text", number: "integer", boolean: "boolean" } as const

const isTaken = (type: FlagType<unknown>, given: ConfigScalar): boolean =>
  type.yaml.includes(kinds[typeof given as keyof typeof kinds]) ||
  (typeof given === "number" && type.yaml.includes("number"))

/** A value of a flag's type. `about` is its line in `explain` and in the JSON Schema. */
export const configValue = <A>(type: FlagType<A>, about: string): ConfigCodec<A> =>
  Schema.Union([Schema.String, Schema.Finite, Schema.Boolean]).annotate({ description: `${about} ${type.expected}` })
    .pipe(
      Schema.decodeTo(
        anyOf(type),
        SchemaTransformation.transformEffect({
          decode: (given: ConfigScalar, options) => {
            const value = isTaken(type, given) ? type.parse(String(given)) : undefined
            if (value !== undefined) return Effect.succeed(value)
            const message = `${JSON.stringify(given)}; want ${type.expected}, e.g. ${type.example}`
            return Effect.fail(new SchemaIssue.InvalidValue({ message }, given, options))
          },
          encode: (value: A) => Effect.succeed(String(value))
        })
      )
    )

/** The same with a default, written as in a config. */
export const configDefault = <A>(type: FlagType<A>, fallback: ConfigScalar, about: string) =>
  configValue(type, `${about} Default ${fallback}.`).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(fallback))
  )

/** The same, absent when it is not given. */
export const configOptional = <A>(type: FlagType<A>, about: string) => Schema.optionalKey(configValue(type, about))
