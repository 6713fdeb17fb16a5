/** The answer to "why does it not go on?" for people: waits that differ only in their counters are one. */
import { formatWhy, mergeWaits, type Wait } from "@peerstrap/progress"

/** Told at once; a program gets all of them. */
const shownWaits = 4

const withoutCounters = (cause: string): string =>
  cause.replaceAll(/ \(\d+ tries, next in [^)]*\)/g, "").replaceAll(/; next try in [\d.]+ s/g, "")

/** At most four waits, the gravest first, each with cause and remedy; `program` is what the reader calls to see the others. */
export const whyTextOf = (program: string) => (waits: ReadonlyArray<Wait>, nowMillis: number): string => {
  const merged = mergeWaits(waits.map((wait) => ({ ...wait, cause: withoutCounters(wait.cause) })))
  const more = merged.length - shownWaits
  return formatWhy(merged.slice(0, shownWaits), nowMillis) +
    (more > 0 ? `\nand ${more} more: see ${program} why --json\n` : "")
}
