/** `export`: the applied chain as lines of JSON. */
import { exportBlocks, StoreError } from "@peerstrap/chain-bootstrap"
import {
  command,
  type CommandInput,
  type CommandResult,
  ExitCode,
  makeStatusLine,
  optional,
  required,
  toggle,
  Type
} from "@peerstrap/command-line"
import { formatBytes, formatCount, jsonLine } from "@peerstrap/progress"
import { NodeFileSystem } from "@peerstrap/storage"
import { decodeOperationList, Malformed, toHex } from "@peerstrap/tezos-wire"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { blockText } from "../BlockNames.ts"
import { maxLevel } from "../FlagTypes.ts"
import { loadedCryptoLayer } from "../LoadedCrypto.ts"
import { storeFault } from "../store/OpenStore.ts"
import { withBlockNames } from "../sync/ChainStatus.ts"
import { openPlanned, planStore, storeNetworkFlag, type StorePlan } from "./StoreFlags.ts"

const flags = {
  store: required(Type.path("DIR", "/var/lib/tezos-store"), "The store. No sync may work in it meanwhile."),
  fromLevel: optional(Type.integer(1, maxLevel, 1000), "From this level on. Default: the first above the base."),
  toLevel: optional(Type.integer(1, maxLevel, 2000), "Up to this level. Default: the applied head."),
  network: storeNetworkFlag,
  json: toggle("Standard output has the lines as without it; messages on standard error are JSON lines.")
} as const

interface Exported {
  readonly level: number
  readonly id: string
  readonly header: Uint8Array
  readonly units: ReadonlyArray<Uint8Array>
}

/** One list a pass, each operation (branch ‖ data) in hex. */
const operationsOf = ({ id, level, units }: Exported): ReadonlyArray<ReadonlyArray<string>> | string => {
  const lists: Array<ReadonlyArray<string>> = []
  for (const [pass, unit] of units.entries()) {
    const list = decodeOperationList(unit)
    if (list instanceof Malformed) {
      return `level ${level} ${blockText(id)}: operations of pass ${pass}: ${list.message} (byte ${list.offset})`
    }
    lists.push(list.map(toHex))
  }
  return lists
}

type ExportInput = CommandInput<typeof flags, StorePlan | undefined>

const failed = (message: string, directory: string): CommandResult => ({
  exitCode: ExitCode.no,
  text: "",
  error: { message, remedy: `see what else is wrong with: peerstrap-chain verify ${directory}` }
})

const run = Effect.fnUntraced(function*({ json, plan, settings, terminal }: ExportInput) {
  const status = yield* makeStatusLine(terminal, json)
  const { store } = yield* openPlanned(
    plan!,
    (done, total) => status.update(() => `export: opening ${formatBytes(done)} of ${formatBytes(total)}`)
  )
  const from = Math.max(store.identity.base.level + 1, settings.fromLevel ?? 0)
  const to = Math.min(store.head.level, settings.toLevel ?? maxLevel)
  let blocks = 0
  let problem: string | undefined
  const write = (batch: ReadonlyArray<Exported>) => {
    let text = ""
    for (const block of batch) {
      const operations = operationsOf(block)
      if (typeof operations === "string") {
        problem = operations
        break
      }
      blocks++
      text += `${
        jsonLine({ level: block.level, hash: blockText(block.id), header: toHex(block.header), operations })
      }\n`
    }
    status.update(() => `export: ${formatCount(blocks)} of ${formatCount(to - from + 1)} blocks`)
    return terminal.out(text)
  }
  yield* exportBlocks(store, from, to).pipe(
    Stream.takeWhile(() => problem === undefined),
    Stream.runForEachArray(write),
    Effect.mapError(({ message, path, reason }) =>
      storeFault(new StoreError({ reason, path: path || plan!.directory, message: withBlockNames(message) }))
    )
  )
  if (problem !== undefined) return failed(problem, plan!.directory)
  status.say(`export: ${formatCount(blocks)} blocks, levels ${formatCount(from)} to ${formatCount(to)}`, {
    type: "end",
    blocks,
    fromLevel: from,
    toLevel: to
  })
  return { exitCode: ExitCode.done, text: "" } satisfies CommandResult as CommandResult
})

export const exportChain = command({
  name: "export",
  summary: "Print the applied chain of a store, one JSON line a block",
  details: [
    "A line is {\"level\",\"hash\",\"header\",\"operations\"}: the hash as B…, the header in hex, operations as one list a pass of hex (branch, then data). " +
    "Lines go from the first level above the base up the applied chain."
  ],
  flags,
  linesOnly: true,
  examples: [
    { args: "export --store /var/lib/tezos-store --json > chain.jsonl", says: "The whole applied chain" },
    { args: "export --store /var/lib/tezos-store --from-level 100 --to-level 200", says: "A part of it" }
  ],
  check: (settings, _operands, context, problem): StorePlan | undefined =>
    planStore("--store", settings.store, settings.network, context, problem),
  run: (input) => run(input as ExportInput).pipe(Effect.provide(Layer.merge(NodeFileSystem.layer, loadedCryptoLayer)))
})
