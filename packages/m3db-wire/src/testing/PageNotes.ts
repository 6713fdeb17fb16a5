/**
 * Notes of ours behind a page token: protobuf field 15, which M3's reader would skip. What a paging misbehaviour must remember
 * travels with the listing, so that any number of listings can run at the same time.
 */

/** What a token of ours remembers. Numbers count modulo 2^15. */
export interface PageNote {
  /** 1 + number of made-up pages given, 0 before them. */
  readonly endless: number
  /** Empty pages given since the last page with elements. */
  readonly empty: number
  /** The disk phase has been started again. */
  readonly reset: boolean
}

const key = 15 << 3
const mask = 0x7fff

/** A page token is one field of length-delimited bytes, shorter than 128. */
const tokenEnd = (token: Uint8Array): number => 2 + (token[1] ?? 0)

export const bareToken = (token: Uint8Array): Uint8Array => token.subarray(0, tokenEnd(token))

export const withNote = (token: Uint8Array, note: PageNote): Uint8Array => {
  let rest = (note.reset ? 1 : 0) + (note.empty & mask) * 2 + (note.endless & mask) * 0x1_0000
  if (rest === 0) return token
  const out = [...bareToken(token), key]
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) out.push((rest % 0x80) + 0x80)
  return Uint8Array.from([...out, rest])
}

export const readNote = (token: Uint8Array | undefined): PageNote => {
  let packed = 0
  if (token !== undefined && token[tokenEnd(token)] === key) {
    let scale = 1
    for (let at = tokenEnd(token) + 1; at < token.length && at < tokenEnd(token) + 6; at++) {
      packed += (token[at]! & 0x7f) * scale
      scale *= 0x80
      if (token[at]! < 0x80) break
    }
  }
  return { reset: packed % 2 === 1, empty: (packed >>> 1) & mask, endless: (packed >>> 16) & mask }
}
