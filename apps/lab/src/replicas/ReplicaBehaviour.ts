/** `--behaviour ID:LIST`: how one replica's data differ from the others', and how it misbehaves. */
import { type FlagType, shown } from "@peerstrap/command-line"
import {
  behaviourNames,
  behaviourTable,
  behaviourUsage,
  type EveryRule,
  parseBehaviours,
  parseEvery,
  type SeededVariation
} from "@peerstrap/m3db-wire/testing"

/** What one replica does differently. */
export interface ReplicaBehaviour {
  readonly id: string
  readonly variation: SeededVariation
  /** Canonical text of its behaviours; empty when it has none. */
  readonly behaviours: string
}

/** Differences of the data; a series counts as picked when `crc32(id) % K == R`. */
const variations = {
  "lack-series": { key: "lackSeries", says: "every K-th series is not there" },
  "lack-points": { key: "lackPoints", says: "every K-th point of each block is not there" },
  "other-values": { key: "otherValues", says: "every K-th series has other values" },
  "unmerged-buffers": {
    key: "unmerged",
    says: "blocks of every K-th series that are still in memory (--active) are held as two streams"
  }
} as const

type VariationName = keyof typeof variations
const variationNames = Object.keys(variations) as ReadonlyArray<VariationName>
const isVariation = (name: string): name is VariationName => Object.hasOwn(variations, name)

/** Why a text is no behaviour. */
interface Refusal {
  readonly problem: string
}

const readOne = (id: string, list: string): ReplicaBehaviour | Refusal => {
  const variation: { -readonly [K in keyof SeededVariation]: EveryRule } = {}
  const rest: Array<string> = []
  for (const item of list.split(/[+,]/).map((each) => each.trim()).filter((each) => each !== "")) {
    const [name = "", ...args] = item.split(":")
    if (!isVariation(name)) {
      rest.push(item)
      continue
    }
    const rule = args.length === 1 ? parseEvery(args[0]!) : undefined
    if (rule === undefined) return { problem: `${shown(item)}: want ${name}:K or ${name}:K/R` }
    variation[variations[name].key] = rule
  }
  const behaviours = parseBehaviours(rest.join("+"))
  if (!("problem" in behaviours)) return { id, variation, behaviours: behaviours.text }
  return {
    problem: `${behaviours.problem.replace(/\p{Cc}/gu, "?")}; of the data: ${
      variationNames.map((name) => `${name}:K[/R]`).join(", ")
    }`
  }
}

const readBehaviour = (given: string): ReplicaBehaviour | Refusal => {
  const found = /^([A-Z]):(.+)$/s.exec(given)
  return found === null
    ? { problem: `${shown(given)} is not a replica and a list such as C:slow:200000+delay:20 or B:lack-series:5` }
    : readOne(found[1]!, found[2]!)
}

export const behaviourFlag: FlagType<ReplicaBehaviour> = {
  placeholder: "ID:LIST",
  expected: "a replica and a list of what it does differently",
  example: "C:slow:200000+delay:20",
  yaml: ["text"],
  parse: (given) => {
    const found = readBehaviour(given)
    return "problem" in found ? undefined : found
  },
  explain: (given) => {
    const found = readBehaviour(given)
    return "problem" in found ? found.problem : ""
  }
}

/** All that exist, for people. */
export const behaviourList = (): string => {
  const rows = [
    ...variationNames.map((name) => [`${name}:K[/R]`, variations[name].says] as const),
    ...behaviourNames.map((name) => [behaviourUsage(name), behaviourTable[name].does] as const)
  ]
  const width = 2 + Math.max(...rows.map(([usage]) => usage.length).filter((length) => length < 50))
  return [
    "Differences of the data (K: every K-th, R: which of them):",
    ...rows.slice(0, variationNames.length).map(([usage, does]) => `  ${usage.padEnd(width)}${does}`),
    "Misbehaviours:",
    ...rows.slice(variationNames.length).map(([usage, does]) =>
      usage.length < width ? `  ${usage.padEnd(width)}${does}` : `  ${usage}\n  ${" ".repeat(width)}${does}`
    ),
    ""
  ].join("\n")
}

/** The same for programs. */
export const behaviourJson = () => ({
  variations: variationNames.map((name) => ({ usage: `${name}:K[/R]`, does: variations[name].says })),
  behaviours: behaviourNames.map((name) => {
    const { client, does, legal } = behaviourTable[name]
    return { usage: behaviourUsage(name), does, client, legal }
  })
})
