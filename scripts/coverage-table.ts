/** How much of a package its tests run, in percent. */
export interface Coverage {
  readonly lines: number
  readonly branches: number
}

/** How much of one file tests run. */
export interface FileCoverage {
  /** Relative to the root: `packages/core/src/address/cidr.ts`. */
  readonly file: string
  /** Lines with code on them. */
  readonly lines: number
  readonly linesHit: number
  readonly branches: number
  readonly branchesHit: number
  /** The numbers of the lines that are not run. */
  readonly missed: readonly number[]
  /** The numbers of the lines on which a branch begins that is not run. */
  readonly missedBranches: readonly number[]
}

/** Coverage by package; files outside of `packages/NAME/src` are left out. */
export function coverageByPackage(files: readonly FileCoverage[]): ReadonlyMap<string, Coverage> {
  const byName = Map.groupBy(
    files,
    ({ file }) => /^packages\/([\w-]+)\/src\//.exec(file.replaceAll('\\', '/'))?.[1],
  )
  const sum = (of: readonly FileCoverage[], key: 'lines' | 'linesHit' | 'branches' | 'branchesHit'): number =>
    of.reduce((total, file) => total + file[key], 0)
  return new Map(
    [...byName].flatMap(([name, of]) =>
      name === undefined
        ? []
        : [
            [
              name,
              {
                lines: share(sum(of, 'linesHit'), sum(of, 'lines')),
                branches: share(sum(of, 'branchesHit'), sum(of, 'branches')),
              },
            ] as const,
          ],
    ),
  )
}

/** Percent with one digit, never rounded up. */
function share(part: number, whole: number): number {
  return whole === 0 ? 100 : Math.floor((part / whole) * 1_000) / 10
}

/** What is below its floor, and which package has none, in sentences. */
export function belowFloor(
  reached: ReadonlyMap<string, Coverage>,
  floors: Readonly<Record<string, Coverage>>,
): readonly string[] {
  const problems: string[] = []
  for (const name of reached.keys())
    if (!Object.hasOwn(floors, name)) problems.push(`${name} has no floor in scripts/coverage-floors.json`)
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

/** Line numbers as ranges: `3-5, 9`. */
export function lineRanges(numbers: readonly number[]): string {
  const ranges: [number, number][] = []
  for (const number of [...new Set(numbers)].sort((a, b) => a - b)) {
    const last = ranges.at(-1)
    if (last !== undefined && number === last[1] + 1) last[1] = number
    else ranges.push([number, number])
  }
  return ranges.map(([first, end]) => (first === end ? `${first}` : `${first}-${end}`)).join(', ')
}
