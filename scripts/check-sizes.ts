// A file is one idea, of at most 400 lines, and a function that is harder to follow than the linter allows
// has a written reason. Longer files are named here and may only shrink.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './workspace.ts'

const MOST_LINES = 400

/** Files that may be longer, up to so many lines, and why. */
const LONGER: Readonly<Record<string, { readonly lines: number; readonly because: string }>> = {
  'packages/audit/src/verifier.ts': {
    lines: 500,
    because: 'it imports nothing, so that an auditor reads one file and a browser loads it unchanged',
  },
}

/** A reason is a sentence: `<rule>: one pass over the headers; each case is one rule of RFC 9112.` */
const SUPPRESSION = /biome-ignore lint\/complexity\/noExcessiveCognitiveComplexity:?(.*)$/gm
const FEWEST_WORDS = 6

const problems: string[] = []
const files = globSync('packages/*/{src,page}/**/*.{ts,tsx}', {
  cwd: root,
  exclude: file => /(?:^|[\\/])(?:node_modules|dist)(?:$|[\\/])/.test(file),
}).map(file => file.replaceAll('\\', '/'))
for (const file of files.sort()) {
  const source = readFileSync(join(root, file), 'utf8')
  const lines = source.split('\n').length - 1
  const most = LONGER[file]?.lines ?? MOST_LINES
  if (lines > most) problems.push(`${file}: ${lines} lines, at most ${most}: move its second idea out`)
  for (const [, reason = ''] of source.matchAll(SUPPRESSION))
    if (reason.trim().split(/\s+/).length < FEWEST_WORDS)
      problems.push(`${file}: "${reason.trim()}" does not say why the function must be this complex`)
}
for (const file of Object.keys(LONGER))
  if (!files.includes(file) || readFileSync(join(root, file), 'utf8').split('\n').length - 1 <= MOST_LINES)
    console.log(`${file} is within ${MOST_LINES} lines now: take it out of scripts/check-sizes.ts`)
for (const problem of problems) console.error(problem)
if (problems.length > 0) process.exit(1)
