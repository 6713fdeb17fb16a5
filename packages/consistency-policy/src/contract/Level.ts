/** The six consistency levels of M3DB, by their names in M3's key-value store. (specs: peer streaming 3.13) */
import * as Schema from "effect/Schema"

export const levels = ["none", "one", "unstrict_majority", "majority", "unstrict_all", "all"] as const

export const Level = Schema.Literals(levels)

export type Level = (typeof levels)[number]
