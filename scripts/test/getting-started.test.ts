import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { root } from '../workspace.ts'
import { blocksOf, readPage } from './support/page.ts'
import { Project } from './support/project.ts'

const blocks = blocksOf(readPage('docs/getting-started.md'))
const EXAMPLES = { Express: 'express', Fastify: 'fastify', Hono: 'hono', Koa: 'koa', 'Plain Node': 'node' }
const hasNginx = spawnSync('nginx', ['-v']).status === 0
if (!hasNginx)
  process.stdout.write('nginx is not installed: its section of docs/getting-started.md was not run\n')

for (const heading of [
  ...Object.keys(EXAMPLES),
  'A backend in another language',
  ...(hasNginx ? ['nginx'] : []),
])
  test(`Getting started, ${heading}: every file and command works as printed`, {
    timeout: 180_000,
  }, async t => {
    const section = blocks.filter(block => block.heading === heading)
    assert.equal(section.length > 3, true)
    const project = await Project.open()
    t.after(() => project.close())
    await project.run(section)
  })

for (const [heading, folder] of Object.entries(EXAMPLES))
  test(`examples/${folder} is the project of the page, and depends on what the page installs`, () => {
    const section = blocks.filter(block => block.heading === heading)
    const file = section.find(block => block.file === 'server.mjs')
    assert.equal(readPage(`examples/${folder}/server.mjs`), file?.text)
    const { dependencies } = JSON.parse(readPage(`examples/${folder}/package.json`)) as {
      readonly dependencies: Readonly<Record<string, string>>
    }
    const [, ...installed] =
      section
        .find(({ language }) => language === 'sh')
        ?.text.trim()
        .split(' ') ?? []
    assert.deepEqual(Object.keys(dependencies).toSorted(), installed.slice(1).toSorted())
    for (const [name, version] of Object.entries(dependencies)) {
      const manifest = join(root, 'node_modules', name, 'package.json')
      assert.equal(existsSync(manifest), true, name)
      const { version: here } = JSON.parse(readPage(join('node_modules', name, 'package.json'))) as {
        readonly version: string
      }
      assert.equal(version, here, name)
    }
  })

test('the lines for Next are those of the application that e2e builds and starts', () => {
  const block = blocks.find(
    ({ heading, file, text }) => heading === 'Next' && file === undefined && text.includes('layer.next'),
  )
  const code = readPage('e2e/next-app/proxy.js').replace(/^\/\/.*\n/gm, '')
  assert.equal(block?.text, code)
})
