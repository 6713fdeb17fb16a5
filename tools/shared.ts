// Finds the recorded data and the independent peers that live beside the repository, for tests.
import { existsSync } from "node:fs"
import { dirname, resolve } from "node:path"
import { fileURLToPath } from "node:url"

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..")
const shared = resolve(root, process.env["PEERSTRAP_SHARED"] ?? "../shared")

/** A path inside the folder of recorded data and peers. */
export const sharedPath = (relative: string): string => resolve(shared, relative)

/** What to print when the folder is not there; undefined when it is. */
export const sharedMissing: string | undefined = existsSync(resolve(shared, "data/m3db"))
  ? undefined
  : `recorded data not found at ${shared}: set PEERSTRAP_SHARED to the folder that holds data/ and peers/`
