/** `verify`: reads a store to the last byte. */
import { isMended } from "@peerstrap/chain-bootstrap"
import {
  command,
  type CommandInput,
  type CommandResult,
  ExitCode,
  makeStatusLine,
  optional,
  toggle,
  Type
} from "@peerstrap/command-line"
import { formatBytes, formatCount } from "@peerstrap/progress"
import { NodeFileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { refJson, refText } from "../BlockNames.ts"
import { counted } from "../Counted.ts"
import { maxLevel } from "../FlagTypes.ts"
import { loadedCryptoLayer } from "../LoadedCrypto.ts"
import { storeFault } from "../store/OpenStore.ts"
import { type Verification, verifyApplied } from "../store/VerifyApplied.ts"
import { type QuorumVerification, verifyQuorum } from "../store/VerifyQuorum.ts"
import { openPlanned, planStore, storeNetworkFlag, type StorePlan } from "./StoreFlags.ts"

const flags = {
  fromLevel: optional(Type.integer(1, maxLevel, 1000), "Checks blocks from this level on. Default: all."),
  toLevel: optional(Type.integer(1, maxLevel, 2000), "Checks blocks up to this level."),
  noLog: toggle("Leaves out the checksums of records that belong to no applied block."),
  network: storeNetworkFlag
} as const

const shown = 20

interface Found {
  readonly chain: Verification
  readonly quorum: QuorumVerification
  readonly damage: ReadonlyArray<string>
  /** Damaged places whose content was fetched again. */
  readonly mended: number
  readonly directory: string
  readonly head: string
}

const checkedText = ({ blocks, bytes, fromLevel, lists, toLevel }: Verification): string =>
  blocks === 0
    ? "no levels, for no block is applied there"
    : `levels ${formatCount(fromLevel)} to ${formatCount(toLevel)}, ${counted(blocks, "block")}, ` +
      `${counted(lists, "list")} of operations, ${formatBytes(bytes)}`

const textOf = ({ chain, damage, directory, head, mended, quorum }: Found, verified: boolean): string => {
  const problems = [...chain.problems, ...quorum.problems, ...damage]
  const count = chain.problemCount + quorum.problems.length + damage.length
  return [
    ...problems.slice(0, shown).map((problem) => `${problem}\n`),
    ...(count > shown ? [`and ${formatCount(count - shown)} more (with --json: all that were kept)\n`] : []),
    `${verified ? "verified" : "NOT verified"}: ${checkedText(chain)}` +
    `${verified ? "" : `; ${counted(count, "problem")}`}\n`,
    `  head: ${head}\n`,
    `  quorum: ${formatCount(quorum.levels)} levels in ${
      formatCount(quorum.segments)
    } segments whose supporters count up` +
    `${
      quorum.levelsWithout === 0 ? "" : `; ${formatCount(quorum.levelsWithout)} levels without recorded supporters`
    }\n`,
    ...(mended === 0
      ? []
      : [`  mended: ${counted(mended, "damaged place")} of the log, whose content is held elsewhere again\n`]),
    ...(verified
      ? []
      : [
        `  what to do: run peerstrap-chain sync --store ${directory}: it first fetches again what damage took from the chain; ` +
        "what verify still finds after that cannot be mended: begin in another --store\n"
      ])
  ].join("")
}

type VerifyInput = CommandInput<typeof flags, StorePlan | undefined>

const run = Effect.fnUntraced(function*({ json, plan, settings, terminal }: VerifyInput) {
  const status = yield* makeStatusLine(terminal, json)
  const telling = (what: string, unit: (count: number) => string) => (done: number, total: number): void =>
    status.update(() => `verify: ${what} ${unit(done)} of ${unit(total)}`)
  const { rules, store } = yield* openPlanned(plan!, telling("opening", formatBytes))
  const chain = yield* verifyApplied({
    store,
    rules,
    fromLevel: settings.fromLevel,
    toLevel: settings.toLevel,
    onProgress: telling("block", formatCount)
  })
  const quorum = yield* verifyQuorum(store)
  const onLog = telling("log", formatBytes)
  const places = settings.noLog
    ? store.damage
    : yield* Effect.mapError(store.checkLogs(({ bytesDone, bytesTotal }) => onLog(bytesDone, bytesTotal)), storeFault)
  const isGood = yield* Effect.mapError(isMended(store), storeFault)
  const lost = places.filter((place) => !isGood(place))
  const damage = lost.map(({ bytes, offset, path, what }) => `${path}: byte ${offset}, ${bytes} bytes: ${what}`)
  const verified = chain.problemCount === 0 && quorum.problems.length === 0 && damage.length === 0
  const result: CommandResult = {
    exitCode: verified ? ExitCode.done : ExitCode.no,
    text: textOf({
      chain,
      quorum,
      damage,
      mended: places.length - lost.length,
      head: refText(store.head),
      directory: plan!.directory
    }, verified),
    json: {
      verified,
      base: refJson(store.identity.base),
      head: refJson(store.head),
      ...chain,
      quorum,
      damage: lost,
      mended: places.filter(isGood)
    }
  }
  return result
})

export const verify = command({
  name: "verify",
  summary: "Read a store to the last byte and check its chain and its quorums",
  details: [
    "From the stored bytes alone: every header hashes to its block and names the one before, levels, times and fitness follow, every list of operations is " +
    "there and leads to its header, every recorded quorum counts up, every record's checksum holds. Exit code 1 when anything is wrong."
  ],
  operands: { name: "DIR", least: 1, most: 1, help: "The store. No sync may work in it meanwhile." },
  flags,
  examples: [
    { args: "verify /var/lib/tezos-store", says: "Everything" },
    {
      args: "verify /var/lib/tezos-store --from-level 15000000 --json",
      says: "A part of the chain, as one JSON document"
    }
  ],
  check: (settings, operands, context, problem): StorePlan | undefined => {
    const { fromLevel, toLevel } = settings
    if (fromLevel !== undefined && toLevel !== undefined && fromLevel > toLevel) {
      problem({ where: "--from-level", message: `${fromLevel} is above --to-level ${toLevel}` })
    }
    return planStore("DIR", operands[0], settings.network, context, problem)
  },
  run: (input) => run(input as VerifyInput).pipe(Effect.provide(Layer.merge(NodeFileSystem.layer, loadedCryptoLayer)))
})
