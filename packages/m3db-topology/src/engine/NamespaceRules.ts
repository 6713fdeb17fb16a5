/** The rules that M3 keeps for a namespace's durations. (specs: bootstrappers 7) */
import type { Namespace } from "../contract/Namespace.ts"

/** All broken rules, each with the numbers in nanoseconds; empty when M3 would accept the namespace. */
export const validateNamespace = (namespace: Namespace): ReadonlyArray<string> => {
  const problems: Array<string> = []
  const say = (holds: boolean, text: string) => {
    if (!holds) problems.push(`namespace "${namespace.name}": ${text}`)
  }
  const { blockSizeNanos: block, futureRetentionNanos: future, indexBlockSizeNanos: index, retentionNanos } = namespace
  say(block > 0n, `block size ${block} is not positive`)
  for (
    const [name, buffer] of [["past", namespace.bufferPastNanos], ["future", namespace.bufferFutureNanos]] as const
  ) {
    say(buffer >= 0n && buffer < block, `buffer ${name} ${buffer} is not between 0 and the block size ${block}`)
  }
  say(retentionNanos >= block, `retention ${retentionNanos} is shorter than the block size ${block}`)
  say(future === 0n || future >= block, `future retention ${future} is shorter than the block size ${block}`)
  if (!namespace.indexEnabled) return problems
  say(index > 0n, `index block size ${index} is not positive`)
  say(index <= retentionNanos, `index block size ${index} is longer than the retention ${retentionNanos}`)
  say(future === 0n || index <= future, `index block size ${index} is longer than the future retention ${future}`)
  say(block <= 0n || index % block === 0n, `index block size ${index} is not a multiple of the block size ${block}`)
  return problems
}
