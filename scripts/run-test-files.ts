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
 * Runs test files side by side, shows each as it ends and what came of all. A file that failed is
 * run once more, alone: a busy machine makes one fail now and then, and what is broken fails alone as well.
 * One that passes then is named in the summary.
 * @returns the code to exit with: 0 when each file passed at last, else 1
 */
export async function runTestFiles(
  files: readonly string[],
  options: FileOptions & LaneOptions,
): Promise<0 | 1> {
  const began = performance.now()
  const results = new Map<string, FileResult>()
  const run = async (file: string): Promise<FileResult> => {
    const result = await runTestFile(file, options)
    results.set(file, result)
    showResult(result)
    return result
  }
  const waiting = [...files]
  const lane = async (next: () => string | undefined): Promise<void> => {
    for (let file = next(); file !== undefined; file = next()) await run(file)
  }
  const { lanes, lanesFromEnd = 0 } = options
  await Promise.all([
    ...Array.from({ length: lanes }, () => lane(() => waiting.shift())),
    ...Array.from({ length: lanesFromEnd }, () => lane(() => waiting.pop())),
  ])
  const failed = [...results.values()].filter(({ ok }) => !ok)
  const unsteady: string[] = []
  if (failed.length <= MOST_REPEATED)
    for (const { file } of failed) if ((await run(file)).ok) unsteady.push(file)
  summarise([...results.values()], unsteady, performance.now() - began)
  return failed.length > unsteady.length ? 1 : 0
}
