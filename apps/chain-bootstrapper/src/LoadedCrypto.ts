/** The cryptography of this process; that there is none is an end of the command. */
import { CommandError, ExitCode } from "@peerstrap/command-line"
import { Crypto, loadCrypto } from "@peerstrap/tezos-wire"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

export const loadedCrypto = loadCrypto.pipe(
  Effect.mapError(({ message }) =>
    new CommandError({
      exitCode: ExitCode.local,
      message,
      remedy: "install the program again, with its optional packages"
    })
  )
)

export const loadedCryptoLayer: Layer.Layer<Crypto, CommandError> = Layer.effect(Crypto, loadedCrypto)
