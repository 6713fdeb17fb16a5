/**
 * InfluxDB line protocol: `measurement,tag=value field=1.5 1795204800000000000`. Pure.
 *
 *   in            escaped with a backslash        cannot be written at all
 *   measurement   comma, space                    line feed, a backslash at the end, a # at the beginning, no bytes
 *   tag, field    comma, equals sign, space       line feed, a backslash at the end, a name without bytes
 *
 * A backslash inside stays as it is; one at the end would escape what follows. A tag without a value is a tag that is not there.
 */
import { decodeTags, WireFault } from "@peerstrap/m3db-wire"
import type { Datapoints } from "@peerstrap/m3tsz"
import { idText, utf8Text } from "../inspect/IdText.ts"
import { valueText } from "../points/PointText.ts"

export interface LineProtocolOptions {
  /** For series without a `__name__` tag. */
  readonly measurement: string
  /** Name of the one field. */
  readonly field: string
  /** Tag that holds the id of a series without tags, so that such series stay apart. */
  readonly idTag: string
}

const nameTag = "__name__"

/** Why a name cannot be written; undefined when it can. */
export const problemOfName = (text: string, isMeasurement: boolean): string | undefined => {
  if (text === "") return "has no bytes"
  if (text.includes("\n")) return "holds a line feed"
  if (text.endsWith("\\")) return "ends with a backslash"
  return isMeasurement && text.startsWith("#") ? "begins with #, which makes a comment" : undefined
}

const escapedMeasurement = (text: string): string => text.replaceAll(/[, ]/g, "\\$&")

/** Of tag names, tag values and field names. */
const escapedName = (text: string): string => text.replaceAll(/[,= ]/g, "\\$&")

/** A part that cannot be written; thrown nowhere, returned. */
export interface Unwritable {
  readonly problem: string
}

const textOf = (bytes: Uint8Array, what: string, isMeasurement = false): string | Unwritable => {
  const text = utf8Text(bytes)
  if (text === undefined) return { problem: `${what} is not UTF-8` }
  const problem = problemOfName(text, isMeasurement)
  return problem === undefined ? text : { problem: `${what} ${problem}` }
}

/** Measurement and tags of a series, up to the space before the field. */
export const seriesPrefix = (
  id: Uint8Array,
  tags: Uint8Array,
  options: LineProtocolOptions
): string | Unwritable => {
  const pairs = tags.length === 0 ? [] : decodeTags(tags)
  if (pairs instanceof WireFault) return { problem: `the tags do not decode: ${pairs.message}` }
  let measurement = options.measurement
  let rest = ""
  for (const [name, value] of pairs) {
    const key = textOf(name, "a tag's name")
    if (typeof key !== "string") return key
    if (value.length === 0) continue
    const text = textOf(
      value,
      key === nameTag ? "the measurement" : `the value of tag ${JSON.stringify(key)}`,
      key === nameTag
    )
    if (typeof text !== "string") return text
    if (key === nameTag) measurement = text
    else rest += `,${escapedName(key)}=${escapedName(text)}`
  }
  if (pairs.length === 0) {
    const text = idText(id)
    const problem = problemOfName(text, false)
    if (problem !== undefined) return { problem: `the id ${problem}` }
    rest = `,${escapedName(options.idTag)}=${escapedName(text)}`
  }
  return `${escapedMeasurement(measurement)}${rest}`
}

/** Lines of points, one a point; NaN and infinities, which the protocol does not have, give "". */
export const pointLiner = (prefix: string, field: string): (points: Datapoints, at: number) => string => {
  const begin = `${prefix} ${escapedName(field)}=`
  return (points, at) => {
    const value = points.values[at]!
    return Number.isFinite(value) ? `${begin}${valueText(value)} ${points.timestamps[at]!}\n` : ""
  }
}
