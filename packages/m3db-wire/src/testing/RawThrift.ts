/**
 * Thrift structs as plain trees, written apart from the codec: the kit would not notice a mistake that it shares with what it
 * checks. For small messages of our own making.
 */

export type ThriftTree =
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "i32"; readonly value: number }
  | { readonly type: "i64"; readonly value: bigint }
  | { readonly type: "binary"; readonly value: Uint8Array }
  | { readonly type: "list"; readonly of: number; readonly values: ReadonlyArray<ThriftTree> }
  | { readonly type: "struct"; readonly fields: ReadonlyMap<number, ThriftTree> }

export const bool = (value: boolean): ThriftTree => ({ type: "bool", value })
export const i32 = (value: number): ThriftTree => ({ type: "i32", value })
export const i64 = (value: bigint): ThriftTree => ({ type: "i64", value })
export const binary = (value: Uint8Array): ThriftTree => ({ type: "binary", value })
export const listOf = (of: ThriftTree["type"], values: ReadonlyArray<ThriftTree>): ThriftTree => ({
  type: "list",
  of: typeIds[of],
  values
})

/** Fields that are undefined are left out. */
export const struct = (fields: Readonly<Record<number, ThriftTree | undefined>>): ThriftTree => ({
  type: "struct",
  fields: new Map(
    Object.entries(fields).flatMap(([id, value]) => value === undefined ? [] : [[Number(id), value] as const])
  )
})

const typeIds = { bool: 2, i32: 8, i64: 10, binary: 11, struct: 12, list: 15 } as const
const typeNames = new Map<number, ThriftTree["type"]>([
  [2, "bool"],
  [8, "i32"],
  [10, "i64"],
  [11, "binary"],
  [12, "struct"],
  [15, "list"]
])

/** Up to 32 bits, big-endian. */
const pushInt = (out: Array<number>, value: number, size: number): void => {
  for (let shift = 8 * (size - 1); shift >= 0; shift -= 8) out.push(value >>> shift & 255)
}

const write = (out: Array<number>, tree: ThriftTree): void => {
  switch (tree.type) {
    case "bool":
      out.push(tree.value ? 1 : 0)
      return
    case "i32":
      pushInt(out, tree.value, 4)
      return
    case "i64":
      pushInt(out, Number(tree.value >> 32n), 4)
      pushInt(out, Number(tree.value & 0xffff_ffffn), 4)
      return
    case "binary":
      pushInt(out, tree.value.length, 4)
      for (const byte of tree.value) out.push(byte)
      return
    case "list":
      out.push(tree.of)
      pushInt(out, tree.values.length, 4)
      for (const value of tree.values) write(out, value)
      return
    case "struct":
      for (const [id, value] of tree.fields) {
        out.push(typeIds[value.type])
        pushInt(out, id, 2)
        write(out, value)
      }
      out.push(0)
  }
}

export const writeTree = (tree: ThriftTree): Uint8Array => {
  const out: Array<number> = []
  write(out, tree)
  return Uint8Array.from(out)
}

class TreeReader {
  private readonly view: DataView
  private readonly bytes: Uint8Array
  position = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  private take(count: number): number {
    const at = this.position
    if (count < 0 || at + count > this.bytes.length) throw new RangeError(`${count} bytes wanted at ${at}`)
    this.position = at + count
    return at
  }

  read(type: number, depth: number): ThriftTree {
    if (depth > 16) throw new RangeError("nested deeper than 16 levels")
    switch (typeNames.get(type)) {
      case "bool":
        return bool(this.bytes[this.take(1)] === 1)
      case "i32":
        return i32(this.view.getInt32(this.take(4)))
      case "i64":
        return i64(this.view.getBigInt64(this.take(8)))
      case "binary": {
        const length = this.view.getInt32(this.take(4))
        const at = this.take(length)
        return binary(this.bytes.subarray(at, at + length))
      }
      case "list":
        return this.list(depth)
      case "struct":
        return this.struct(depth)
      case undefined:
        throw new RangeError(`type ${type} at ${this.position}`)
    }
  }

  private list(depth: number): ThriftTree {
    const of = this.bytes[this.take(1)]!
    const count = this.view.getInt32(this.take(4))
    if (count < 0 || count > this.bytes.length - this.position) {
      throw new RangeError(`list of ${count} at ${this.position}`)
    }
    return { type: "list", of, values: Array.from({ length: count }, () => this.read(of, depth + 1)) }
  }

  private struct(depth: number): ThriftTree {
    const fields = new Map<number, ThriftTree>()
    for (;;) {
      const type = this.bytes[this.take(1)]!
      if (type === 0) return { type: "struct", fields }
      fields.set(this.view.getInt16(this.take(2)), this.read(type, depth + 1))
    }
  }
}

/** One struct that fills the bytes exactly. Throws a `RangeError` on anything else. */
export const readTree = (bytes: Uint8Array): ThriftTree => {
  const reader = new TreeReader(bytes)
  const tree = reader.read(typeIds.struct, 0)
  if (reader.position !== bytes.length) throw new RangeError(`${bytes.length - reader.position} bytes after the struct`)
  return tree
}

export const fieldOf = (tree: ThriftTree | undefined, id: number): ThriftTree | undefined =>
  tree?.type === "struct" ? tree.fields.get(id) : undefined

export const int64At = (tree: ThriftTree | undefined, id: number): bigint | undefined => {
  const field = fieldOf(tree, id)
  return field?.type === "i64" ? field.value : undefined
}

export const int32At = (tree: ThriftTree | undefined, id: number): number | undefined => {
  const field = fieldOf(tree, id)
  return field?.type === "i32" ? field.value : undefined
}

export const bytesAt = (tree: ThriftTree | undefined, id: number): Uint8Array | undefined => {
  const field = fieldOf(tree, id)
  return field?.type === "binary" ? field.value : undefined
}

export const listAt = (tree: ThriftTree | undefined, id: number): ReadonlyArray<ThriftTree> | undefined => {
  const field = fieldOf(tree, id)
  return field?.type === "list" ? field.values : undefined
}
