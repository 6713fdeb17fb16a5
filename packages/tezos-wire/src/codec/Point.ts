/** Points, the addresses that peers tell each other: `ip:port` or `[v6]:port`, never a host name (specs: chain bootstrap 1.8). */
import { Limits } from "../contract/Limits.ts"

/** A point as its parts; an IPv6 address without brackets. */
export interface Point {
  readonly address: string
  readonly port: number
}

const v4Pattern = /^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?!$)|$)){4}$/

/** The parts of a point, or undefined when the text is none: no such address, port 0, above 65535 or with leading zeros. */
export const parsePoint = (text: string): Point | undefined => {
  if (text.length > Limits.maxPointBytes) return undefined
  const parts = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):([1-9][0-9]{0,4})$/.exec(text)
  if (parts === null) return undefined
  const [, v6, v4, digits] = parts
  const port = Number(digits)
  const fits = v6 === undefined ? v4Pattern.test(v4!) : URL.canParse(`http://[${v6}]/`)
  return fits && port <= 65_535 ? { address: v6 ?? v4!, port } : undefined
}

/** Whether the text of a received point can be dialled. */
export const isPoint = (text: string): boolean => parsePoint(text) !== undefined

/** Text of a point. */
export const pointText = ({ address, port }: Point): string =>
  address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`
