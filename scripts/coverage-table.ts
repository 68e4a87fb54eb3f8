/** How much of a package its tests run, in percent. */
export interface Coverage {
  readonly lines: number
  readonly branches: number
}

/**
 * Coverage by package, from a report in the LCOV format of node's test runner. A file that no test loads is
 * not in the report.
 * @param report the text; `SF:` lines name files relative to the root or absolute
 */
export function coverageByPackage(report: string): ReadonlyMap<string, Coverage> {
  const totals = new Map<string, { linesFound: number; linesHit: number; found: number; hit: number }>()
  let total: { linesFound: number; linesHit: number; found: number; hit: number } | undefined
  for (const line of report.split('\n')) {
    const [key = '', value = ''] = line.split(/:(.*)/s)
    if (key === 'SF') {
      const name = /(?:^|[\\/])packages[\\/]([\w-]+)[\\/]src[\\/]/.exec(value)?.[1]
      total = name === undefined ? undefined : totals.get(name)
      if (name !== undefined && total === undefined) {
        total = { linesFound: 0, linesHit: 0, found: 0, hit: 0 }
        totals.set(name, total)
      }
    }
    if (total === undefined) continue
    if (key === 'LF') total.linesFound += Number(value)
    if (key === 'LH') total.linesHit += Number(value)
    if (key === 'BRF') total.found += Number(value)
    if (key === 'BRH') total.hit += Number(value)
  }
  return new Map(
    [...totals].map(([name, { linesFound, linesHit, found, hit }]) => [
      name,
      { lines: share(linesHit, linesFound), branches: share(hit, found) },
    ]),
  )
}

function share(part: number, whole: number): number {
  return whole === 0 ? 100 : Math.floor((part / whole) * 1_000) / 10
}

/** What is below its floor, in sentences. */
export function belowFloor(
  reached: ReadonlyMap<string, Coverage>,
  floors: Readonly<Record<string, Coverage>>,
): readonly string[] {
  const problems: string[] = []
  for (const [name, floor] of Object.entries(floors)) {
    const own = reached.get(name)
    for (const kind of ['lines', 'branches'] as const) {
      const percent = own?.[kind] ?? 0
      if (percent < floor[kind])
        problems.push(`${name}: ${percent} % of its ${kind} are tested; the floor is ${floor[kind]} %`)
    }
  }
  return problems
}
