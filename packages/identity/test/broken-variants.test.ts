// Every bug class has tests of its name, and every such test was seen failing: POSTERN_TEST_LONG=1 runs each
// class against code that is wrong on purpose (broken-variants.ts). The short form checks that the list is
// whole and that each mistake still fits the source.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { BROKEN_VARIANTS, type BrokenVariant, BUG_CLASSES } from './broken-variants.ts'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const LONG = process.env['POSTERN_TEST_LONG'] === '1'

const sources = new Map(
  readdirSync(HERE)
    .filter(name => name.endsWith('.test.ts') && name !== 'broken-variants.test.ts')
    .map(name => [name, readFileSync(join(HERE, name), 'utf8')]),
)

describe('bug classes', () => {
  for (const bugClass of BUG_CLASSES)
    test(`"${bugClass}" has a test of its name, and a broken variant that the test notices`, () => {
      const named = [...sources].filter(([, text]) => text.includes(`bug class: ${bugClass}`))
      assert.ok(named.length > 0, 'no test has this name')
      const variants = BROKEN_VARIANTS.filter(variant => variant.bugClass === bugClass)
      assert.ok(variants.length > 0, 'no broken variant')
      for (const { test: file } of variants)
        assert.ok(
          named.some(([name]) => name === file),
          file,
        )
    })

  test('each is a class of the list', () => {
    for (const [name, text] of sources)
      for (const [, rest = ''] of text.matchAll(/(?:test|describe)\(\s*['"`]bug class: ([^'"`]*)/g))
        assert.ok(
          BUG_CLASSES.some(bugClass => rest.startsWith(bugClass)),
          `${name}: ${rest}`,
        )
  })

  test('each mistake is a program', () => {
    for (const { mistake, changes } of BROKEN_VARIANTS)
      for (const { file, from, to } of changes) {
        const broken = readFileSync(join(ROOT, file), 'utf8').replace(from, () => to)
        assert.doesNotThrow(() => stripTypeScriptTypes(broken), `${mistake}: ${file}`)
      }
  })

  test('each mistake fits the source, once', () => {
    for (const { mistake, changes } of BROKEN_VARIANTS)
      for (const { file, from } of changes)
        assert.equal(readFileSync(join(ROOT, file), 'utf8').split(from).length, 2, `${mistake}: ${file}`)
  })

  // Two of them in any case, so that the mechanism itself is known to work.
  const run = LONG
    ? BROKEN_VARIANTS
    : BROKEN_VARIANTS.filter(({ test: file }) => file === 'jwt.test.ts').slice(0, 2)
  for (const variant of run)
    test(`"${variant.bugClass}" is noticed when ${variant.mistake}`, () => {
      const { status, output } = runBroken(variant)
      assert.match(output, /^broken: /m, 'the mistake was not loaded')
      assert.equal(status, 1, 'the test passed all the same')
      assert.match(output, /AssertionError/, output.slice(0, 2_000))
    })
})

/** Runs the tests of the class against the mistake. */
function runBroken({ bugClass, test: file, changes }: BrokenVariant): {
  readonly status: number | null
  readonly output: string
} {
  const pattern = `bug class: ${bugClass.replace(/[*+.()#|]/g, '\\$&')}`
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const run = spawnSync(
    process.execPath,
    [
      '--conditions=@postern/source',
      '--disable-warning=ExperimentalWarning',
      '--import',
      join(HERE, 'break-source.ts'),
      `--test-name-pattern=${pattern}`,
      '--test-timeout=60000',
      join(HERE, file),
    ],
    {
      cwd: ROOT,
      encoding: 'utf8',
      timeout: 120_000,
      env: { ...env, POSTERN_BREAK: JSON.stringify(changes) },
    },
  )
  return { status: run.status, output: `${run.stdout}\n${run.stderr}` }
}
