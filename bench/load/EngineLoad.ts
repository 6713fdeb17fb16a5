/**
 * L2 through the whole sync engine in anchored mode: 64 peers that answer in a virtual millisecond, no network, no hashing, a store that only counts.
 * Three peers follow a fork of 5 % of the headers. Blocks have no bodies; an applier that costs nothing takes them all. Time is that of the
 * engine's `step` and `drain` alone.
 * Usage: EngineLoad.ts HEADERS
 */
import {
  type BlockId,
  type BranchEntry,
  type ChainRules,
  connectionOptions,
  type HeaderFacts,
  makeChainSync,
  type Request,
  type SyncAction,
  type SyncEvent,
  syncOptions
} from "@peerstrap/chain-bootstrap"
import { seededRandom } from "../method/Statistics.ts"
import { idBytes, idOf, numberOf } from "./Headers.ts"
import { startLoad, tellLoad } from "./Load.ts"

const headers = Number(process.argv[2])
const peers = 64
const forkPeers = 3
const onFork = Math.floor(headers * 0.05)
const main = headers - onFork
const forkRoot = main - onFork
const headSeconds = 1_760_000_000
const secondsPerLevel = 6
const entriesPerStep = 10
const locatorEntries = 1_000
const answersPerMilli = 64
/** Nobody is slow and nothing is lost: a run that needs longer than this, in virtual time, stands still. */
const longestMillis = 600_000
const nothing = new Uint8Array(0)

// Numbers above `main` are the fork's.
const levelOf = (number: number): number => number <= main ? number : forkRoot + number - main
const parentOf = (number: number): number => number === main + 1 ? forkRoot : number - 1
const textOf = (number: number): BlockId => Buffer.from(idOf(number)).toString("hex")
const numberAt = (id: BlockId): number => numberOf(Buffer.from(id.slice(-8).padStart(2 * idBytes, "0"), "hex"))
const headerOf = (number: number): HeaderFacts => {
  const level = levelOf(number)
  const weight = new Uint8Array(4)
  new DataView(weight.buffer).setUint32(0, level)
  return {
    id: textOf(number),
    parent: number === 0 ? "" : textOf(parentOf(number)),
    level,
    timeSeconds: headSeconds - (main - level) * secondsPerLevel,
    weight,
    units: 0,
    bodyRoot: nothing,
    bytes: weight
  }
}

const rules: ChainRules = {
  idBytes,
  displayId: (id) => id,
  compareWeight: (a, b) => Buffer.compare(a, b),
  decodeHeader: () => "not needed",
  checkAlone: () => undefined,
  checkLink: (child, parent) => child.level === parent.level + 1 ? undefined : "another level",
  verifyUnit: () => undefined,
  verifyBody: () => undefined,
  itemsPerRequest: 10,
  spacingMillis: { branch: 0, head: 0, ancestor: 0, peers: 0, swap: 0 },
  finality: 2
}

/** Steps that double every ten entries, each jittered by the peer's own seed, down to the base. */
const branchOf = (peer: number): { readonly head: HeaderFacts; readonly entries: ReadonlyArray<BranchEntry> } => {
  const forked = peer < forkPeers
  const top = forked ? forkRoot + onFork : main
  const at = (level: number): number => forked && level > forkRoot ? main + level - forkRoot : level
  const random = seededRandom(peer + 1)
  const entries: Array<BranchEntry> = [{ id: textOf(at(top)), level: top, exact: true }]
  let step = 2
  for (let level = top; level > 0 && entries.length < locatorEntries;) {
    level = Math.max(0, level - Math.ceil(step / 2 + random() * step / 2))
    entries.push({ id: textOf(at(level)), level, exact: true })
    if (entries.length % entriesPerStep === 0) step *= 2
  }
  return { head: headerOf(at(top)), entries }
}

const base = { id: textOf(0), level: 0 }
const applied: Array<number> = [0]
const load = startLoad()
const points = Array.from({ length: peers }, (_, peer) => `10.0.${peer}.1:9732`)
const engine = makeChainSync(
  syncOptions({ finality: 2, blocksPerCycle: 14_400, blockTimeSeconds: secondsPerLevel }, {
    mode: "anchored",
    until: { level: forkRoot },
    connections: connectionOptions({ minPeers: peers, maxPeers: peers + 8 })
  }),
  {
    base,
    head: base,
    headFacts: headerOf(0),
    pending: { firstLevel: 1, ids: [] },
    appliedAt: (level) => applied[level] === undefined ? undefined : textOf(applied[level]),
    appliedLevel: (id) => {
      const number = numberAt(id)
      return number <= main && applied[number] === number && textOf(number) === id ? number : undefined
    },
    unitsHeld: () => 0,
    looseHeaders: false,
    knownPeers: undefined,
    branches: "one"
  },
  { rules, ownId: "us", named: points, random: seededRandom(5) }
)

/** What is to come, first in first out. */
let events: Array<() => SyncEvent> = []
const startMillis = headSeconds * 1000
let nowMillis = startMillis
let ownMillis = 0
let spilled = 0
let ending: string | undefined
const over = (): boolean => ending !== undefined

const answer = (peer: number, request: Request): void => {
  if (request.kind === "get-branch") {
    events.push(() => ({ kind: "answer", peer, answer: { kind: "branch", ...branchOf(peer - 1) } }))
  }
  if (request.kind === "get-head") {
    events.push(() => ({ kind: "answer", peer, answer: { kind: "head", header: branchOf(peer - 1).head } }))
  }
  if (request.kind !== "get-headers") return
  for (const id of request.ids) {
    const number = numberAt(id)
    if (number > main && peer > forkPeers) continue
    events.push(() => ({ kind: "answer", peer, answer: { kind: "header", header: headerOf(number) } }))
  }
}

const execute = (action: SyncAction): void => {
  switch (action.kind) {
    case "dial": {
      const peer = points.indexOf(action.point) + 1
      const id = `peer ${peer}`
      events.push(() => ({ kind: "connected", peer, id, point: action.point, side: "outgoing", ancestors: true }))
      return
    }
    case "send":
      for (const request of action.requests) answer(action.peer, request)
      return
    case "store-headers":
      spilled += action.headers.length
      return
    case "load-headers":
      events.push(() => ({ kind: "headers-loaded", headers: action.ids.map(numberAt).map(headerOf), missing: [] }))
      return
    case "store-segment":
      events.push(() => ({ kind: "segment-stored", topLevel: action.firstLevel + action.ids.length - 1 }))
      return
    case "apply": {
      const blocks = action.blocks.map(({ id }) => id)
      events.push(() => {
        for (const { id, level } of action.blocks) applied[level] = numberAt(id)
        return { kind: "applied", branch: "head", blocks, applied: blocks.length, outcome: "ok", reason: "" }
      })
      return
    }
    case "finish":
      if (action.outcome !== "level-reached") throw new Error(`it ended ${action.outcome}: ${action.reason}`)
      ending = action.outcome
      return
    case "disconnect":
      // The followers of the fork are left once the other chain is chosen; nobody else may be.
      if (action.peer <= forkPeers) return
      throw new Error(`peer ${action.peer} was left: ${action.reason}`)
    default:
      return
  }
}

const actions: Array<SyncAction> = []
const step = (event: SyncEvent): void => {
  const began = performance.now()
  engine.step(event, nowMillis)
  actions.length = 0
  engine.drain(actions)
  ownMillis += performance.now() - began
  for (const action of actions) execute(action)
  load.look()
}

step({ kind: "wake" })
while (!over()) {
  const batch = events
  events = []
  for (let i = 0; i < batch.length && !over(); i++) {
    if (i % answersPerMilli === 0) nowMillis++
    step(batch[i]!())
  }
  if (batch.length > 0 || over()) continue
  const wake = engine.wakeAt()
  if (wake > startMillis + longestMillis) {
    throw new Error(`it stands still and waits for ${JSON.stringify(engine.waits(nowMillis))}`)
  }
  nowMillis = Math.max(nowMillis + 1, wake)

  step({ kind: "wake" })
}
const { counters, segments } = engine.snapshot(nowMillis)
if (spilled < forkRoot || segments === 0) throw new Error(`${spilled} headers stored, ${segments} segments`)
tellLoad(load.end(counters.headersReceived, ownMillis / 1000))
