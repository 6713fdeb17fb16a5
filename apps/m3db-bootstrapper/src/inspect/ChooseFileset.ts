/** Which filesets of a directory a person means: one to look into, or all in which a series is looked for. Pure. */
import type { ScannedFileset, ScannedNamespace } from "@peerstrap/m3db-files"
import { formatNanos } from "@peerstrap/progress"
import { filesetsOf } from "./DataDirectory.ts"

export interface FilesetChoice {
  /** ns. */
  readonly blockStart: bigint | undefined
  readonly volume: number | undefined
}

export interface ChosenFileset {
  readonly namespace: string
  readonly shard: number
  readonly fileset: ScannedFileset
}

/** Without a volume the one that a node reads, or the highest one where none is complete. */
export const chooseFilesets = (
  namespaces: ReadonlyArray<ScannedNamespace>,
  { blockStart, volume }: FilesetChoice
): ReadonlyArray<ChosenFileset> => {
  const wanted = [...filesetsOf(namespaces)].filter(({ fileset }) =>
    (blockStart === undefined || fileset.blockStart === blockStart) &&
    (volume === undefined || fileset.volume === volume)
  )
  if (volume !== undefined) return wanted
  const best = new Map<string, ChosenFileset>()
  for (const one of wanted) {
    const key = `${one.shard}/${one.fileset.blockStart}/${one.namespace}`
    const before = best.get(key)
    // Volumes ascend.
    if (before === undefined || !before.fileset.latest) best.set(key, one)
  }
  return [...best.values()]
}

/** What to add to the command line to mean one of these. */
export const choiceText = ({ fileset, namespace, shard }: ChosenFileset): string =>
  `--namespace ${namespace} --shard ${shard} --block-start ${fileset.blockStart} (${formatNanos(fileset.blockStart)})`
