/**
 * The linked run of chosen blocks of which those above the head are pending, as far as it can be decided without its ids: which rows a segment, an
 * applied step or a rollback deletes. The rows themselves are in the index.
 */

/** Levels `first … first + count − 1`; the first block builds on `parent`. */
export interface ChosenRun {
  readonly first: number
  readonly count: number
  /** Lower-case hex. */
  readonly parent: string
}

export const emptyRun: ChosenRun = { first: 0, count: 0, parent: "" }

/** Id in the run at a level, the parent included. */
export const chosenAt = (
  run: ChosenRun,
  level: number,
  row: (level: number) => string | undefined
): string | undefined => {
  if (run.count === 0) return undefined
  if (level === run.first - 1) return run.parent
  return level >= run.first && level < run.first + run.count ? row(level) : undefined
}

/** The run after a segment, and from which level old rows go: those from `deleteFrom` on. */
export const withSegment = (
  run: ChosenRun,
  segment: ChosenRun,
  row: (level: number) => string | undefined
): { readonly run: ChosenRun; readonly deleteFrom: number } =>
  segment.first > run.first && chosenAt(run, segment.first - 1, row) === segment.parent
    ? { run: { ...run, count: segment.first - run.first + segment.count }, deleteFrom: segment.first }
    : { run: segment, deleteFrom: 0 }

/** The run after a rollback that undid `undone` at level `above`. */
export const withRollback = (
  run: ChosenRun,
  above: number,
  undone: string | undefined,
  row: (level: number) => string | undefined
): ChosenRun => {
  if (run.first > above) return emptyRun
  if (undone === undefined || chosenAt(run, above, row) !== undone) return run
  return run.first === above ? emptyRun : { ...run, count: above - run.first }
}

/** What of the run is pending above a head: its first level, or undefined. */
export const pendingFrom = (
  run: ChosenRun,
  head: { readonly id: string; readonly level: number },
  row: (level: number) => string | undefined
): number | undefined => {
  if (chosenAt(run, head.level, row) !== head.id) return undefined
  return head.level + 1 < run.first + run.count ? head.level + 1 : undefined
}
