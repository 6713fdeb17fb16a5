/** A store that is there, opened; that it is another chain's, in use or damaged is told with what to do. */
import { type ChainRules, FileChainStore, type StoreError } from "@peerstrap/chain-bootstrap"
import { CommandError, ExitCode } from "@peerstrap/command-line"
import * as Effect from "effect/Effect"
import { dirname, extname } from "node:path"

/** The store that a path in it belongs to. */
const directoryOf = (path: string): string => path === "" ? "DIR" : extname(path) === "" ? path : dirname(path)

const damagedRemedy = (path: string): string =>
  `run peerstrap-chain sync --store ${directoryOf(path)}: it first fetches again what damage took from the chain; ` +
  `see all of it with: peerstrap-chain verify ${directoryOf(path)}; if sync cannot mend it, begin in another --store`

const remedies: Record<Exclude<StoreError["reason"], "damaged">, string> = {
  "other-chain": "name another --store for this chain, or give the --network and --base that the store is of",
  "in-use": "stop that process, or name another --store",
  "no-space": "free space, then run the same command again: what is stored stays valid",
  "permission": "run as the owner of the store, or name another --store",
  "io": "look at the system's log for this device, or name another --store",
  "not-found": "make the store with: peerstrap-chain sync --network NAME --store DIR",
  "out-of-order": "please report this with the command line: it is a defect of this program",
  "too-large": "please report this with the command line: the chain has blocks above the store's bounds"
}

const codes: Partial<Record<StoreError["reason"], CommandError["exitCode"]>> = {
  "other-chain": ExitCode.usage,
  "not-found": ExitCode.usage,
  "out-of-order": ExitCode.defect
}

/** What failed in a store, as the end of a command. */
export const storeFault = ({ message, path, reason }: StoreError): CommandError =>
  new CommandError({
    exitCode: codes[reason] ?? ExitCode.local,
    message: path === "" || message.includes(path) ? message : `${path}: ${message}`,
    remedy: reason === "damaged" ? damagedRemedy(path) : remedies[reason]
  })

export interface StorePlace {
  readonly directory: string
  readonly rules: ChainRules
  readonly onScan?: (bytes: number, total: number) => void
}

/** Opens what is there; not-found is an error. */
export const openExisting = ({ directory, onScan, rules }: StorePlace) =>
  FileChainStore.open({
    directory,
    rules,
    identity: undefined,
    ...(onScan === undefined
      ? {}
      : { onScan: ({ bytesDone, bytesTotal }) => onScan(bytesDone, bytesTotal) })
  }).pipe(Effect.mapError(storeFault))
