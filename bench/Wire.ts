/**
 * The encrypted wire beside its cryptography alone: whole handshakes, frames of 64 KiB, and frames as small as a header.
 * Usage: npm run bench -- Wire [--pairs 12] [--mib 256] [--bytes 65536,257] [--json]
 */
import { machine } from "./method/Machine.ts"
import { benchOptions, progress } from "./method/Options.ts"
import { compare, runRounds } from "./method/Pairs.ts"
import { print, type Result } from "./method/Report.ts"
import { runSide } from "./method/Side.ts"

const handshakes = 2_000
const smallFrames = 100_000
const headerBytes = 257
const options = benchOptions({ blockBytes: [65_536, headerBytes] })
const measuredOn = machine()
const results: Array<Result> = []

const pair = async (
  what: string,
  ours: readonly [name: string, file: string],
  rival: readonly [name: string, file: string],
  args: ReadonlyArray<number>
): Promise<void> => {
  const side = (file: string) => () => runSide(new URL(`session/${file}`, import.meta.url), args.map(String))
  const [a, b] = await runRounds(
    [ours, rival].map(([name, file]) => ({ name, run: side(file) })),
    options.pairs,
    (round) => progress(`${what}: round ${round + 1} of ${options.pairs}`)
  )
  results.push({ row: "wire", what, comparison: compare({ name: ours[0], runs: a! }, { name: rival[0], runs: b! }) })
}

await pair(
  `${handshakes} handshakes, both ends in one process`,
  ["handshakes", "Handshakes.ts"],
  ["2 × (agreement + 2 × 2 boxes)", "HandshakeCrypto.ts"],
  [handshakes]
)
for (const bytes of options.blockBytes) {
  const count = Math.max(1, Math.min(smallFrames, Math.floor(options.mebibytes * 2 ** 20 / bytes)))
  await pair(
    `${count} frames of ${bytes} bytes, sealed and opened`,
    ["session", "Frames.ts"],
    ["sodium-native alone", "BoxesAlone.ts"],
    [bytes, count]
  )
}

print(measuredOn, results, options.json)
