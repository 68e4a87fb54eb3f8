// Comments stay within 110 columns, and comments, messages and pages use the plain words of the field. Files
// that do not yet are listed in prose-allowance.json with what they may hold: the check fails when a count
// grows. `--lower` writes the counts that shrank.
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BANNED_PHRASES } from './banned-phrases.ts'
import { proseOf } from './source-text.ts'
import { root } from './workspace.ts'

/** What a file that predates this check may still hold. */
interface Allowance {
  readonly long?: number
  readonly phrases?: number
}

interface Problem {
  readonly kind: 'long' | 'phrases'
  readonly line: number
  readonly text: string
}

const COLUMNS = 110
const CHANGELOG_COLUMNS = 250
/** Lines of the changelog before its first entry. */
const CHANGELOG_HEAD = 8
const ALLOWANCE_FILE = join(root, 'scripts/prose-allowance.json')
/** The table of phrases and its test hold the phrases themselves. */
const EXEMPT = ['scripts/banned-phrases.ts', 'scripts/test/source-text.test.ts']

const files = globSync('{packages/*/{src,test},scripts,bench,test,e2e,examples}/**/*.{ts,tsx,mts,mjs,js}', {
  cwd: root,
  exclude: file => /(?:^|[\\/])(?:node_modules|dist|\.next)(?:$|[\\/])/.test(file),
})
  .map(file => file.replaceAll('\\', '/'))
  .filter(file => !EXEMPT.includes(file))
  .sort()

/** Pages are prose from the first line to the last; their lines are as long as their authors like. */
const pages = globSync(['*.md', 'docs/**/*.md', 'packages/*/README.md', 'examples/*/README.md'], {
  cwd: root,
})
  .map(file => file.replaceAll('\\', '/'))
  .sort()

function problemsOfPage(file: string): readonly Problem[] {
  return readFileSync(join(root, file), 'utf8')
    .split('\n')
    .flatMap((text, index) => phrasesIn(text, () => index + 1))
}

/** An entry of the changelog is one line, so that a release can be read at a glance. */
function changelogProblems(): readonly string[] {
  return readFileSync(join(root, 'CHANGELOG.md'), 'utf8')
    .split('\n')
    .slice(CHANGELOG_HEAD)
    .flatMap((text, index) =>
      (text === '' || /^(?:#|- )/.test(text)) && text.length <= CHANGELOG_COLUMNS
        ? []
        : [
            `CHANGELOG.md:${index + CHANGELOG_HEAD + 1}: an entry is one line of at most ${CHANGELOG_COLUMNS} characters`,
          ],
    )
}

function phrasesIn(text: string, lineOf: (at: number) => number): readonly Problem[] {
  return BANNED_PHRASES.flatMap(({ pattern, instead }) =>
    [...text.matchAll(new RegExp(pattern, `${pattern.flags}g`))].map(match => ({
      kind: 'phrases' as const,
      line: lineOf(match.index),
      text: `"${match[0]}": write ${instead}`,
    })),
  )
}

function problemsOf(file: string): readonly Problem[] {
  if (file.endsWith('.md')) return problemsOfPage(file)
  const source = readFileSync(join(root, file), 'utf8')
  const problems: Problem[] = []
  const commentLines = new Set<number>()
  for (const { kind, text, lines } of proseOf(source)) {
    if (kind === 'comment') for (const line of lines) commentLines.add(line)
    problems.push(...phrasesIn(text, at => lines[at] ?? 0))
  }
  for (const [index, line] of source.split('\n').entries()) {
    if (line.length <= COLUMNS || !commentLines.has(index + 1) || cannotWrap(line)) continue
    problems.push({
      kind: 'long',
      line: index + 1,
      text: `a comment of ${line.length} columns: wrap it at ${COLUMNS}`,
    })
  }
  return problems
}

/** Directives take one line, and a URL cannot be broken. */
function cannotWrap(line: string): boolean {
  return /\b(?:biome-ignore|@ts-expect-error)\b|https?:\/\/\S{60,}/.test(line)
}

const allowances = JSON.parse(readFileSync(ALLOWANCE_FILE, 'utf8')) as Readonly<Record<string, Allowance>>
const lowered: Record<string, Allowance> = {}
let failed = false
let shrank = 0
for (const file of [...files, ...pages]) {
  const problems = problemsOf(file)
  const left: { long?: number; phrases?: number } = {}
  for (const kind of ['long', 'phrases'] as const) {
    const found = problems.filter(problem => problem.kind === kind)
    const allowed = allowances[file]?.[kind] ?? 0
    if (found.length > allowed) {
      failed = true
      for (const { line, text } of found) console.error(`${file}:${line}: ${text}`)
      if (allowed > 0) console.error(`  ${found.length} in this file; prose-allowance.json allows ${allowed}`)
    }
    if (found.length < allowed) shrank += 1
    const kept = Math.min(found.length, allowed)
    if (kept > 0) left[kind] = kept
  }
  if (Object.keys(left).length > 0) lowered[file] = left
}
for (const file of Object.keys(allowances)) if (!files.includes(file) && !pages.includes(file)) shrank += 1

if (process.argv.includes('--lower')) writeFileSync(ALLOWANCE_FILE, `${JSON.stringify(lowered, null, 2)}\n`)
else if (shrank > 0) {
  console.log(
    `${shrank} counts of scripts/prose-allowance.json shrank; lower them: node scripts/launch.mjs check-prose --lower`,
  )
}
for (const problem of changelogProblems()) {
  failed = true
  console.error(problem)
}
if (failed) process.exit(1)
