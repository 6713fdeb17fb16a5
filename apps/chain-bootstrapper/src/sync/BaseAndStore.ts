/** Where a run begins: the base that the store has, or that was named; its header; and the opened store. */
import {
  type BlockRef,
  type ChainProtocol,
  ChainProtocol as Protocol,
  type FileChainStore,
  findHeader,
  type HeaderFacts
} from "@peerstrap/chain-bootstrap"
import { CommandError, ExitCode, type Reporter } from "@peerstrap/command-line"
import { type Network, resolvePeers } from "@peerstrap/tezos-bootstrap"
import * as Effect from "effect/Effect"
import type { BlockHash } from "../FlagTypes.ts"
import { openFor, refusalOf, storeFault, storeIdentityOf, type StorePlace } from "../store/OpenStore.ts"
import type { RunState } from "./RunState.ts"
import type { StartPeers } from "./StartPeers.ts"

export interface BaseWanted {
  readonly directory: string
  readonly base: BlockHash | undefined
  /** For each peer that is asked for the base's header. */
  readonly baseTimeoutMillis: number
  readonly network: Network
  /** The network's genesis as a header, when it has one. */
  readonly genesis: HeaderFacts | undefined
  readonly protocol: ChainProtocol["Service"]
  readonly peers: StartPeers
  readonly state: RunState
  readonly reporter: Reporter
}

/** The header of a base that was named by its hash: asked of the peers, proved by the hash. */
const askForBase = Effect.fnUntraced(
  function*({ baseTimeoutMillis, network, peers, protocol, reporter, state }: BaseWanted, base: BlockHash) {
    const points = [...new Set([...peers.named, ...(yield* resolvePeers(network.peers)).points])]
    state.enter("finding base", { done: 0, total: points.length, totalIsGrowing: false })
    let asked = 0
    const header = yield* findHeader({
      id: base.id,
      points,
      timeoutMillis: baseTimeoutMillis,
      onTry: (point) => {
        state.enter("finding base", { done: asked++, total: points.length, totalIsGrowing: false })
        reporter.event("base-asked", { point, base: base.text })
      }
    }).pipe(
      Effect.provideService(Protocol, protocol),
      Effect.mapError(({ message }) =>
        new CommandError({
          exitCode: ExitCode.peers,
          message: `--base ${base.text}: ${message.replaceAll(base.id, base.text)}`,
          remedy:
            "compare the hash with a source that you trust; name a peer that holds the block with --peer (a full or archive node for an old " +
            "one), or give a younger --base"
        })
      )
    )
    reporter.event(
      "base-found",
      { level: header.level, hash: base.text },
      `base ${base.text} is of level ${header.level}`
    )
    return header
  }
)

interface Start {
  readonly base: BlockRef
  readonly header: HeaderFacts | undefined
}

const newStart = Effect.fnUntraced(function*(wanted: BaseWanted) {
  const { base, genesis, network } = wanted
  if (base === undefined || base.id === network.genesis.id) {
    return { base: { id: network.genesis.id, level: 0 }, header: genesis } satisfies Start as Start
  }
  const header = yield* askForBase(wanted, base)
  return { base: { id: header.id, level: header.level }, header } satisfies Start as Start
})

export interface StartingPoint {
  readonly store: FileChainStore.FileChainStore
  readonly head: BlockRef
  readonly headTimeSeconds: number | undefined
  readonly baseHeader: HeaderFacts | undefined
}

/** Opens the store, which is made when it is not there. */
export const baseAndStore = Effect.fnUntraced(function*(wanted: BaseWanted) {
  const { directory, genesis, protocol, state } = wanted
  const place: StorePlace = {
    directory,
    rules: protocol.rules,
    onScan: (done, total) => state.stepTo("opening store", done, total)
  }
  state.enter("opening store")
  const found = yield* storeIdentityOf(place)
  const chain = { protocol: protocol.name, chainId: protocol.chainId }
  const refusal = found === undefined ? undefined : refusalOf(directory, found, { ...chain, base: wanted.base?.id })
  if (refusal !== undefined) return yield* refusal
  const start: Start = found === undefined ? yield* newStart(wanted) : { base: found.base, header: undefined }
  const store = yield* openFor(place, { ...chain, base: start.base })
  // The base's header lies in the store, so that a restart need not ask for it; genesis has none that hashes to its id.
  const isGenesis = start.base.level === 0
  if (start.header !== undefined && !isGenesis) {
    yield* Effect.mapError(store.appendHeaders([start.header]), storeFault)
  }
  const [headHeader, baseHeader] = yield* Effect.mapError(store.readHeaders([store.head.id, start.base.id]), storeFault)
  const { damages, rebuilt, torn } = store.openReport
  if (rebuilt !== undefined) wanted.reporter.say(`the store's index was made anew: ${rebuilt}`)
  if (torn !== undefined) wanted.reporter.say(`a half-written end was cut, ${torn.bytes} bytes: they are fetched again`)
  if (damages > 0) {
    const warning = `${damages} places of the store are damaged, see: peerstrap-chain verify ${directory}`
    state.warnings.push(warning)
    wanted.reporter.say(`warning: ${warning}`)
  }
  const point: StartingPoint = {
    store,
    head: store.head,
    headTimeSeconds: headHeader?.timeSeconds,
    baseHeader: baseHeader ?? (isGenesis ? genesis : undefined)
  }
  return point
})
