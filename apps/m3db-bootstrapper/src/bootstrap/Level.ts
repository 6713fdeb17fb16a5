/** Where the consistency level of a run comes from: its flag, or a file that is watched. */
import { SettableLevel, WatchedFileLevel } from "@peerstrap/consistency-policy"
import type { BootstrapSettings } from "./BootstrapFlags.ts"

export const levelLayer = ({ level, levelFile }: Pick<BootstrapSettings, "level" | "levelFile">) =>
  levelFile === undefined
    ? SettableLevel.layer(level, "--level")
    : WatchedFileLevel.layer({ path: levelFile, otherwise: level, otherwiseOrigin: "--level" })
