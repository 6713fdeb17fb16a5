/** The conformance kit of `Journal`. */
import { type Kit, suiteOf } from "@peerstrap/conformance"
import { journalChecks } from "./JournalChecks.ts"
import { journalLockChecks } from "./JournalLockChecks.ts"
import { journalMutants } from "./JournalMutants.ts"
import type { JournalCapability, JournalPlace } from "./JournalPlace.ts"
import { journalPowerChecks } from "./JournalPowerChecks.ts"

/** The kit of journals. */
export const journalKit: Kit<JournalPlace, JournalCapability> = {
  contract: "Journal",
  capabilities: {
    "power-cut": "the place can take what was not synced, but for some bytes",
    syncs: "the place can count and hold syncs",
    "open-files": "the place can count open files",
    "one-at-a-time": "two openings have the same bytes before them, and the second is refused"
  },
  checks: [...journalChecks, ...journalPowerChecks, ...journalLockChecks],
  mutants: journalMutants
}

/** `journalSuite("Memory", memoryJournalPlace(), { capabilities: { "power-cut": true, syncs: true, "open-files": true, "one-at-a-time": true }, test: it })`. */
export const journalSuite = suiteOf(journalKit)
