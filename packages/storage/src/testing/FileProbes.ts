/** Small steps of the checks: text in and out of files, failures with their reason. */
import { type CheckFailed, expectFailure, expectSame } from "@peerstrap/conformance"
import * as Effect from "effect/Effect"
import { type FileError, type FileErrorReason, FileSystem } from "../contract/FileSystem.ts"

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

export const expectReason = <A>(
  effect: Effect.Effect<A, FileError>,
  reason: FileErrorReason
): Effect.Effect<void, CheckFailed> =>
  Effect.flatMap(
    expectFailure(`an operation that must fail with "${reason}"`, effect),
    (error) => expectSame(`reason of "${error.message}"`, error.reason, reason)
  )

export const writeText = Effect.fnUntraced(
  function*(path: string, text: string, options?: { readonly sync?: boolean }) {
    const files = yield* FileSystem
    const file = yield* files.create(path)
    yield* file.append([bytesOf(text)])
    if (options?.sync === true) yield* file.sync
    yield* file.close
  }
)

export const readText = Effect.fnUntraced(function*(path: string) {
  return textOf(yield* (yield* FileSystem).readFile(path, 1_000_000))
})
