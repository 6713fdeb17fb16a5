/**
 * Which peers may be one party's: the /16 of IPv4, the /32 of IPv6 (A16). Addresses of a private network are exempt, because there they say
 * nothing.
 */
import { type Host, parseHost } from "./PointText.ts"

/** `none`: nobody can be there (unspecified, multicast, broadcast, reserved). */
export type Reach = "loopback" | "private" | "public" | "none"

const ipv4Reach = (high: number, low: number): Reach => {
  const first = high >> 8
  if (first === 127) return "loopback"
  if (first === 0 || first >= 224) return "none"
  if (first === 10 || (high >= 0xac10 && high <= 0xac1f) || high === 0xc0a8 || high === 0xa9fe) return "private"
  return high === 0xffff && low === 0xffff ? "none" : "public"
}

/** How far an address reaches. A name counts as public: where it leads is not known here. */
export const reachOf = (host: Pick<Host, "words">): Reach => {
  const words = host.words
  if (words === undefined) return "public"
  const zeros = words.findIndex((word) => word !== 0)
  if (zeros === -1) return "none"
  if (zeros === 7 && words[7] === 1) return "loopback"
  if (zeros === 5 && words[5] === 0xffff) return ipv4Reach(words[6]!, words[7]!)
  const first = words[0]!
  if ((first & 0xfe00) === 0xfc00 || (first & 0xffc0) === 0xfe80) return "private"
  return (first & 0xff00) === 0xff00 ? "none" : "public"
}

/** The group of a host, or undefined when it is exempt. A name is a group of its own; text that is no host belongs to the group of the unknown. */
export const groupOf = (host: string | undefined): string | undefined => {
  const parsed = host === undefined ? undefined : parseHost(host)
  if (parsed === undefined) return "unknown"
  const words = parsed.words
  if (words === undefined) return `name ${parsed.text}`
  const reach = reachOf(parsed)
  if (reach === "loopback" || reach === "private") return undefined
  if (words[0] === 0 && words[5] === 0xffff) return `${words[6]! >> 8}.${words[6]! & 255}/16`
  return `${words[0]!.toString(16)}:${words[1]!.toString(16)}/32`
}
