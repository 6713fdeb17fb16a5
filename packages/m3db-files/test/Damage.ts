/** The seven ways in which a file is damaged. */
export const mutations = [
  "flip-first",
  "flip-middle",
  "flip-last",
  "truncate-1",
  "append-1",
  "empty",
  "delete"
] as const
export type Mutation = typeof mutations[number]

const flipped = (bytes: Uint8Array, at: number): Uint8Array => {
  const out = bytes.slice()
  out[at]! ^= 0xff
  return out
}

/** Undefined: the file is gone. */
export const damage = (bytes: Uint8Array, mutation: Mutation): Uint8Array | undefined => {
  switch (mutation) {
    case "flip-first":
      return flipped(bytes, 0)
    case "flip-middle":
      return flipped(bytes, bytes.length >> 1)
    case "flip-last":
      return flipped(bytes, bytes.length - 1)
    case "truncate-1":
      return bytes.slice(0, -1)
    case "append-1":
      return new Uint8Array([...bytes, 0])
    case "empty":
      return new Uint8Array(0)
    case "delete":
      return undefined
  }
}
