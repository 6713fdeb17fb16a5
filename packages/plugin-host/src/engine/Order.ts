/** Orders nodes so that providers come first, or finds a cycle. */

export type Ordered = { readonly order: ReadonlyArray<number> } | { readonly cycle: ReadonlyArray<number> }

/** `dependencies[i]`: what node i needs. Stable: of nodes that are free at the same time the first one listed comes first. */
export const orderNodes = (dependencies: ReadonlyArray<ReadonlyArray<number>>): Ordered => {
  const order: Array<number> = []
  const placed = dependencies.map(() => false)
  while (order.length < dependencies.length) {
    const next = dependencies.findIndex((needs, node) => !placed[node] && needs.every((need) => placed[need]))
    if (next < 0) return { cycle: findCycle(dependencies, placed) }
    placed[next] = true
    order.push(next)
  }
  return { order }
}

/** Every node that is left needs one that is left: walking on must come back. The first node is repeated at the end. */
const findCycle = (
  dependencies: ReadonlyArray<ReadonlyArray<number>>,
  placed: ReadonlyArray<boolean>
): ReadonlyArray<number> => {
  const path: Array<number> = []
  let node = placed.indexOf(false)
  while (!path.includes(node)) {
    path.push(node)
    node = dependencies[node]!.find((need) => !placed[need])!
  }
  return [...path.slice(path.indexOf(node)), node]
}
