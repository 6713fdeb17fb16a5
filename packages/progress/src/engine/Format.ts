/** Numbers as people read them. All functions are total: what is not a number reads `unknown`. */
const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const

/** Three digits at most, so that columns stay narrow: `0 B`, `1.5 KiB`, `4.0 MiB`, `512 MiB`. */
export const formatBytes = (bytes: number): string => {
  if (!Number.isFinite(bytes)) return "unknown"
  if (bytes < 0) return `-${formatBytes(-bytes)}`
  let value = bytes
  let unit = 0
  // 1023.5 would be printed as 1024.
  while (value >= 1023.5 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1
  return `${value.toFixed(digits)} ${units[unit]}`
}

/** e.g. `1.5 MiB/s`. */
export const formatRate = (bytesPerSecond: number): string => `${formatBytes(bytesPerSecond)}/s`

const twoDigits = (value: number): string => String(value).padStart(2, "0")

/** `12 ms`, `3.4 s`, `2 min 05 s`, `3 h 04 min`, `2 d 03 h`. Truncates, so that a countdown never shows more than is left. */
export const formatDuration = (millis: number): string => {
  if (!Number.isFinite(millis)) return "unknown"
  if (millis < 0) return `-${formatDuration(-millis)}`
  if (millis < 1000) return `${Math.floor(millis)} ms`
  const seconds = Math.floor(millis / 1000)
  if (seconds < 60) return `${(Math.floor(millis / 100) / 10).toFixed(1)} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${twoDigits(seconds % 60)} s`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return `${hours} h ${twoDigits(minutes % 60)} min`
  return `${Math.floor(hours / 24)} d ${twoDigits(hours % 24)} h`
}

/** e.g. `42.0 %`; truncates, so that 100 % means all of it. `–` when there is no total. */
export const formatPercent = (done: number, total: number): string => {
  if (!(total > 0) || !Number.isFinite(done)) return "–"
  const permille = done >= total ? 1000 : Math.min(999, Math.max(0, Math.floor((done / total) * 1000)))
  return `${(permille / 10).toFixed(1)} %`
}

/** e.g. `12,642`. */
export const formatCount = (count: number): string =>
  Number.isFinite(count) ? String(Math.trunc(count)).replace(/\B(?=(\d{3})+$)/g, ",") : "unknown"

/** Days since 1970-01-01 as a proleptic Gregorian date. */
const civil = (days: number): string => {
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  return `${String(year).padStart(4, "0")}-${twoDigits(month)}-${twoDigits(day)}`
}

const nanosPerSecond = BigInt(1_000_000_000)
const secondsPerDay = 86_400

/** Nanoseconds since 1970 (int64) as RFC 3339 in UTC, with as many digits as it takes: `2026-11-21T10:00:00Z`, `…00.5Z`. */
export const formatNanos = (nanos: bigint): string => {
  let fraction = nanos % nanosPerSecond
  if (fraction < 0) fraction += nanosPerSecond
  const seconds = Number((nanos - fraction) / nanosPerSecond)
  const days = Math.floor(seconds / secondsPerDay)
  const ofDay = seconds - days * secondsPerDay
  const time = [Math.floor(ofDay / 3600), Math.floor(ofDay / 60) % 60, ofDay % 60].map(twoDigits).join(":")
  const digits = String(fraction).padStart(9, "0").replace(/0+$/, "")
  return `${civil(days)}T${time}${digits === "" ? "" : `.${digits}`}Z`
}

/** Milliseconds since 1970 as RFC 3339 in UTC. */
export const formatMillis = (millis: number): string =>
  Number.isFinite(millis) ? formatNanos(BigInt(Math.floor(millis)) * BigInt(1_000_000)) : "unknown"
