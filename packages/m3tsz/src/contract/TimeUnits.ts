/** M3's time unit ids in nanoseconds. Index is the id; 0 (none) and 5–8 (minute, hour, day, year) carry no deltas. */
export const unitNanos: ReadonlyArray<number> = [0, 1e9, 1e6, 1e3, 1, 0, 0, 0, 0]

/** The last id that M3 knows; greater ones appear in damaged streams only. */
export const lastUnit = 8
