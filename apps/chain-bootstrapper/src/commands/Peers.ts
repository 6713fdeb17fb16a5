/** `peers`: lists who is known, bans and unbans. */
import {
  askRunning,
  command,
  CommandError,
  type CommandResult,
  ExitCode,
  isAbsent,
  optional,
  Type
} from "@peerstrap/command-line"
import { NodeFileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import { dirname } from "node:path"
import { storedPeers } from "../store/StoredPeers.ts"
import { type PeerRow, peersText } from "../sync/ChainStatus.ts"
import { controlFlags, planControl, toCommandError } from "./ControlFlags.ts"

const actions = ["list", "ban", "unban"] as const

const listed = (peers: ReadonlyArray<PeerRow>): CommandResult => ({
  exitCode: ExitCode.done,
  text: peersText(peers),
  json: { running: true, peers }
})

const remembered = (peers: ReadonlyArray<PeerRow>, problem: string | undefined): CommandResult => ({
  exitCode: ExitCode.done,
  text: `not running; what the store remembers:\n${peersText(peers)}${
    problem === undefined ? "" : `warning: ${problem}\n`
  }`,
  json: { running: false, peers, ...(problem === undefined ? {} : { problem }) }
})

export const peers = command({
  name: "peers",
  summary: "List the peers of a sync with their scores and reasons; ban or unban one",
  details: [
    "Without a running process, list reads what the store remembers. ban and unban take a point (HOST:PORT) or an id (id…) as list shows them; a ban " +
    "holds over restarts until unban, which also lifts a greylisting."
  ],
  operands: { name: "list|ban|unban [PEER]", least: 0, most: 2, help: "What to do, and with whom. Default: list." },
  flags: {
    ...controlFlags,
    reason: optional(Type.text("TEXT", "a sentence", "floods us"), "Why: remembered with the ban and shown by list.")
  },
  examples: [
    { args: "peers --store /var/lib/tezos-store", says: "Who is connected, known, resting or banned, and why" },
    {
      args: "peers ban 203.0.113.7:9732 --reason flooding --store /var/lib/tezos-store",
      says: "Disconnect and never dial"
    },
    { args: "peers unban 203.0.113.7:9732 --store /var/lib/tezos-store --json", says: "Give another chance" }
  ],
  check: (settings, operands, context, problem) => {
    const [action = "list", peer] = operands
    if (!actions.some((each) => each === action)) {
      problem({ where: "argument 1", message: "is not known here; want list, ban or unban" })
    } else if (action !== "list" && peer === undefined) {
      problem({
        where: "PEER",
        message: `is missing: ${action} takes a point HOST:PORT or an id, as peers list shows them`
      })
    } else if (action === "list" && peer !== undefined) {
      problem({ where: "argument 2", message: "is one too many: list takes none" })
    }
    if (settings.reason !== undefined && action !== "ban") problem({ where: "--reason", message: "is for ban" })
    return planControl(settings, operands, context, problem)
  },
  run: ({ operands, plan, settings }) => {
    const [action = "list", peer] = operands
    if (action === "list") {
      return askRunning(plan, "peers", {}, settings.timeout).pipe(
        Effect.map((answer) => listed(answer["peers"] as ReadonlyArray<PeerRow>)),
        Effect.catch((error) =>
          isAbsent(error)
            ? Effect.map(storedPeers(settings.store ?? dirname(plan), toCommandError(error)), ({ problem, rows }) =>
              remembered(rows, problem))
            : Effect.fail(toCommandError(error))
        ),
        Effect.provide(NodeFileSystem.layer)
      )
    }
    const reason = settings.reason === undefined ? {} : { reason: settings.reason }
    return askRunning(plan, action, { peer, ...reason }, settings.timeout).pipe(
      Effect.mapError((error) => {
        const failed = toCommandError(error)
        return isAbsent(error)
          ? new CommandError({
            exitCode: failed.exitCode,
            message: failed.message,
            remedy: `${action} needs the running process: start sync or serve first`
          })
          : failed
      }),
      Effect.map((answer): CommandResult => ({
        exitCode: ExitCode.done,
        text: `${peer}: ${action === "ban" ? "banned" : "unbanned"}\n`,
        json: { ...answer, action }
      }))
    )
  }
})
