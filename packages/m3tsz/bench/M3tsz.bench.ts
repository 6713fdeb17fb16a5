// Points a second on one core: decoding into a reused buffer, encoding, merging three copies, digesting. Median of rounds.
// node --conditions=@peerstrap/source packages/m3tsz/bench/M3tsz.bench.ts
import {
  adler32,
  BlockCursor,
  checkBlock,
  DatapointsBuffer,
  decodeBlock,
  decodeInto,
  digestPoints,
  encodeBlock,
  mostReplicas
} from "@peerstrap/m3tsz"
import { generateDatapoints, type Shape } from "@peerstrap/m3tsz/testing"

const blockStart = 1_600_000_000_000_000_000n / 7_200_000_000_000n * 7_200_000_000_000n
const bounds = { blockStart, blockSize: 7_200_000_000_000n, maxPoints: 10_000 }
const pointsPerBlock = 720
const blocks = 64
const rounds = 9
const roundMillis = 120

/** Millions of items a second, median over the rounds. */
const rate = (items: number, work: () => void): string => {
  for (let i = 0; i < 20; i++) work()
  const rates: Array<number> = []
  for (let round = 0; round < rounds; round++) {
    const from = performance.now()
    let times = 0
    while (performance.now() - from < roundMillis) {
      work()
      times++
    }
    rates.push((items * times) / (performance.now() - from) / 1000)
  }
  rates.sort((a, b) => a - b)
  return rates[rounds >> 1]!.toFixed(1).padStart(8)
}

const cursor = new BlockCursor()
const buffer = new DatapointsBuffer()
console.log(
  "M points/s           bits/pt  decodeInto  decodeBlock  checkBlock  encode  merge of 3  sha256   adler MB/s"
)
for (const shape of ["int", "float", "decimal", "counter", "constant", "mixed"] as ReadonlyArray<Shape>) {
  for (const jitter of [false, true]) {
    const unit = jitter ? 2 : 1
    const all = Array.from(
      { length: blocks },
      (_, seed) => generateDatapoints({ seed, ...bounds, points: pointsPerBlock, shape, unit, jitter })
    )
    const streams = all.map((points) => {
      const encoded = encodeBlock(points, blockStart)
      if ("_tag" in encoded) throw new Error(encoded.message)
      return [encoded.bytes.subarray(0, encoded.headLength), encoded.bytes.subarray(encoded.headLength)]
    })
    const bytes = streams.reduce((sum, pieces) => sum + pieces[0]!.length + pieces[1]!.length, 0)
    const items = blocks * pointsPerBlock
    const columns = [
      ((bytes * 8) / items).toFixed(1).padStart(8),
      rate(items, () => streams.forEach((pieces) => decodeInto(cursor, buffer, pieces, bounds))),
      rate(items, () => streams.forEach((pieces) => decodeBlock(pieces, bounds))),
      rate(items, () => streams.forEach((pieces) => checkBlock(pieces, bounds))),
      rate(items, () => all.forEach((points) => encodeBlock(points, blockStart))),
      rate(
        items,
        () =>
          all.forEach((points) =>
            mostReplicas.merge([{ peer: "a", points }, { peer: "b", points }, { peer: "c", points: all[0]! }])
          )
      ),
      rate(items, () => all.forEach(digestPoints)),
      rate(bytes, () => streams.forEach((pieces) => adler32(pieces[0]!)))
    ]
    console.log(`${`${shape}${jitter ? " ms jitter" : " s"}`.padEnd(18)} ${columns.join("  ")}`)
  }
}
