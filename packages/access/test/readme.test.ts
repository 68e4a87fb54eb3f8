import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { guarded } from './support/guarded.ts'

const root = join(import.meta.dirname, '..', '..', '..')

test('the example of row budgets in the README runs as printed', async t => {
  const place = await guarded(
    t,
    'CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders SELECT generate_series(1, 100); GRANT SELECT, DELETE ON orders TO APP',
    { '*.delete': { rows: 1, window: '1h' } },
  )
  const text = readFileSync(join(root, 'packages', 'access', 'README.md'), 'utf8')
  const example = /^## Row budgets\n.*?^```ts\n(.*?)^```$/ms.exec(text)?.[1]
  assert.ok(example !== undefined)
  const folder = mkdtempSync(join(tmpdir(), 'postern-access-readme-'))
  t.after(async () => rmSync(folder, { recursive: true, force: true }))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(folder, 'example.ts'), example)
  const owner = new URL(place.url)
  const admin = new URL(process.env['POSTERN_TEST_POSTGRES'] ?? '')
  admin.pathname = owner.pathname
  const run = spawnSync(process.execPath, ['--conditions=@postern/source', 'example.ts'], {
    cwd: folder,
    encoding: 'utf8',
    env: {
      ...process.env,
      OWNER_URL: admin.href,
      APP_URL: place.url,
      CLAIM_KEY: `1:${Buffer.alloc(32, 9).toString('base64')}`,
    },
  })
  assert.equal(run.stderr, '')
  assert.equal(run.stdout, '429\n')
})
