/** The conformance kit of `KeyValue`. */
import { type Kit, suiteOf } from "@peerstrap/conformance"
import { keyValueChecks } from "./KeyValueChecks.ts"
import { keyValueLawChecks } from "./KeyValueLawChecks.ts"
import { keyValueMutants } from "./KeyValueMutants.ts"
import type { KeyValueCapability, KeyValuePlace } from "./KeyValuePlace.ts"

/** The kit of key-value stores. */
export const keyValueKit: Kit<KeyValuePlace, KeyValueCapability> = {
  contract: "KeyValue",
  capabilities: {
    durable: "what was written is there at the next opening",
    "power-cut": "the place can take what was not synced, but for some bytes",
    "open-files": "the place can count open files"
  },
  checks: [...keyValueChecks, ...keyValueLawChecks],
  mutants: keyValueMutants
}

/** `keyValueSuite("Mine", Layer.succeed(KeyValuePlace, keyValuePlace(open)), { capabilities: { durable: true, "power-cut": false, "open-files": false }, test: it })`. */
export const keyValueSuite = suiteOf(keyValueKit)
