/** A segment as its records say it: the parts, then the segment with its evidence. */
import type { ChosenSegment } from "../../contract/ChainStore.ts"
import { recordKinds, type RecordPlace } from "./RecordCodec.ts"
import { readNumberedIds, readSegmentPayload, unpackIds } from "./RecordPayloads.ts"
import { RecordScan } from "./RecordScan.ts"

type Told = Pick<ChosenSegment, "evidence" | "peers">

const parseTold = (json: Uint8Array): Told | undefined => {
  try {
    return JSON.parse(new TextDecoder().decode(json)) as Told
  } catch {
    return undefined
  }
}

/** Reads all records of one segment, or undefined when any of them is not what was written. */
export const readSegmentRecords = (
  bytes: Uint8Array,
  place: RecordPlace,
  idBytes: number
): ChosenSegment | undefined => {
  const ids: Array<string> = []
  let found: ChosenSegment | undefined
  let isBad = false
  const scan = new RecordScan({ ...place, end: place.offset + bytes.length }, place.offset, {
    record: (kind, payload) => {
      if (kind === recordKinds.segmentPart) {
        for (const id of unpackIds(readNumberedIds(payload, idBytes)?.ids ?? new Uint8Array(0), idBytes)) ids.push(id)
        return
      }
      const segment = kind === recordKinds.segment ? readSegmentPayload(payload, idBytes) : undefined
      const told = segment === undefined ? undefined : parseTold(segment.json)
      if (segment === undefined || told === undefined) {
        isBad = true
        return
      }
      for (const id of unpackIds(segment.ids, idBytes)) ids.push(id)
      found = { ids, firstLevel: segment.firstLevel, ...told }
    },
    bad: () => {
      isBad = true
    }
  })
  scan.window(bytes)
  return isBad || !scan.done ? undefined : found
}
