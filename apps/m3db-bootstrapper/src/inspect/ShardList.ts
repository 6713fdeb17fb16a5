/** The kind of value that `--shards` takes in every command. */
import { type FlagType, Type } from "@peerstrap/command-line"

/** `0-7,12`. A single number is an integer in YAML; checked against the number of shards when that is known. */
export const shardList: FlagType<string> = {
  ...Type.text("LIST", "shards and ranges such as 0-7,12", "0-7,12", (given) => /^[\d\s,-]+$/.test(given)),
  yaml: ["text", "integer"]
}
