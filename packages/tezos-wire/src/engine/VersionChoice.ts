/** The version of a protocol that two nodes speak, from what one announces and the other supports. */

/**
 * Own greatest when the remote is at least as new; else the remote's, when we support it; else undefined, and we refuse.
 * Source: specs: p2p 1.3; octez `src/lib_p2p/p2p_connect_handler.ml`.
 */
export const chooseVersion = (supported: ReadonlyArray<number>, announced: number): number | undefined => {
  const greatest = greatestVersion(supported)
  if (greatest <= announced) return greatest
  return supported.includes(announced) ? announced : undefined
}

/** What a node announces. */
export const greatestVersion = (supported: ReadonlyArray<number>): number => Math.max(...supported)
