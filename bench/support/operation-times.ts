import { isQuick, quantile, type Timing } from './harness.ts'

/** One way of doing one short piece of work. */
export interface Operation {
  readonly name: string
  /** @param number counts up, the same for all */
  readonly one: (number: number) => unknown
}

/** Operations of one candidate in a row: as many as the records of a page. */
const IN_A_ROW = 50
/** Turns that are not counted: by then all of them are compiled. */
const WARM_UP = 20

/**
 * Times every single operation: a page of them by each candidate in turn, in another order each time. Of a
 * thousand operations of microseconds most are never interrupted, also on a busy machine, so the lower
 * quartile is that of a machine left alone.
 * @param pages of each candidate; with `--quick` 30 at most
 * @returns nanoseconds
 */
export function timeOperations(operations: readonly Operation[], pages: number): readonly Timing[] {
  const samples = operations.map(() => [] as number[])
  const order = operations.map((_, index) => index)
  const most = isQuick ? Math.min(pages, 30) : pages
  for (let page = -WARM_UP; page < most; page++) {
    shuffle(order)
    for (const index of order) {
      const operation = operations[index] as Operation
      const first = (page + WARM_UP) * IN_A_ROW
      for (let number = first; number < first + IN_A_ROW; number++) {
        const started = performance.now()
        operation.one(number)
        const elapsed = performance.now() - started
        if (page >= 0) samples[index]?.push(elapsed * 1e6)
      }
    }
  }
  return operations.map(({ name }, index) => {
    const own = samples[index] ?? []
    return {
      name,
      median: quantile(own, 0.5),
      lowerQuartile: quantile(own, 0.25),
      best: quantile(own, 0.01),
      worst: quantile(own, 0.99),
      cpu: Number.NaN,
    }
  })
}

/** Fisher and Yates. */
function shuffle(order: number[]): void {
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1))
    const kept = order[last] as number
    order[last] = order[other] as number
    order[other] = kept
  }
}
