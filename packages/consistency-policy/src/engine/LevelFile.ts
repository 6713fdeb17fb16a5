/**
 * What to do about a level file after looking at it. Each look is compared with the last one, so that a poll which finds the
 * same file again neither repeats a warning nor takes back what somebody else has set since.
 *
 *   look      same as last   a level        absent        empty, on an event   anything else
 *   action    nothing        set            withdraw      nothing (being       warn, keep the level
 *                                           (unless new)  written just now)
 */
import type { Level } from "../contract/Level.ts"
import { parseLevel } from "./ParseLevel.ts"

/** What was found. `stamp` tells two writes of the same word apart (inode and time of the last write). */
export type LevelFileLook =
  | { readonly found: "text"; readonly text: string; readonly stamp: string }
  | { readonly found: "absent" }
  | { readonly found: "unreadable"; readonly reason: string }

/** What a look at the file leads to. */
export type LevelFileAction =
  | { readonly act: "nothing" }
  | { readonly act: "set"; readonly level: Level }
  | { readonly act: "withdraw" }
  | { readonly act: "warn"; readonly message: string }

const nothing: LevelFileAction = { act: "nothing" }

const key = (look: LevelFileLook): string =>
  look.found === "text" ? `text ${look.stamp} ${look.text}` : look.found === "absent" ? "absent" : `bad ${look.reason}`

/** Follows one file; plain state, no I/O. */
export class LevelFile {
  private lastKey = "absent"

  /** `settled` is false right after an event, when a writer may be between emptying and writing. */
  step(look: LevelFileLook, settled: boolean): LevelFileAction {
    if (look.found === "text" && look.text.trim() === "" && !settled) return nothing
    const now = key(look)
    if (now === this.lastKey) return nothing
    this.lastKey = now
    if (look.found === "absent") return { act: "withdraw" }
    if (look.found === "unreadable") return { act: "warn", message: look.reason }
    const level = parseLevel(look.text)
    return typeof level === "string" ? { act: "set", level } : { act: "warn", message: level.message }
  }
}
