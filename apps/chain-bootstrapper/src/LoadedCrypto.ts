/** The cryptography of this process; that there is none is an end of the command. */
import { CommandError, ExitCode } from "@peerstrap/command-line"
import { Crypto, type CryptoUnavailable, loadCrypto } from "@peerstrap/tezos-wire"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

export const cryptoFault = ({ message }: CryptoUnavailable): CommandError =>
  new CommandError({
    exitCode: ExitCode.local,
    message,
    remedy: "install the program again, with its optional packages"
  })

export const loadedCrypto = Effect.mapError(loadCrypto, cryptoFault)

export const loadedCryptoLayer: Layer.Layer<Crypto, CommandError> = Layer.effect(Crypto, loadedCrypto)
