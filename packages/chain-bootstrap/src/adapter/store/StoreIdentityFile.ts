/**
 * The documents `STORE` and `STORE.copy` of a store: what chain it holds, and the salt that its records are bound to. Written once; either will do.
 */
import type { FileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { crc32 } from "node:zlib"
import type { StoreError, StoreIdentity } from "../../contract/ChainStore.ts"
import { storeLimits } from "../../contract/StoreLimits.ts"
import { identityDifference } from "../../engine/store/StoreInput.ts"
import { fromFile, storeError } from "./StoreErrors.ts"

type Files = (typeof FileSystem)["Service"]

const StoreDocument = Schema.Struct({
  format: Schema.Literal("peerstrap-chain-store"),
  version: Schema.Finite,
  protocol: Schema.String,
  chainId: Schema.String,
  base: Schema.Struct({ id: Schema.String, level: Schema.Finite }),
  idBytes: Schema.Finite,
  salt: Schema.Finite
})
type StoreDocument = typeof StoreDocument.Type

const decodeDocument = Schema.decodeUnknownOption(Schema.fromJsonString(StoreDocument))
const version = 1
const names = ["STORE", "STORE.copy"]

/** Text, a line feed, the CRC-32 of the text in decimal, a line feed. */
const encode = (document: StoreDocument): Uint8Array => {
  const text = JSON.stringify(document)
  return new TextEncoder().encode(`${text}\n${crc32(text)}\n`)
}

const decode = (bytes: Uint8Array): StoreDocument | undefined => {
  const [text = "", crc = "", rest] = new TextDecoder().decode(bytes).split("\n")
  if (rest !== "" || Number(crc) !== crc32(text)) return undefined
  const decoded = decodeDocument(text)
  return decoded._tag === "Some" ? decoded.value : undefined
}

const read = (files: Files, path: string): Effect.Effect<StoreDocument | "missing" | "damaged", StoreError> =>
  Effect.matchEffect(files.readFile(path, storeLimits.identityBytes), {
    onFailure: (error) =>
      error.reason === "not-found" ? Effect.succeed("missing" as const) : Effect.fail(fromFile(error)),
    onSuccess: (bytes) => Effect.succeed(decode(bytes) ?? "damaged" as const)
  })

const write = Effect.fnUntraced(function*(files: Files, directory: string, document: StoreDocument) {
  for (const name of names.toReversed()) {
    yield* Effect.mapError(files.writeFileAtomic(`${directory}/${name}`, encode(document)), fromFile)
  }
})

export interface KnownStore {
  readonly identity: StoreIdentity
  readonly idBytes: number
  readonly salt: number
}

/**
 * Reads who the store is, or makes it. `wanted` undefined: whatever is there, `not-found` when nothing is. `logs`: whether there are log files, which a
 * store without its document cannot be.
 */
export const identifyStore = Effect.fnUntraced(function*(
  files: Files,
  directory: string,
  wanted: StoreIdentity | undefined,
  fresh: { readonly idBytes: number; readonly salt: number; readonly logs: boolean }
) {
  const documents = yield* Effect.forEach(names, (name) => read(files, `${directory}/${name}`))
  const path = `${directory}/STORE`
  const found = documents.find((one) => typeof one !== "string")
  if (found === undefined) {
    if (fresh.logs || documents.includes("damaged")) {
      const message =
        "neither STORE nor STORE.copy can be read. Put one of them back from a copy, or begin in another directory"
      return yield* storeError("damaged", path, message)
    }
    if (wanted === undefined) return yield* storeError("not-found", directory, "there is no chain store here")
    const { idBytes, salt } = fresh
    const { base, chainId, protocol } = wanted
    yield* write(files, directory, {
      format: "peerstrap-chain-store",
      version,
      protocol,
      chainId,
      base: { id: base.id, level: base.level },
      idBytes,
      salt
    })
    return { identity: wanted, idBytes, salt } satisfies KnownStore
  }
  const { base, chainId, idBytes, protocol, salt } = found
  if (found.version !== version) {
    const message =
      `the store is of version ${found.version}, this program knows version ${version}. Use the program that made it`
    return yield* storeError("other-chain", path, message)
  }
  const identity: StoreIdentity = { protocol, chainId, base }
  const difference = wanted === undefined ? undefined : identityDifference(identity, wanted)
  if (difference !== undefined) return yield* storeError("other-chain", path, difference)
  if (idBytes !== fresh.idBytes) {
    return yield* storeError(
      "other-chain",
      path,
      `ids of ${idBytes} bytes in the store, the protocol has ${fresh.idBytes}`
    )
  }
  if (documents.some((one) => typeof one === "string")) yield* write(files, directory, found)
  return { identity, idBytes, salt } satisfies KnownStore
})
