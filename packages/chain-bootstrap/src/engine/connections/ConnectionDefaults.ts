/** Defaults and checks of the connections' options (specs: chain bootstrap 5.8, 5.13). */
import type { ConnectionOptions } from "../../contract/Connections.ts"

const hour = 3_600_000

/** The options with defaults for what is not given. Throws a RangeError that names the option when one is out of range. */
export const connectionOptions = (given: Partial<ConnectionOptions> = {}): ConnectionOptions => {
  const maxPeers = given.maxPeers ?? 50
  const options: ConnectionOptions = {
    minPeers: Math.min(10, maxPeers),
    maxPeers,
    maxIncoming: Math.max(1, Math.floor(maxPeers / 2)),
    hungryMargin: Math.ceil(0.1 * maxPeers),
    reconnectLimit: 5,
    reconnectWindowMillis: 24 * hour,
    reconnectBaseMillis: 1000,
    reconnectCapMillis: 48 * hour,
    cooldownMillis: 60_000,
    greylistMillis: hour / 4,
    greylistLongestMillis: 24 * hour,
    maxKnownPoints: 400,
    maxDials: 10,
    maxPerGroup: 2,
    ...given
  }
  return checkConnectionOptions(options)
}

/** Returns the options, or throws a `RangeError` that names the one that is out of bounds. */
export const checkConnectionOptions = (options: ConnectionOptions): ConnectionOptions => {
  const check = (name: keyof ConnectionOptions, least: number, most = Number.MAX_SAFE_INTEGER): void => {
    const value = options[name]
    if (!Number.isSafeInteger(value) || value < least || value > most) {
      throw new RangeError(`connections: ${name} must be an integer from ${least} to ${most}, got ${value}`)
    }
  }
  check("maxPeers", 1, 10_000)
  check("minPeers", 0, options.maxPeers)
  check("maxIncoming", 0, options.maxPeers)
  check("hungryMargin", 0, options.maxPeers)
  check("reconnectLimit", 0, 1000)
  check("reconnectWindowMillis", 1)
  check("reconnectBaseMillis", 1)
  check("reconnectCapMillis", options.reconnectBaseMillis)
  check("cooldownMillis", 1)
  check("greylistMillis", 1)
  check("greylistLongestMillis", options.greylistMillis)
  check("maxKnownPoints", 1, 100_000)
  check("maxDials", 1, 1000)
  check("maxPerGroup", 1)
  return options
}

/** Connections (dials in progress included) up to which points are dialled; the places above are left to those who dial us. */
export const aimOf = (options: ConnectionOptions): number =>
  Math.max(1, options.minPeers, options.maxPeers - options.hungryMargin)
