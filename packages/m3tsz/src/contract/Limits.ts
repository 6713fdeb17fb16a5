/** Every bound of this package, with its reason. */
export const m3tszLimits = {
  /** Bytes of one stream: a 2 h block of 100 ms floats is about 0.6 MB; 16 MiB keeps bit positions small integers. */
  maxStreamBytes: 16 << 20,
  /** Bytes of working memory that the shared decoder keeps between calls; more is given back. */
  maxKeptBytes: 1 << 20,
  /** Points that a fresh buffer has room for; it doubles from there up to `maxPoints` of the call. */
  initialPoints: 1024
} as const
