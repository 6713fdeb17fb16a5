/** `identity generate`: makes the identity of a node, with its proof of work. */
import {
  command,
  CommandError,
  type CommandInput,
  type CommandResult,
  derived,
  ExitCode,
  makeStatusLine,
  Type,
  withDefault
} from "@peerstrap/command-line"
import { formatCount } from "@peerstrap/progress"
import { FileSystem, NodeFileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { resolve } from "node:path"
import { makeIdentity, peerIdText, searchText } from "../identity/IdentityFile.ts"
import { loadedCryptoLayer } from "../LoadedCrypto.ts"
import { fileFault } from "../LocalFaults.ts"

const flags = {
  out: withDefault(
    Type.path("FILE", "identity.json"),
    "identity.json",
    "Where it goes; a file that exists is never replaced."
  ),
  difficulty: withDefault(
    Type.integer(0, 64, 26),
    "26",
    "Proof of work: 26 on public networks, often 0 on private ones. One more doubles the time."
  ),
  threads: derived(Type.integer(0, 1024, 4), "processors - 1", "Threads that search; 0 searches in the program's own.")
} as const

const generate = Effect.fnUntraced(function*({ json, settings, terminal }: CommandInput<typeof flags, undefined>) {
  const path = resolve(settings.out)
  const fs = yield* FileSystem
  const exists = yield* fs.stat(path).pipe(
    Effect.as(true),
    Effect.catch((error) => error.reason === "not-found" ? Effect.succeed(false) : Effect.fail(fileFault(error)))
  )
  if (exists) {
    return yield* new CommandError({
      exitCode: ExitCode.local,
      message: `${path} is there already`,
      remedy: "give another --out; an identity that peers know is worth keeping"
    })
  }
  const status = yield* makeStatusLine(terminal, json)
  let tried = 0
  const made = yield* makeIdentity({
    path,
    difficulty: settings.difficulty,
    threads: settings.threads,
    onProgress: (progress) => {
      tried = progress.tried
      status.update(() => searchText(progress))
    }
  })
  const peerId = peerIdText(made)
  const result: CommandResult = {
    exitCode: ExitCode.done,
    text: `${peerId}\n  ${path}, difficulty ${settings.difficulty}, ${formatCount(tried)} stamps tried\n`,
    json: { peerId, path, difficulty: settings.difficulty, tried }
  }
  return result
})

export const identity = command({
  name: "identity",
  summary: "Make the identity of a node, with its proof of work",
  details: [
    "Writes {peer_id, public_key, secret_key, proof_of_work_stamp} with mode 600, as nodes of this network have it. At difficulty 26 that are 67 " +
    "million hashes on average: about 20 s of one core with the native library. sync makes one itself at its first start."
  ],
  operands: { name: "generate", least: 1, most: 1, help: "The word itself, as in: identity generate" },
  flags,
  examples: [
    { args: "identity generate --out identity.json", says: "For a public network" },
    { args: "identity generate --difficulty 0 --out /tmp/identity.json --json", says: "For a private network, at once" }
  ],
  check: (_settings, operands, _context, problem) => {
    if (operands[0] !== undefined && operands[0] !== "generate") {
      problem({ where: "argument 1", message: "is not known here; want generate, as in: identity generate" })
    }
  },
  run: (input) =>
    generate(input as CommandInput<typeof flags, undefined>).pipe(
      Effect.provide(Layer.merge(NodeFileSystem.layer, loadedCryptoLayer))
    )
})
