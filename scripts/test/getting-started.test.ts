import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { installPackages } from '../../test/install-services.ts'
import { root } from '../workspace.ts'
import { blocksOf, readPage } from './support/page.ts'
import { Project } from './support/project.ts'

const blocks = blocksOf(readPage('docs/getting-started.md'))
const EXAMPLES = { Express: 'express', Fastify: 'fastify', Hono: 'hono', Koa: 'koa', 'Plain Node': 'node' }
/** Sections that need a server of another project: the command that says whether it is there. */
const SERVERS: Readonly<Record<string, readonly [string, string]>> = {
  nginx: ['nginx', '-v'],
  Caddy: ['caddy', 'version'],
}

/** Installs the server of a section where that can be done. @returns why the section cannot run */
function missingServer(heading: string): string | undefined {
  const [program, version] = SERVERS[heading] ?? []
  if (program === undefined || version === undefined) return undefined
  const isThere = (): boolean => spawnSync(program, [version]).status === 0
  if (!isThere()) installPackages([program])
  return isThere() ? undefined : `${program} is not installed`
}

for (const heading of [
  ...Object.keys(EXAMPLES),
  'Nest',
  'A backend in another language',
  ...Object.keys(SERVERS),
])
  test(`Getting started, ${heading}: every file and command works as printed`, {
    timeout: 180_000,
    skip: missingServer(heading) ?? false,
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
