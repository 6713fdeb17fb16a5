/** What a person or program can tell a running network on its standard input, a line each: `head 1-8 heavy@2050`, `kill 3`, … Pure. */
import { type ChainSpec, headProblem, parseHead } from "./ChainSpec.ts"
import type { Order } from "./Orders.ts"
import { highestOf, isIn, parsePeerSet } from "./PeerPlan.ts"

export const networkCommands = [
  { usage: "head PEERS BRANCH[@LEVEL]", does: "make a block their head and tell everyone connected" },
  { usage: "kill PEERS", does: "stop listening and drop all connections" },
  { usage: "revive PEERS", does: "listen again, on the same address" },
  { usage: "behave PEERS LIST", does: "do differently from now on; honest: nothing" },
  { usage: "activity [PEERS]", does: "print what they have seen so far, a line each" }
] as const

export const commandList = (): string =>
  networkCommands.map(({ does, usage }) => `  ${usage.padEnd(28)}${does}\n`).join("")

interface NetworkFacts {
  readonly spec: ChainSpec
  readonly peers: number
  readonly behavioursOf: (list: string) => string | { readonly problem: string }
}

const names: ReadonlyArray<string> = networkCommands.map(({ usage }) => usage.split(" ")[0]!)

const orderFor = (
  name: string,
  peers: ReadonlyArray<number>,
  rest: ReadonlyArray<string>,
  facts: NetworkFacts
): Order | string => {
  const [argument = ""] = rest
  switch (name) {
    case "head": {
      const head = parseHead(argument)
      if (head === undefined) return "head takes peers and BRANCH, BRANCH@LEVEL or genesis"
      return headProblem(facts.spec, head) ?? { do: "head", peers, head }
    }
    case "behave": {
      const behaviours = facts.behavioursOf(argument)
      return typeof behaviours === "string" ? { do: "behave", peers, behaviours } : behaviours.problem
    }
    case "kill":
    case "revive":
    case "activity":
      return { do: name, peers }
    default:
      return `no such command; there are: ${names.join(", ")}`
  }
}

/** The order that a line means, or what is wrong with it; undefined for an empty line. */
export const readCommand = (line: string, facts: NetworkFacts): Order | string | undefined => {
  const [name = "", set, ...rest] = line.trim().split(/\s+/)
  if (name === "") return undefined
  if (!names.includes(name)) return `no such command; there are: ${names.join(", ")}`
  const wanted = parsePeerSet(set ?? (name === "activity" ? "all" : ""))
  if (wanted === undefined) return `${name} takes peers: all, 3 or 1,4-6`
  if (highestOf(wanted) > facts.peers) return `there is no peer ${highestOf(wanted)}, the last one is ${facts.peers}`
  if (rest.length !== (name === "head" || name === "behave" ? 1 : 0)) {
    return `want: ${networkCommands.find(({ usage }) => usage.startsWith(name))!.usage}`
  }
  const peers = Array.from({ length: facts.peers }, (_, i) => i + 1).filter((id) => isIn(wanted, id))
  return orderFor(name, peers, rest, facts)
}
