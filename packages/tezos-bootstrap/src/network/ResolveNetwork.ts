/** The network that a command line names: a preset, or a file. */
import { Crypto } from "@peerstrap/tezos-wire"
import * as Effect from "effect/Effect"
import { open } from "node:fs/promises"
import { type Network, NetworkUnusable } from "../contract/Network.ts"
import { TezosLimits } from "../contract/TezosLimits.ts"
import { didYouMean } from "./Nearest.ts"
import { checkNetwork, parseNetwork } from "./ParseNetwork.ts"
import { isPreset, presetFiles, presetNames } from "./Presets.ts"

/** Reads one byte more than a network file may have, so that `parseNetwork` sees that it is too long. */
const readStart = async (path: string): Promise<string> => {
  const file = await open(path)
  try {
    const bytes = new Uint8Array(TezosLimits.networkFileBytes + 1)
    let length = 0
    for (;;) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length)
      length += bytesRead
      if (bytesRead === 0 || length === bytes.length) break
    }
    return Buffer.from(bytes.buffer, 0, length).toString("utf8")
  } finally {
    await file.close()
  }
}

/** `mainnet`, `shadownet`, `sandbox`, or the path of a network file. */
export const resolveNetwork: (nameOrFile: string) => Effect.Effect<Network, NetworkUnusable, Crypto> = Effect
  .fnUntraced(function*(nameOrFile: string) {
    const crypto = yield* Crypto
    const found = isPreset(nameOrFile)
      ? checkNetwork(crypto, presetFiles[nameOrFile], nameOrFile)
      : parseNetwork(
        crypto,
        yield* Effect.tryPromise({
          try: () => readStart(nameOrFile),
          catch: (error) =>
            new NetworkUnusable({
              source: nameOrFile,
              problems: [
                `is no preset (${presetNames.join(", ")}) and no file that can be read: ${
                  error instanceof Error ? error.message : String(error)
                }${didYouMean(nameOrFile, presetNames)}`
              ]
            })
        }),
        nameOrFile
      )
    return found instanceof NetworkUnusable ? yield* found : found
  })
