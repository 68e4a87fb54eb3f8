import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const TEST_FOLDER = dirname(dirname(fileURLToPath(import.meta.url)))
const ROOT = join(TEST_FOLDER, '../../..')

/** A program of a page, what the page says it prints, and what it does print. */
export interface RanExample {
  readonly name: string
  readonly expected: string
  readonly printed: string
}

/**
 * Writes down every code block of a page whose first line names a file, as it is printed, and runs
 * those that are followed by what they print.
 * @param page path from the root of the repository
 */
export async function runExamples(
  page: string,
  env: Readonly<Record<string, string>> = {},
): Promise<readonly RanExample[]> {
  const text = readFileSync(join(ROOT, page), 'utf8')
  // Beside the tests, so that imports of packages resolve; types are stripped
  // anywhere but below node_modules.
  const folder = mkdtempSync(join(TEST_FOLDER, '.page-'))
  try {
    const runs: { name: string; expected: string }[] = []
    for (const [, name = '', code = '', output] of text.matchAll(
      /^```ts\n\/\/ ([\w.-]+)\n([\s\S]*?)^```\n(?:\n```text\n([\s\S]*?)^```$)?/gm,
    )) {
      writeFileSync(join(folder, name), code)
      if (output !== undefined) runs.push({ name, expected: output })
    }
    const ran: RanExample[] = []
    for (const { name, expected } of runs) {
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ['--conditions=@postern/source', '--disable-warning=ExperimentalWarning', join(folder, name)],
        { cwd: folder, timeout: 300_000, env: { ...process.env, NO_COLOR: '1', ...env } },
      )
      ran.push({ name, expected, printed: stdout })
    }
    return ran
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
