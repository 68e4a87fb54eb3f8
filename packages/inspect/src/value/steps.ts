/** Work that yields when whoever drives it wants to pause, and goes on from there when it is asked to. */
export type Steps<Result = void> = Generator<undefined, Result, undefined>

/** Does all that is left at once. */
export function finishSteps<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}
