import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { actingAs, claimSigner, guardPool, rows } from '@postern/access'
import { loadConfig } from '@postern/config'
import { serve } from '@postern/server'
import pg from 'pg'
import { CLAIM_KEY, count, guarded } from '../packages/access/test/support/guarded.ts'
import { ensurePage } from '../scripts/build-page.ts'
import { launchChromium } from './chromium.ts'

test('rows that somebody deleted are put back from the console', async t => {
  await ensurePage()
  const place = await guarded(
    t,
    `CREATE TABLE orders (id int PRIMARY KEY, note text NOT NULL);
     INSERT INTO orders SELECT g, 'order ' || g FROM generate_series(1, 40) g;
     GRANT SELECT, INSERT, UPDATE, DELETE ON orders TO APP;`,
    { 'orders.delete': rows(100, '1h') },
  )
  const pool = guardPool(new pg.Pool({ connectionString: place.url, max: 1 }), {
    claim: claimSigner({ key: CLAIM_KEY }),
  })
  await actingAs({ actor: 'user:alice' }, () => pool.query('DELETE FROM orders WHERE id <= 30'))
  await pool.end()
  assert.equal(await count(place.owner, 'orders'), 10)

  const folder = mkdtempSync(join(tmpdir(), 'shop-'))
  const { connectionString = '' } = place.owner.options
  const key = `1:${Buffer.from(CLAIM_KEY.secret).toString('base64')}`
  writeFileSync(
    join(folder, 'postern.config.yaml'),
    `upstream: http://127.0.0.1:9
listen: 127.0.0.1:0
admin: false
console: { listen: '127.0.0.1:0' }
budgets: { orders.delete: { rows: 100, window: 1h } }
budgetDatabase: { url: '${connectionString}', claimKeys: ['${key}'] }
`,
  )
  const loaded = await loadConfig({ folder, environment: process.env })
  const served = await serve({ loaded, overrides: {}, dataDirectory: join(folder, '.postern') })
  const browser = await launchChromium()
  t.after(async () => {
    await browser.close()
    await served.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const page = await browser.newPage()
  page.setDefaultTimeout(20_000)
  await page.goto(served.console?.link ?? '')
  await page.getByRole('link', { name: 'Undo' }).click()
  await page.getByRole('heading', { name: 'user:alice deleted 30 of public.orders' }).waitFor()
  await page.getByRole('button', { name: 'Undo…' }).click()
  await page.getByText('Would put back 30 rows').waitFor()
  assert.equal(await count(place.owner, 'orders'), 10, 'looking changes nothing')
  await page.getByRole('button', { name: 'Put it back' }).click()
  await page.getByText('All of it was put back.').waitFor()
  assert.equal(await count(place.owner, 'orders'), 40)
})
