/** Misbehaviours of paging: hostile tokens, made-up and empty pages. What they remember stands in the token (`PageNotes`). */
import { adler32 } from "@peerstrap/m3tsz"
import * as Effect from "effect/Effect"
import { decodePageToken } from "../codec/PageToken.ts"
import { WireFault } from "../codec/WireFault.ts"
import type {
  DeclaredError,
  ListingElement,
  ListingPage,
  ListingRequest,
  ReplicaSourceShape
} from "../contract/ReplicaSource.ts"
import type { Behaviours } from "./Behaviours.ts"
import { bareToken, type PageNote, readNote, withNote } from "./PageNotes.ts"
import { diskPhaseToken } from "./ReplicaData.ts"

/** Series for pages that never end. */
export interface MadeUp {
  /** The id of the n-th series made up for a shard; hashes into it. */
  readonly id: (shard: number, n: number) => Uint8Array
  /** A start that is in range. */
  readonly start: (request: ListingRequest) => bigint
}

const madeUpBytes = new TextEncoder().encode("endless")
const madeUpChecksum = adler32(madeUpBytes)

const endlessPage = (request: ListingRequest, note: PageNote, perPage: number, madeUp: MadeUp): ListingPage => {
  const elements: Array<ListingElement> = []
  for (let i = 0; i < perPage; i++) {
    elements.push({
      id: madeUp.id(request.shard, (note.endless - 1) * perPage + i),
      start: madeUp.start(request),
      error: undefined,
      size: request.includeSizes ? BigInt(madeUpBytes.length) : undefined,
      checksum: request.includeChecksums ? madeUpChecksum : undefined,
      lastRead: request.includeLastRead ? 0n : undefined,
      encodedTags: undefined
    })
  }
  return { elements, nextPageToken: withNote(diskPhaseToken, { ...note, endless: note.endless + 1 }) }
}

const inDiskPhase = (token: Uint8Array | undefined): token is Uint8Array => {
  const decoded = token === undefined || token.length === 0 ? undefined : decodePageToken(token)
  return decoded !== undefined && !(decoded instanceof WireFault) && decoded.phase === "flushed"
}

/** The token after a page of the disk phase, undefined at the end of the listing. */
const nextToken = (
  behaviours: Behaviours,
  given: Uint8Array,
  next: Uint8Array | undefined,
  note: PageNote
): Uint8Array | undefined => {
  if (behaviours.has("token-loop")) return given
  const fresh = { ...note, empty: 0 }
  if (next === undefined) {
    return behaviours.has("endless-pages") ? withNote(diskPhaseToken, { ...fresh, endless: 1 }) : undefined
  }
  return behaviours.has("token-reset") && !note.reset
    ? withNote(diskPhaseToken, { ...fresh, reset: true })
    : withNote(next, fresh)
}

/** The page that the source gives for `request`, with the tokens that these behaviours would have it give. */
export const behavedPage = Effect.fnUntraced(function*(
  source: ReplicaSourceShape,
  behaviours: Behaviours,
  request: ListingRequest,
  madeUp: MadeUp
): Effect.fn.Return<ListingPage, DeclaredError> {
  const page = yield* source.listMetadata(request)
  const given = request.pageToken
  if (page.elements === undefined || !inDiskPhase(given)) return page
  const note = readNote(given)
  const endless = behaviours.get("endless-pages")
  if (endless !== undefined && note.endless > 0) return endlessPage(request, note, endless.perPage, madeUp)
  const emptyPages = behaviours.get("empty-pages")?.pages
  if (emptyPages !== undefined && (emptyPages === 0 || note.empty < emptyPages)) {
    return { elements: [], nextPageToken: withNote(bareToken(given), { ...note, empty: note.empty + 1 }) }
  }
  return { elements: page.elements, nextPageToken: nextToken(behaviours, given, page.nextPageToken, note) }
})
