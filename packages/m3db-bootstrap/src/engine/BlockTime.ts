/**
 * Block starts and the two ranges of a namespace. M3 truncates relative to 0001-01-01T00:00:00Z, not to the Unix epoch: for block
 * sizes that do not divide 24 h an epoch modulo gives other file names. (specs: storage 1.4, 1.5; M3: src/x/time/unix_nano.go)
 */

const nanosPerSecond = BigInt(1_000_000_000)

/** Seconds from 0001-01-01T00:00:00Z to 1970-01-01T00:00:00Z. */
const secondsBeforeEpoch = BigInt(62_135_596_800)

const zero = BigInt(0)
const one = BigInt(1)

/** Largest multiple of `size` (ns, counted from year 1) that is ≤ `time` (ns since the Unix epoch). */
export const truncate = (time: bigint, size: bigint): bigint => {
  if (size <= one) return time
  const remainder = (time + secondsBeforeEpoch * nanosPerSecond) % size
  return time - (remainder < zero ? remainder + size : remainder)
}

/** A half-open range in ns. */
export interface TimeRange {
  readonly from: bigint
  readonly to: bigint
}

/** The range widened to block bounds (T1). */
export const widenToBlocks = (range: TimeRange, blockSize: bigint): TimeRange => {
  const from = truncate(range.from, blockSize)
  const last = truncate(range.to, blockSize)
  return { from, to: last === range.to ? last : last + blockSize }
}

/** Starts of the blocks of an aligned range, ascending. */
export const blockStarts = (range: TimeRange, blockSize: bigint): Array<bigint> => {
  const starts: Array<bigint> = []
  for (let start = range.from; start < range.to; start += blockSize) starts.push(start)
  return starts
}

/** A namespace's times, ns. */
export interface RetentionOptions {
  readonly retention: bigint
  readonly blockSize: bigint
  readonly bufferPast: bigint
}

/** End (exclusive) of the immutable range at `now`: trunc(now − blockSize − bufferPast) + blockSize. */
export const immutableEnd = (now: bigint, options: Omit<RetentionOptions, "retention">): bigint =>
  truncate(now - options.blockSize - options.bufferPast, options.blockSize) + options.blockSize

/** Start of the oldest block that is still in retention at `now`. */
export const retentionStart = (now: bigint, options: Omit<RetentionOptions, "bufferPast">): bigint =>
  truncate(now - options.retention, options.blockSize)

/** High and low signed 32-bit halves of an int64, the form that inner loops compare. */
export const highHalf = (value: bigint): number => Number(BigInt.asIntN(32, value >> BigInt(32)))
/** The low 32 bits of an int64, signed. */
export const lowHalf = (value: bigint): number => Number(BigInt.asIntN(32, value))
