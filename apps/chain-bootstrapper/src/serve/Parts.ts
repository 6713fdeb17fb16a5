/** What serving is made of: the parts of a sync without those that change anything. A config's `plugins` put others in their place. */
import { fileStore, protocolKind, storedBase, storeKind } from "@peerstrap/chain-bootstrap/plugin"
import type { FoundSettings } from "@peerstrap/command-line"
import { compose, logKind, partsOfFlags, type PlacedPart } from "@peerstrap/plugin-host"
import { settableLog } from "@peerstrap/plugin-host/plugin"
import { nodeFiles } from "@peerstrap/storage/plugin"
import { tezosProtocol } from "@peerstrap/tezos-bootstrap/plugin"
import { anyCrypto } from "@peerstrap/tezos-wire/plugin"
import { boundedMemory, memoryKind, tcp, transportKind } from "@peerstrap/transport/plugin"
import * as Effect from "effect/Effect"
import { registry, sharedTargets } from "../sync/Parts.ts"
import type { serveFlags, ServePlan, ServeSettings } from "./ServeFlags.ts"

/** What serving itself uses. */
export const needs = [transportKind, memoryKind, protocolKind, storeKind, logKind] as const

/** The parts that flags name. */
export const partsOf = ({ identityPath, store }: ServePlan, { listen, logLevel, memory }: ServeSettings) =>
  compose(
    tcp({}),
    nodeFiles({}),
    anyCrypto({}),
    boundedMemory({ bytes: memory }),
    tezosProtocol({ network: store.network, identity: identityPath, port: listen.port }),
    storedBase({}),
    fileStore({ directory: store.directory }),
    settableLog({ level: logLevel })
  )

export type ServeParts = ReturnType<typeof partsOf>

/** Kinds that a part of serving provides or requires. A config is shared with sync, whose applier must not start here. */
const isOfServing = (parts: ReadonlyArray<PlacedPart>) => {
  const used = new Set(needs.map(({ id }) => id))
  for (const { plugin } of parts) for (const { id } of plugin.requires) used.add(id)
  return ({ plugin }: PlacedPart): boolean => plugin.provides.some(({ id }) => used.has(id))
}

export const resolveParts = (found: FoundSettings<typeof serveFlags, ServePlan | undefined>) => {
  const defaults = found.plan === undefined ? undefined : partsOf(found.plan, found.settings as ServeSettings)
  return partsOfFlags({ registry, needs, found, defaults, targets: sharedTargets }).pipe(
    Effect.map(({ parts }): ServeParts => ({ parts: parts.filter(isOfServing(defaults?.parts ?? [])) }))
  )
}
