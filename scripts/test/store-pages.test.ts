import assert from 'node:assert/strict'
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadConfig } from '@postern/config'
import { root } from '../workspace.ts'
import { blocksOf, readPage } from './support/page.ts'

const ENVIRONMENT = {
  POSTGRES_URL: 'postgres://postern:one@db.internal/postern',
  REDIS_URL: 'rediss://:two@redis.internal:6379',
}

test('the configuration of the page on stores is one that Postern takes', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-stores-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const [yaml] = blocksOf(readPage('docs/store.md')).filter(({ language }) => language === 'yaml')
  writeFileSync(join(folder, 'postern.config.yaml'), yaml?.text ?? '')
  const { config } = await loadConfig({ folder, environment: ENVIRONMENT })
  assert.equal(config.dataDirectory, '/var/lib/postern')
})

/** What a message says whatever the case: without names, numbers and what the page leaves out. */
const fixedParts = (message: string): readonly string[] =>
  message
    .split(/"[^"]*"|[\w-]+\.json|\w+\/\d+|\(process \d+\)|\d+|…|\.\.\.|\([A-Z]+\)/)
    .map(part => part.trim().replace(/^[(),]+|[(),]+$/g, ''))
    .filter(part => part.length > 3)

test('each message of the page on errors of stores is one that the sources have', () => {
  const source = globSync('packages/*/src/**/*.ts', { cwd: root })
    .map(file => readFileSync(join(root, file), 'utf8'))
    .join('\n')
    // A message that is written in two lines is one.
    .replace(/['`] \+\s+['`]/g, '')
  const rows = readPage('docs/store-errors.md').match(/^\| `.*?` \|/gm) ?? []
  assert.ok(rows.length > 40)
  const unknown = rows
    .flatMap(row => [...row.matchAll(/`([^`]+)`/g)].map(([, message = '']) => message))
    .filter(message => fixedParts(message).some(part => !source.includes(part)))
  assert.deepEqual(unknown, [])
})
