/** Our identity in the words of people: how far a search is, and what is wrong with a file that is there. */
import { CommandError, ExitCode } from "@peerstrap/command-line"
import { formatCount, formatDuration } from "@peerstrap/progress"
import { type IdentityUnusable, makeIdentity as make, type NewIdentity } from "@peerstrap/tezos-bootstrap"
import { formatPeerId, type Identity, type IdentityProgress } from "@peerstrap/tezos-wire"
import * as Effect from "effect/Effect"
import { fileFault } from "../LocalFaults.ts"

export const identityFault = ({ message }: IdentityUnusable): CommandError =>
  new CommandError({
    exitCode: ExitCode.usage,
    message,
    remedy: "make another with: peerstrap-chain identity generate --out FILE, and name it with --identity"
  })

/** How far a search is, in words. It has no memory: what is left is always the whole average. */
export const searchText = ({ expected, ratePerSecond, tried }: IdentityProgress): string =>
  `identity: ${formatCount(tried)} stamps tried, about ${formatCount(expected)} are needed on average, ` +
  `${formatCount(ratePerSecond)}/s: ${formatDuration(expected / Math.max(1, ratePerSecond) * 1000)} on average`

/** Searches and writes; the caller has made sure that there is none. */
export const makeIdentity = (wanted: NewIdentity) => Effect.mapError(make(wanted), fileFault)

export const peerIdText = ({ peerId }: Identity): string => formatPeerId(peerId)
