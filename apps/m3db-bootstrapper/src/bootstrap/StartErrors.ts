/** What stands in a run's way before it has anything to report on, as the end of the command. */
import { CommandError, ExitCode, type StopSignal } from "@peerstrap/command-line"
import { SinkError } from "@peerstrap/m3db-bootstrap"
import type { CompositionError, PluginFatalError, PluginStartError } from "@peerstrap/plugin-host"
import { FileError } from "@peerstrap/storage"

const diskRemedies: Partial<Record<FileError["reason"], string>> = {
  "permission": "run as the owner of the directory, or write elsewhere with --out",
  "read-only": "the file system is mounted read-only: write elsewhere with --out",
  "no-space": "free space, or write elsewhere with --out",
  "not-a-directory": "a part of the path is a file: write elsewhere with --out",
  "already-exists": "move away what is there, or write elsewhere with --out"
}

export const diskError = (error: FileError): CommandError =>
  new CommandError({
    exitCode: ExitCode.local,
    message: error.message,
    remedy: diskRemedies[error.reason] ?? "look at the system's log for this device, or write elsewhere with --out"
  })

export const stoppedEarly = (signal: StopSignal): CommandError =>
  new CommandError({
    exitCode: signal === "SIGINT" ? ExitCode.interrupted : ExitCode.terminated,
    message: `stopped by ${signal} before anything was written`,
    remedy: ""
  })

/** A plugin that did not come up ends the run as what stopped it would have done without a host. */
export const partError = (error: CompositionError | PluginStartError): CommandError => {
  if (error._tag === "CompositionError") {
    return new CommandError({ exitCode: ExitCode.usage, message: error.message, remedy: "" })
  }
  const { cause, message, plugin } = error
  if (cause instanceof CommandError) return cause
  if (cause instanceof FileError) return diskError(cause)
  const remedy = cause instanceof SinkError ? cause.remedy : `see what ${plugin} needs: plugins explain ${plugin}`
  return new CommandError({ exitCode: ExitCode.local, message, remedy })
}

export const fatalPlugin = ({ message, plugin }: PluginFatalError) => ({
  message: `${plugin} gave up: ${message}`,
  remedy: `mend what ${plugin} names; blocks that are committed stay`
})
