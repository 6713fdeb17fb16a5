/** The store of a run: opened, or made for a base; that it is another chain's, in use or damaged is told with what to do. */
import {
  type BlockRef,
  type ChainRules,
  FileChainStore,
  type StoreError,
  type StoreIdentity
} from "@peerstrap/chain-bootstrap"
import { CommandError, ExitCode } from "@peerstrap/command-line"
import * as Effect from "effect/Effect"
import { refText } from "../BlockNames.ts"

const remedies: Record<StoreError["reason"], string> = {
  "other-chain": "name another --store for this chain, or give the --network and --base that the store is of",
  "in-use": "stop that process, or name another --store",
  "damaged":
    "see what is damaged with: peerstrap-chain verify DIR; start again to fetch it anew, or begin in another --store",
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
    remedy: remedies[reason]
  })

export interface StorePlace {
  readonly directory: string
  readonly rules: ChainRules
  readonly onScan?: (bytes: number, total: number) => void
}

const optionsOf = ({ directory, onScan, rules }: StorePlace, identity: StoreIdentity | undefined) => ({
  directory,
  rules,
  identity,
  ...(onScan === undefined ? {} : { onScan: scanShown(onScan) })
})

type Scan = NonNullable<Parameters<typeof FileChainStore.open>[0]["onScan"]>

const scanShown = (onScan: (bytes: number, total: number) => void): Scan => ({ bytesDone, bytesTotal }) =>
  onScan(bytesDone, bytesTotal)

/** What a directory holds; undefined: no store. */
export const storeIdentityOf = (place: StorePlace) =>
  Effect.scoped(Effect.map(FileChainStore.open(optionsOf(place, undefined)), ({ identity }) => identity)).pipe(
    Effect.catch((error) =>
      error.reason === "not-found"
        ? Effect.void
        : Effect.fail(storeFault(error))
    )
  )

/** Opens what is there; not-found is an error. */
export const openExisting = (place: StorePlace) =>
  Effect.mapError(FileChainStore.open(optionsOf(place, undefined)), storeFault)

export const openFor = (place: StorePlace, identity: StoreIdentity) =>
  Effect.mapError(FileChainStore.open(optionsOf(place, identity)), storeFault)

/** Why a run may not go on in a store that is there: another chain's, or another base's. */
export const refusalOf = (
  directory: string,
  found: StoreIdentity,
  wanted: { readonly protocol: string; readonly chainId: string; readonly base: BlockRef["id"] | undefined }
): CommandError | undefined => {
  const refuse = (message: string) =>
    new CommandError({ exitCode: ExitCode.usage, message: `${directory} ${message}`, remedy: remedies["other-chain"] })
  if (found.chainId !== wanted.chainId || found.protocol !== wanted.protocol) {
    return refuse(
      `is the store of another chain: ${found.protocol} ${found.chainId}, not ${wanted.protocol} ${wanted.chainId}; nothing was changed`
    )
  }
  return wanted.base === undefined || wanted.base === found.base.id
    ? undefined
    : refuse(`begins at another base, ${refText(found.base)}, than --base says; nothing was changed`)
}
