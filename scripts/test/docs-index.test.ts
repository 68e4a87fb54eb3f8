import assert from 'node:assert/strict'
import { existsSync, globSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { loadScenarios } from '@postern/scenarios'
import { BANNED_PHRASES } from '../banned-phrases.ts'
import { root } from '../workspace.ts'
import { readPage } from './support/page.ts'

const pages = globSync(['*.md', 'docs/*.md', 'docs/api/*.md', 'packages/*/README.md'], { cwd: root })
  .map(file => file.replaceAll('\\', '/'))
  .toSorted()

/** Headings as GitHub makes anchors of them: a second one of the same text ends in `-1`. */
function anchorsOf(page: string): ReadonlySet<string> {
  const anchors = new Set<string>()
  const text = readPage(page).replace(/^```[\s\S]*?^```/gm, '')
  for (const [, heading = ''] of text.matchAll(/^#+ (.*)$/gm)) {
    const anchor = heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-')
    let copies = 0
    while (anchors.has(copies === 0 ? anchor : `${anchor}-${copies}`)) copies++
    anchors.add(copies === 0 ? anchor : `${anchor}-${copies}`)
  }
  return anchors
}

test('the index of the documentation leads to every page', () => {
  const linked = new Set(
    [...readPage('docs/README.md').matchAll(/\]\(([\w-]+\.md)\)/g)].map(([, page]) => page),
  )
  for (const page of pages.filter(name => /^docs\/[^/]+$/.test(name) && name !== 'docs/README.md'))
    assert.equal(linked.has(page.slice('docs/'.length)), true, page)
})

for (const page of pages)
  test(`every link of ${page} leads to a file and a heading that exist`, () => {
    const text = readPage(page).replace(/^```[\s\S]*?^```/gm, '')
    const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link)
    const broken = links.filter(link => !/^[a-z]+:/.test(link) && !leadsSomewhere(page, link))
    assert.deepEqual(broken, [])
  })

function leadsSomewhere(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? page : join(dirname(page), path)
  return existsSync(join(root, target)) && (anchor === undefined || anchorsOf(target).has(anchor))
}

/** Pages written for this index; the others are checked where they are kept. */
const OURS = [
  'README.md',
  'SECURITY.md',
  'docs/README.md',
  'docs/architecture.md',
  'docs/benchmarks.md',
  'docs/concepts.md',
  'docs/deployment.md',
  'docs/errors.md',
  'docs/getting-started.md',
  'docs/glossary.md',
  'docs/metrics.md',
  'docs/troubleshooting.md',
]

for (const page of OURS)
  test(`${page} is plain English`, () => {
    const prose = readPage(page).replace(/^```[\s\S]*?^```/gm, '')
    for (const { pattern, instead } of BANNED_PHRASES) {
      const found = pattern.exec(prose)?.[0]
      assert.equal(found, undefined, `write ${instead}`)
    }
  })

test('every start line on a page names as many scenarios as are shipped', () => {
  const shipped = loadScenarios().list().length
  const lines = pages.flatMap(page =>
    [...readPage(page).matchAll(/^postern: enforcing: .*?(\d+) scenarios/gm)].map(
      ([, count]) => `${page} ${count}`,
    ),
  )
  assert.ok(lines.length >= 7)
  assert.deepEqual(
    lines.filter(line => !line.endsWith(` ${shipped}`)),
    [],
  )
})
