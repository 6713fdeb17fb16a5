/** Orders nodes so that providers come first, or finds the cycles. */

export type Ordered =
  | { readonly order: ReadonlyArray<number> }
  | { readonly cycles: ReadonlyArray<ReadonlyArray<number>> }

/**
 * `dependencies[i]`: what node i needs. Stable: of nodes that are free at the same time the first one listed comes first. Cycles that share
 * no node are all found.
 */
export const orderNodes = (dependencies: ReadonlyArray<ReadonlyArray<number>>): Ordered => {
  const order: Array<number> = []
  const cycles: Array<ReadonlyArray<number>> = []
  const placed = dependencies.map(() => false)
  for (let left = dependencies.length; left > 0;) {
    const next = dependencies.findIndex((needs, node) => !placed[node] && needs.every((need) => placed[need]))
    const found = next < 0 ? findCycle(dependencies, placed) : [next]
    if (next < 0) cycles.push(found)
    else order.push(next)
    for (const node of new Set(found)) {
      placed[node] = true
      left--
    }
  }
  return cycles.length === 0 ? { order } : { cycles }
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
