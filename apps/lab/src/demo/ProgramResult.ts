/** What demonstrations read of the programs that they run: documents and exit codes. Pure. */
import { ExitCode } from "@peerstrap/command-line"
import * as Schema from "effect/Schema"
import type { ProcessEnd } from "../processes/SiblingProcess.ts"

/** A document of that shape; undefined when a text is none. */
export const parsed = <S extends Schema.ConstraintDecoder<unknown>>(
  schema: S,
  stdout: string
): S["Type"] | undefined => {
  const found = Schema.decodeOption(Schema.fromJsonString(schema))(stdout)
  return found._tag === "Some" ? found.value : undefined
}

const knownCodes: ReadonlyArray<number> = Object.values(ExitCode)

/** A program that a signal ended has not done its work: a defect, unless we were stopped, too. */
export const codeOfProcess = ({ exitCode }: ProcessEnd): ExitCode =>
  exitCode !== undefined && knownCodes.includes(exitCode) ? exitCode as ExitCode : ExitCode.defect
