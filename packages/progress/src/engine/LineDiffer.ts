/**
 * Repaints a block of lines at the bottom of a terminal with as few bytes as possible: only lines that changed are written. Lines must fit
 * the terminal's width, or the count of lines would be wrong.
 */
const csi = "\u001b["

/** The terminal's sequence that hides the cursor. */
export const hideCursor = `${csi}?25l`
/** The terminal's sequence that shows the cursor. */
export const showCursor = `${csi}?25h`

/** Remembers the lines shown, and gives the bytes that turn them into others. */
export class LineDiffer {
  private shown: ReadonlyArray<string> = []

  /** The bytes that turn what is shown into `lines`; empty when nothing changed. The cursor rests below the block. */
  paint(lines: ReadonlyArray<string>): string {
    const before = this.shown
    if (lines.length === before.length && lines.every((line, at) => line === before[at])) return ""
    this.shown = lines.slice()
    let out = before.length === 0 ? "" : `${csi}${before.length}A`
    for (const [at, line] of lines.entries()) {
      out += at < before.length ? (line === before[at] ? "\n" : `${csi}2K${line}\n`) : `${line}\n`
    }
    return lines.length < before.length ? `${out}${csi}J` : out
  }

  /** Forgets the block, which stays where it is: the next one starts below. */
  release(): void {
    this.shown = []
  }

  /** The bytes that remove the block, for text that is to appear above it. */
  clear(): string {
    const rows = this.shown.length
    this.shown = []
    return rows === 0 ? "" : `${csi}${rows}A${csi}J`
  }
}
