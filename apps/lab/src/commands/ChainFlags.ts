/** The flags that say which chain embedded peers serve, and kinds of values about sets of peers. */
import { type FlagType, type Problem, shown, Type, withDefault } from "@peerstrap/command-line"
import {
  type ForkOptions,
  peerBehaviourNames,
  peerBehavioursOf,
  peerBehaviourTable,
  peerBehaviourUsage
} from "@peerstrap/tezos-wire/testing"
import { type ChainSpec, type HeadName, headProblem, parseHead } from "../chains/ChainSpec.ts"
import { type ForPeers, highestOf, parsePeerSet } from "../chains/PeerPlan.ts"

/** Levels of a chain; all of its blocks are in the memory of each process. */
const maxLevels = 200_000

export const chainFlags = {
  levels: withDefault(Type.integer(1, maxLevels, 2_048), "2048", "Blocks of the chain's main branch."),
  operations: withDefault(Type.integer(0, 1_000, 3), "3", "Operations of each block.")
}

/** 32 bytes of branch, then something. */
const leastOperationBytes = 33
const mostOperationBytes = 100_000

export const operationSizes: FlagType<readonly [least: number, most: number]> = {
  placeholder: "LEAST-MOST",
  expected: `two sizes in bytes from ${leastOperationBytes} to ${mostOperationBytes}`,
  example: "80-260",
  yaml: ["text"],
  parse: (given) => {
    const found = /^(\d{1,6})-(\d{1,6})$/.exec(given)
    const [least, most] = [Number(found?.[1]), Number(found?.[2])]
    return least >= leastOperationBytes && most >= least && most <= mostOperationBytes ? [least, most] : undefined
  }
}

export const forkFlag: FlagType<ForkOptions> = {
  placeholder: "NAME:AT:LENGTH[:PARENT]",
  expected: "a name, the last level shared with the parent branch (main), and the number of blocks above it",
  example: "short:1900:40",
  yaml: ["text"],
  parse: (given) => {
    const found = /^([\w-]{1,40}):(\d{1,6}):([1-9]\d{0,5})(?::([\w-]{1,40}))?$/.exec(given)
    if (found === null || found[1] === "genesis" || found[1] === "main") return undefined
    const fork = { name: found[1]!, at: Number(found[2]), length: Number(found[3]) }
    return found[4] === undefined ? fork : { ...fork, parent: found[4] }
  }
}

/** What stands before the first colon, and the rest. */
const forPeers = <A>(given: string, read: (rest: string) => A | undefined): ForPeers<A> | undefined => {
  const colon = given.indexOf(":")
  const peers = colon < 0 ? undefined : parsePeerSet(given.slice(0, colon))
  const value = peers === undefined ? undefined : read(given.slice(colon + 1))
  return peers === undefined || value === undefined ? undefined : { peers, value }
}

export const headFlag: FlagType<ForPeers<HeadName>> = {
  placeholder: "PEERS:BRANCH[@LEVEL]",
  expected: "peers (all, 3, 1,4-6) and the block that is their head: a branch, a level of it, or genesis",
  example: "5-6:main@2000",
  yaml: ["text"],
  parse: (given) => forPeers(given, parseHead)
}

/** The canonical text of a list of behaviours, or what is wrong with it. */
export const behavioursOf = (list: string): string | { readonly problem: string } => {
  try {
    return peerBehavioursOf(list).text
  } catch (error) {
    return { problem: error instanceof Error ? error.message.replace(/\p{Cc}/gu, "?") : "" }
  }
}

const understood = (list: string): string | undefined => {
  const text = behavioursOf(list)
  return typeof text === "string" ? text : undefined
}

export const peerBehaviourFlag: FlagType<ForPeers<string>> = {
  placeholder: "PEERS:LIST",
  expected: "peers (all, 3, 1,4-6) and a list of what they do differently",
  example: "11:stall:40+slow:20",
  yaml: ["text"],
  parse: (given) => forPeers(given, understood),
  explain: (given) => {
    const wrong = forPeers(given, behavioursOf)?.value
    return wrong === undefined || typeof wrong === "string"
      ? `${shown(given)} is not peers and a list such as 11:stall:40+slow:20`
      : wrong.problem
  }
}

/** All behaviours, for people. */
export const peerBehaviourList = (): string => {
  const width = 2 + Math.max(...peerBehaviourNames.map((name) => peerBehaviourUsage(name).length))
  return [
    "What peers can do differently:",
    ...peerBehaviourNames.map((name) => `  ${peerBehaviourUsage(name).padEnd(width)}${peerBehaviourTable[name].does}`),
    ""
  ].join("\n")
}

/** The same for programs. */
export const peerBehaviourJson = () => ({
  behaviours: peerBehaviourNames.map((name) => {
    const { client, does } = peerBehaviourTable[name]
    return { usage: peerBehaviourUsage(name), does, client }
  })
})

/** Branches must exist before what grows on them, and names are given once. */
export const checkForks = (
  levels: number | undefined,
  forks: ReadonlyArray<ForkOptions>,
  problem: (problem: Problem) => void
): void => {
  const tops = new Map([["main", levels ?? maxLevels]])
  for (const { at, length, name, parent = "main" } of forks) {
    const top = tops.get(parent)
    const tell = (message: string): void => problem({ where: "--fork", message: `${name}: ${message}` })
    if (tops.has(name)) tell("there is such a branch already")
    else if (top === undefined) tell(`there is no branch ${parent} before it`)
    else if (at < 1 || at > top) tell(`branch ${parent} has levels 1 to ${top}, not ${at}`)
    tops.set(name, at + length)
  }
}

/** Rules between flags about peers; what was given wrongly is undefined and told elsewhere. */
export const checkPeers = (
  { behaviour, head, peers, spec }: {
    readonly peers: number
    readonly head: ReadonlyArray<ForPeers<HeadName>>
    readonly behaviour: ReadonlyArray<ForPeers<unknown>>
    readonly spec: ChainSpec | undefined
  },
  problem: (problem: Problem) => void
): void => {
  for (const [where, given] of [["--head", head], ["--behaviour", behaviour]] as const) {
    for (const { peers: set } of given.filter((each) => highestOf(each.peers) > peers)) {
      problem({ where, message: `there is no peer ${highestOf(set)}, the last one is ${peers}` })
    }
  }
  if (spec === undefined) return
  for (const { value } of head) {
    const message = headProblem(spec, value)
    if (message !== undefined) problem({ where: "--head", message })
  }
}
