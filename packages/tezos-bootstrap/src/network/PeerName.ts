/** Names of peers as people write them: `host`, `host:port`, `v4:port`, `[v6]:port`, `v6`. */
import { isIP } from "node:net"

/** Where nodes of this network listen unless told otherwise. Source: octez `src/lib_node_config/config_file.ml`. */
export const defaultPort = 9732

/** A host, by name or address, and a port. */
export interface PeerName {
  readonly host: string
  readonly port: number
}

const hostPattern = /^(?=.{1,253}$)[a-zA-Z0-9_](?:[a-zA-Z0-9_-]{0,62})(?:\.[a-zA-Z0-9_](?:[a-zA-Z0-9_-]{0,62}))*\.?$/

/** The parts of a name, or what is wrong with it. */
export const parsePeerName = (text: string): PeerName | string => {
  if (isIP(text) === 6) return { host: text, port: defaultPort }
  const parts = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(.*))?$/.exec(text)
  if (parts === null) return `takes host, host:port or [v6 address]:port, not ${JSON.stringify(text)}`
  const [, v6, name, digits] = parts
  const host = v6 ?? name!
  if (v6 !== undefined ? isIP(v6) !== 6 : !(isIP(host) === 4 || hostPattern.test(host))) {
    return `${JSON.stringify(host)} is no host name and no address`
  }
  if (digits === undefined) return { host, port: defaultPort }
  const port = /^[0-9]{1,5}$/.test(digits) ? Number(digits) : 0
  return port >= 1 && port <= 65_535 ? { host, port } : `${JSON.stringify(digits)} is no port (1 to 65535)`
}
