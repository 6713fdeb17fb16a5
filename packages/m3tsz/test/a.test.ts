import { it, assert } from "@effect/vitest"
import * as fc from "fast-check"
import { adler32 } from "@peerstrap/m3tsz"
import { sharedPath, sharedMissing } from "../../../tools/shared.ts"
it("x", () => { assert.strictEqual(adler32(new TextEncoder().encode("Wikipedia")), 0x11e60398); assert.isString(sharedPath("a")); fc.assert(fc.property(fc.nat(), (n) => n >= 0)); assert.isUndefined(sharedMissing) })
