/** Seeded random numbers as the simulator's `Random` gives them: only what a world needs, so that this folder depends on nothing. */
export interface WorldRandom {
  /** In [0, 1). */
  float(): number
  /** Both ends included. */
  int(min: number, max: number): number
  chance(probability: number): boolean
  pick<A>(items: ReadonlyArray<A>): A
  shuffle<A>(items: ReadonlyArray<A>): Array<A>
  /** Another generator that does not depend on what was drawn from this one. */
  fork(label: string | number): WorldRandom
}
