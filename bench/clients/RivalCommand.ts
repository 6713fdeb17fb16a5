/** The rival's command as words, with what the cluster is in the place of the names in braces. No shell: quotes group, nothing else is special. */
import type { RealCluster } from "./RealCluster.ts"

/** Splits at spaces outside of single and double quotes. */
export const wordsOf = (command: string): ReadonlyArray<string> =>
  [...command.matchAll(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g)].map(([word]) =>
    word.replaceAll(
      /"([^"]*)"|'([^']*)'/g,
      (_, double: string | undefined, single: string | undefined) => double ?? single ?? ""
    )
  )

/** All names that a word may hold in braces. */
export const placeholders = ["{peers}", "{namespace}", "{shards}", "{start}", "{end}", "{parallel}", "{block-size}"]

export const filled = (
  command: ReadonlyArray<string>,
  { blockSize, end, namespace, peers, shards, start }: RealCluster,
  parallel: number
): ReadonlyArray<string> => {
  const places: Readonly<Record<string, string | number | bigint>> = {
    peers,
    namespace,
    shards,
    start,
    end,
    parallel,
    "block-size": blockSize
  }
  const words = command.map((word) =>
    word.replaceAll(/\{([a-z-]+)\}/g, (_, name: string) => {
      const value = places[name]
      if (value === undefined) {
        throw new RangeError(`--rival: no {${name}}; there are: ${Object.keys(places).join(", ")}`)
      }
      return String(value)
    })
  )
  if (words.length === 0) throw new RangeError("--rival is empty")
  return words
}
