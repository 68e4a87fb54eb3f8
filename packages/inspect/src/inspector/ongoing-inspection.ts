import type { Inspection } from '../rule/match.ts'

/** An inspection that can be done in slices. */
export interface OngoingInspection {
  /**
   * Goes on for about so long.
   * @param milliseconds of one slice
   * @param now milliseconds of a clock that never goes back
   * @returns whether it is done
   */
  advance(milliseconds: number, now: () => number): boolean
  /** Goes on to the end, however long it takes, and says what was found. */
  finish(): Inspection
  /**
   * Whether anything that was read could act in a statement, a command or a path, whatever the rules say of
   * it. To be asked when the inspection is done.
   */
  readonly mayAct: boolean
  /** Work done so far, in units of one rule over one character. */
  readonly spent: number
}
