// Blocks and chains that were recorded from real nodes or made by the code of one. None where the recorded data is missing.
import { Malformed } from "@peerstrap/tezos-wire"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { gunzipSync } from "node:zlib"
import { sharedPath } from "../../../tools/shared.ts"
import { bytes } from "./vectors.ts"

const folder = sharedPath("data/tezos")

export const recordedMissing: string | undefined = existsSync(folder)
  ? undefined
  : `recorded blocks not found at ${folder}: only the constants in the tests run; set PEERSTRAP_SHARED`

/** A file of recorded data, unpacked. */
export const recordedFile = (path: string): Uint8Array => {
  const raw = readFileSync(`${folder}/${path}`)
  return new Uint8Array(path.endsWith(".gz") ? gunzipSync(raw) : raw)
}

/** The shapes differ by file; each test reads what its file has. */
export const recordedJson = (path: string): any => JSON.parse(Buffer.from(recordedFile(path)).toString("utf8"))

export const recordedLines = (path: string): ReadonlyArray<any> =>
  Buffer.from(recordedFile(path)).toString("utf8").trim().split("\n").map((line) => JSON.parse(line))

export const recordedChains = (): ReadonlyArray<readonly [string, any]> =>
  readdirSync(`${folder}/chains`)
    .filter((name) => name.endsWith(".json.gz"))
    .map((name) => [name, recordedJson(`chains/${name}`)] as const)

/** The value of a decoder that must not have failed. */
export const sound = <A>(value: A | Malformed): A => {
  if (value instanceof Malformed) throw new Error(`${value.what} at ${value.offset}: ${value.message}`)
  return value
}

/** The error of a decoder that must have failed. */
export const refused = (value: unknown): Malformed => {
  if (!(value instanceof Malformed)) throw new Error("decoded what it should refuse")
  return value
}

/** `u16 tag ‖ body`. */
export const tagged = (tag: number, body: Uint8Array): Uint8Array => {
  const whole = new Uint8Array(2 + body.length)
  whole.set([tag >> 8, tag & 0xff])
  whole.set(body, 2)
  return whole
}

/** Frames (without size) of the captured session, in the order of the capture. */
export const sessionMessages = (): ReadonlyArray<Uint8Array> => {
  const { received, sent } = recordedJson("blocks/carthagenet-session.json")
  return [...sent, ...received]
    .map(({ plain }) => bytes(plain))
    .filter((plain) => plain.length >= 6 && new DataView(plain.buffer).getUint32(0) === plain.length - 4)
    .map((plain) => plain.subarray(4))
}
