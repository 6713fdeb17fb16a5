// Answers a peer's requests from a sample chain, as a node does from its store.
import type { HeaderFacts, Outgoing, Request } from "@peerstrap/chain-bootstrap"
import { facts, type SampleChain } from "./chains.ts"

export interface Served {
  readonly ids: ReadonlyArray<string>
  readonly headers: ReadonlyMap<string, HeaderFacts>
  readonly unitsOf: (id: string) => ReadonlyArray<Uint8Array>
  readonly answersTo: (request: Request) => ReadonlyArray<Outgoing>
}

/** The main branch, genesis at 0. */
export const serving = ({ blocks, network, rules }: SampleChain): Served => {
  const main = blocks.filter(({ branch }) => branch === "main")
  const headers = new Map<string, HeaderFacts>()
  for (const { header } of main) {
    const each = facts(rules, header)
    headers.set(each.id, each)
  }
  const ids = [network.genesis.id, ...headers.keys()]
  const units = new Map(main.map((block) => [block.id, block.units]))
  const head = headers.get(ids.at(-1)!)!
  const known = (id: string | undefined): ReadonlyArray<HeaderFacts> => {
    const header = id === undefined ? undefined : headers.get(id)
    return header === undefined ? [] : [header]
  }
  const answersTo = (request: Request): ReadonlyArray<Outgoing> => {
    switch (request.kind) {
      case "get-branch":
        return [{ kind: "branch", chain: { head, lowestLevel: 0, idAt: (level) => ids[level]! } }]
      case "get-head":
        return [{ kind: "head", header: head }]
      case "get-headers":
        return request.ids.flatMap((id) => known(id).map((header) => ({ kind: "header", header } as const)))
      case "get-ancestor": {
        const [from] = known(request.of)
        const found = from === undefined ? [] : known(ids[from.level - request.offset])
        return found.map((header) => ({ kind: "ancestor", of: request.of, offset: request.offset, header } as const))
      }
      case "get-units":
        return request.items.filter(({ block }) => units.has(block)).map(({ block, unit }) =>
          ({ kind: "unit", block, unit, units: units.get(block)! }) as const
        )
      case "get-peers":
        return [{ kind: "peers", points: [] }]
      case "swap-request":
        return []
    }
  }
  return { ids, headers, unitsOf: (id) => units.get(id)!, answersTo }
}
