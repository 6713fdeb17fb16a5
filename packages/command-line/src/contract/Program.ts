/** What a whole program is: its name and its commands. */
import type { Command } from "./Command.ts"

/** A program with its commands. */
export interface Program {
  /** As people type it, e.g. `peerstrap-m3db`. */
  readonly name: string
  /** What it is for, in one sentence without a full stop. */
  readonly summary: string
  /** Printed by `--version`. */
  readonly version: string
  readonly commands: ReadonlyArray<Command>
}
