/**
 * Points as text: `host:port`, `[v6]:port`, names. Addresses become 8 words of 16 bits (IPv4 as mapped IPv6), so that one address has one
 * canonical text and ranges are compared in one way.
 */
import { ConnectionLimits } from "../../contract/ConnectionLimits.ts"

export interface Host {
  /** Canonical: IPv4 dotted (mapped IPv6 too), IPv6 as in RFC 5952 without brackets, names in lower case. */
  readonly text: string
  /** Undefined for a name. */
  readonly words: ReadonlyArray<number> | undefined
}

/** A host and its port, 1 to 65535. */
export interface Point extends Host {
  readonly host: string
  readonly port: number
}

const byte = (text: string): number | undefined => {
  if (!/^(0|[1-9][0-9]{0,2})$/.test(text)) return undefined
  const value = Number(text)
  return value <= 255 ? value : undefined
}

const ipv4Words = (text: string): ReadonlyArray<number> | undefined => {
  const parts = text.split(".").map(byte)
  const [a, b, c, d] = parts
  if (parts.length !== 4 || a === undefined || b === undefined || c === undefined || d === undefined) return undefined
  return [(a << 8) | b, (c << 8) | d]
}

/** Words of a run of hextets without `::`; the last may be a dotted IPv4. */
const hextets = (text: string): ReadonlyArray<number> | undefined => {
  if (text === "") return []
  const out: Array<number> = []
  const parts = text.split(":")
  for (const [i, part] of parts.entries()) {
    if (i === parts.length - 1 && part.includes(".")) {
      const dotted = ipv4Words(part)
      if (dotted === undefined) return undefined
      out.push(...dotted)
    } else if (/^[0-9a-f]{1,4}$/i.test(part)) out.push(Number.parseInt(part, 16))
    else return undefined
  }
  return out
}

const ipv6Words = (text: string): ReadonlyArray<number> | undefined => {
  if (text.length > 45 || !text.includes(":")) return undefined
  const halves = text.split("::")
  if (halves.length > 2) return undefined
  const head = hextets(halves[0]!)
  const tail = halves.length === 2 ? hextets(halves[1]!) : []
  if (head === undefined || tail === undefined) return undefined
  const missing = 8 - head.length - tail.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  return [...head, ...Array.from({ length: missing }, () => 0), ...tail]
}

const isMapped = (words: ReadonlyArray<number>): boolean =>
  words[5] === 0xffff && words.slice(0, 5).every((word) => word === 0)

const longestZeros = (words: ReadonlyArray<number>): { readonly start: number; readonly length: number } => {
  let best = { start: -1, length: 1 }
  for (let start = 0; start < 8; start++) {
    let length = 0
    while (start + length < 8 && words[start + length] === 0) length++
    if (length > best.length) best = { start, length }
  }
  return best
}

const hex = (part: ReadonlyArray<number>): string => part.map((word) => word.toString(16)).join(":")

const addressText = (words: ReadonlyArray<number>): string => {
  if (isMapped(words)) return [words[6]! >> 8, words[6]! & 255, words[7]! >> 8, words[7]! & 255].join(".")
  const zeros = longestZeros(words)
  if (zeros.start < 0) return hex(words)
  return `${hex(words.slice(0, zeros.start))}::${hex(words.slice(zeros.start + zeros.length))}`
}

const namePattern = /^(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/

/** A host without a port: an address (a zone like `%eth0` is dropped; brackets are not part of it) or a name. Undefined when it is neither. */
export const parseHost = (text: string): Host | undefined => {
  if (text.length > ConnectionLimits.hostCharacters) return undefined
  if (text.includes(":")) {
    const zone = text.indexOf("%")
    const words = ipv6Words(zone < 0 ? text : text.slice(0, zone))
    return words === undefined ? undefined : { text: addressText(words), words }
  }
  const dotted = ipv4Words(text)
  if (dotted !== undefined) return { text, words: [0, 0, 0, 0, 0, 0xffff, ...dotted] }
  const name = text.toLowerCase().replace(/\.$/, "")
  // A name whose last label is a number would be read as an IPv4 address by some resolvers.
  if (!namePattern.test(name) || /(^|\.)[0-9]+$/.test(name)) return undefined
  return { text: name, words: undefined }
}

const parsePort = (text: string): number | undefined => {
  if (!/^[0-9]{1,5}$/.test(text)) return undefined
  const port = Number(text)
  return port >= 1 && port <= 65_535 ? port : undefined
}

/**
 * Reads `1.2.3.4:9732`, `[2001:db8::1]:9732`, `name.example:9732`, and the same without a port when there is a default one. `text` of the
 * result is canonical: equal points have equal texts. Undefined when malformed.
 */
export const parsePoint = (text: string, defaultPort?: number): Point | undefined => {
  const bracketed = /^\[([^[\]]*)\](?::(.*))?$/.exec(text)
  const colon = text.lastIndexOf(":")
  // More than one colon and no brackets: an address without a port.
  const bare = bracketed === null && (colon < 0 || text.indexOf(":") !== colon)
  const hostText = bracketed !== null ? bracketed[1]! : bare ? text : text.slice(0, colon)
  if (bracketed !== null && !hostText.includes(":")) return undefined
  const portText = bracketed !== null ? bracketed[2] : bare ? undefined : text.slice(colon + 1)
  const port = portText === undefined ? defaultPort : parsePort(portText)
  const host = parseHost(hostText)
  if (host === undefined || port === undefined) return undefined
  return { text: pointText(host.text, port), host: host.text, port, words: host.words }
}

/** The text of a point: brackets around IPv6. */
export const pointText = (host: string, port: number): string =>
  host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`
