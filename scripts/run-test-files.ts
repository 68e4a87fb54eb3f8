import { type FileOptions, type FileResult, runTestFile } from './run-test-file.ts'
import { showResult, summarise } from './test-results.ts'

/** So many failed files are run once more; when more fail, something is broken. */
const MOST_REPEATED = 5

export interface LaneOptions {
  /** How many files run side by side, from the first on. */
  readonly lanes: number
  /** How many more do, from the last back. Default none. */
  readonly lanesFromEnd?: number
}

/**
 * Runs groups of test files side by side, each group in a process of its own, shows each as it ends and what
 * came of all. The files of a group that failed are run again, each alone. A file that failed alone is run
 * once more: a busy machine makes one fail now and then, and what is broken fails again. What failed and then
 * passed is named in the summary.
 * @returns the code to exit with: 0 when each file passed at last, else 1
 */
export async function runTestFiles(
  groups: readonly (readonly string[])[],
  options: FileOptions & LaneOptions,
): Promise<0 | 1> {
  const began = performance.now()
  const results = new Map<string, FileResult>()
  const parted: (readonly string[])[] = []
  const run = async (files: readonly string[]): Promise<FileResult> => {
    const result = await runTestFile(files, options)
    showResult(result)
    return result
  }
  const runGroup = async (files: readonly string[]): Promise<void> => {
    const together = await run(files)
    if (together.ok || files.length === 1) {
      results.set(files.join(), together)
      return
    }
    parted.push(files)
    for (const file of files) results.set(file, await run([file]))
  }
  const waiting = [...groups]
  const lane = async (next: () => readonly string[] | undefined): Promise<void> => {
    for (let files = next(); files !== undefined; files = next()) await runGroup(files)
  }
  const { lanes, lanesFromEnd = 0 } = options
  await Promise.all([
    ...Array.from({ length: lanes }, () => lane(() => waiting.shift())),
    ...Array.from({ length: lanesFromEnd }, () => lane(() => waiting.pop())),
  ])
  const failed = [...results].filter(([, { ok }]) => !ok).map(([file]) => file)
  const unsteady = parted
    .filter(files => files.every(file => results.get(file)?.ok === true))
    .map(files => `${files.join(', ')} failed together, and passed when each was run alone`)
  let repaired = 0
  if (failed.length <= MOST_REPEATED)
    for (const file of failed) {
      const again = await run([file])
      results.set(file, again)
      if (!again.ok) continue
      repaired++
      unsteady.push(`${file} failed, and passed when it was run again alone`)
    }
  summarise([...results.values()], unsteady, performance.now() - began)
  return failed.length > repaired ? 1 : 0
}
