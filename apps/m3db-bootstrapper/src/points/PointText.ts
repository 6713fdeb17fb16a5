/** One datapoint as text: its value as the shortest decimal that reads back to the same bits, its unit, its annotation. Pure. */
import type { Datapoints } from "@peerstrap/m3tsz"
import { formatNanos } from "@peerstrap/progress"
import { toHex } from "../inspect/IdText.ts"

const unitNames: ReadonlyArray<string> = ["", "s", "ms", "us", "ns"]

/** Text made before it is handed on. */
const pieceChars = 65_536

/** `-0`, `NaN`, `+Inf`, `-Inf` as Go writes them, so that readers of other systems know them. */
export const valueText = (value: number): string => {
  if (Object.is(value, -0)) return "-0"
  if (Number.isFinite(value)) return String(value)
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf"
}

/** 16 hex digits, read from the column itself: a NaN that passes through a number may lose its payload. */
const bitsText = ({ buffer, byteOffset, length }: Float64Array, at: number): string =>
  new BigUint64Array(buffer, byteOffset, length)[at]!.toString(16).padStart(16, "0")

const annotationOf = (points: Datapoints, at: number): Uint8Array | undefined =>
  points.annotations.size === 0 ? undefined : points.annotations.get(at)

const annotationHex = (points: Datapoints, at: number): string => {
  const annotation = annotationOf(points, at)
  return annotation === undefined ? "" : `0x${toHex(annotation)}`
}

/** A line without its end, for a person: time, value, unit, annotation. */
export const pointLine = (points: Datapoints, at: number): string => {
  const annotation = annotationHex(points, at)
  return `${formatNanos(points.timestamps[at]!)}  ${valueText(points.values[at]!)}  ${
    unitNames[points.units[at]!] ?? "?"
  }` +
    (annotation === "" ? "" : `  annotation ${annotation}`)
}

export const pointColumns = "timestamp_ns,value,unit,annotation"

/** The cells of `pointColumns`; no text in them needs quotes. */
export const pointCells = (points: Datapoints, at: number): string =>
  `${points.timestamps[at]!},${valueText(points.values[at]!)},${unitNames[points.units[at]!] ?? ""},${
    annotationHex(points, at)
  }`

/** `value` is null where JSON has no such number; `bits` are always those of the point. */
export const pointJson = (points: Datapoints, at: number): string => {
  const value = points.values[at]!
  const number = Number.isFinite(value) ? valueText(value) : "null"
  const annotation = annotationOf(points, at)
  return `{"timestamp":"${points.timestamps[at]!}","value":${number},"bits":"${bitsText(points.values, at)}","unit":"${
    unitNames[points.units[at]!] ?? ""
  }"${annotation === undefined ? "" : `,"annotation":"${toHex(annotation)}"`}}`
}

/** Texts of all points in pieces, so that no block is held as one text. `text` may answer "" for a point. */
export function* pointPieces(
  points: Datapoints,
  text: (points: Datapoints, at: number) => string
): Generator<string> {
  let piece = ""
  for (let at = 0; at < points.count; at++) {
    piece += text(points, at)
    if (piece.length < pieceChars) continue
    yield piece
    piece = ""
  }
  if (piece !== "") yield piece
}

/** A cell of CSV (RFC 4180). */
export const csvCell = (text: string): string => /[",\r\n]/.test(text) ? `"${text.replaceAll("\"", "\"\"")}"` : text
