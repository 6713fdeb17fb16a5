/** Four nodes of the toy chain that hold all of it, each at a port of its own. One of them lies about bodies. */
import * as Chain from "@peerstrap/chain-bootstrap"
import { fixedBase, memoryStore } from "@peerstrap/chain-bootstrap/plugin"
import { compose, Host } from "@peerstrap/plugin-host"
import { ByteLedger } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import { webSockets } from "../../08-own-transport/WebSockets.ts"
import { hash, toyRules } from "../ToyChain.ts"
import { toyProtocol } from "../ToyProtocol.ts"

export const bodyOf = (level: number): Uint8Array => new TextEncoder().encode(`what happened in block ${level}`)

/** Blocks from level 0 on. */
export const makeToyChain = (levels: number): ReadonlyArray<Chain.HeaderFacts> => {
  const headers: Array<Chain.HeaderFacts> = []
  for (let level = 0; level <= levels; level++) {
    const parent = headers.at(-1)?.id ?? "0".repeat(64)
    const text = `${level} ${parent} ${1_600_000_000 + 6 * level} ${hash(bodyOf(level))}`
    headers.push(toyRules.decodeHeader(new TextEncoder().encode(text)) as Chain.HeaderFacts)
  }
  return headers
}

/** Starts a node in the surrounding scope; gives its address. */
export const startToyPeer = Effect.fnUntraced(function*(id: string, chain: ReadonlyArray<Chain.HeaderFacts>) {
  const [genesis, ...blocks] = chain
  const parts = compose(webSockets({}), toyProtocol({ id }), fixedBase({ id: genesis!.id }), memoryStore({}))
  const { context } = yield* Host.start(parts)
  return yield* Effect.gen(function*() {
    const store = yield* Chain.ChainStore
    yield* store.appendHeaders(blocks)
    yield* store.appendUnits(
      blocks.map(({ id: block, level }) => ({ block, unit: 0, body: bodyOf(id === "mallory" ? 0 : level) }))
    )
    yield* store.appendApplied({ kind: "apply", ids: blocks.map(({ id: block }) => block), firstLevel: 1 })
    const ledger = new ByteLedger(64 << 20)
    return (yield* Chain.serveChain({ host: "127.0.0.1", port: 0, baseHeader: genesis!, ledger })).listening
  }).pipe(Effect.provideContext(context))
})
