/** The published vectors of M3DB's file formats (specs: storage, Appendix A), as hex. */
export const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"))
export const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")
export const ascii = (text: string): Uint8Array => new TextEncoder().encode(text)

export const blockStart = BigInt("1609459200000000000")
export const blockSize = BigInt("7200000000000")

/** In write order. */
export const series = [
  { id: ascii("foo"), tags: hex("75270200040063697479020073660400686f737402006831"), bytes: hex("010203") },
  { id: ascii("bar"), tags: hex(""), bytes: hex("04050607") },
  { id: ascii("baz"), tags: hex("75270100010061010062"), bytes: hex("0809") }
]

export const entryBar = "0192059701c4036261720403ce00360017c0ce2ff6050f"
export const entryBaz = "0192059702c40362617a0207ce001b0012c40a75270100010061010062ce6f26066a"
export const entryFoo =
  "0192059700c403666f6f0300ce000d0007c41875270200040063697479020073660400686f737402006831ceedd10a8f"

export const files = {
  info: "0192029bcf1655f29d787c0000cf0000068c61714000030191019219060000c00001",
  index: entryBar + entryBaz + entryFoo,
  summaries: "0192069301c40362617200",
  bloomfilter: "749d580000000000",
  data: "010203040506070809",
  digest: "69095fc3051d91e42a03d5126a01030a2e00ae00",
  checkpoint: "9405d542"
}

export const emptyFiles = {
  info: "0192029bcf1655f29d787c0000cf0000068c61714000000191009209060000c00001",
  index: "",
  summaries: "",
  bloomfilter: "0000000000000000",
  data: "",
  digest: "5509c2c201000000010000000100080001000000",
  checkpoint: "ef014122"
}
