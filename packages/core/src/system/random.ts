import { randomFillSync } from 'node:crypto'

/** Randomness, passed in so that tests are repeatable. */
export interface RandomSource {
  /** `count` fresh bytes. */
  bytes(count: number): Uint8Array
}

/** The operating system's generator. */
export const systemRandom: RandomSource = {
  bytes: count => randomFillSync(new Uint8Array(count)),
}
