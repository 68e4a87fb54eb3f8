// A file has no variable of its own that changes: state belongs to an object, which a test can make afresh
// and which says what may happen to it. Where one is right, the comment above says why: `Module state: ...`.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { proseOf } from './source-text.ts'
import { root } from './workspace.ts'

const REASON = /^Module state: (?:\S+ ){5}/
/** The formatter puts statements of a file, and those alone, at the start of a line. */
const VARIABLE = /^(?:export )?(?:let|var) \w+/

const problems: string[] = []
for (const found of globSync('packages/*/{src,page/src}/**/*.{ts,tsx}', { cwd: root }).sort()) {
  const file = found.replaceAll('\\', '/')
  const source = readFileSync(join(root, file), 'utf8')
  if (!/^(?:export )?(?:let|var) /m.test(source)) continue
  const prose = proseOf(source)
  const inTemplate = new Set(
    prose.filter(part => part.kind === 'string').flatMap(part => part.lines.slice(1)),
  )
  const reasons = new Set(
    prose
      .filter(part => part.kind === 'comment' && REASON.test(part.text.trim()))
      .map(part => (part.lines.at(-1) ?? 0) + 1),
  )
  for (const [index, line] of source.split('\n').entries()) {
    const variable = VARIABLE.exec(line)?.[0]
    if (variable === undefined || reasons.has(index + 1) || inTemplate.has(index + 1)) continue
    problems.push(
      `${file}:${index + 1}: "${variable}" is state of the module: give it to an object, or say why above it (Module state: ...)`,
    )
  }
}
for (const problem of problems) console.error(problem)
if (problems.length > 0) process.exit(1)
