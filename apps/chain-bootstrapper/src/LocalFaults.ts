/** Faults of this machine as the ends of commands: what failed, what to do, exit code. */
import { CommandError, ExitCode } from "@peerstrap/command-line"
import type { FileError } from "@peerstrap/storage"

const remedies: Partial<Record<FileError["reason"], string>> = {
  "permission": "run as the owner of the path, or choose another one",
  "read-only": "the file system is mounted read-only: choose another path",
  "no-space": "free space, then run the same command again: what is stored stays valid",
  "not-a-directory": "a part of the path is a file: choose another path",
  "already-exists": "choose another path, or move away what is there"
}

export const fileFault = (error: FileError): CommandError =>
  new CommandError({
    exitCode: ExitCode.local,
    message: error.message.includes(error.path) ? error.message : `${error.path}: ${error.message}`,
    remedy: remedies[error.reason] ?? "look at the system's log for this device, or choose another path"
  })
