import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import pg from 'pg'
import { freshDatabase } from '../../../../test/services.ts'

const PAGE = readFileSync(new URL('../../../../docs/migrate-policies.md', import.meta.url), 'utf8')
const BEFORE = /^```sql\n([\s\S]*?)^```$/m.exec(PAGE)?.[1] ?? ''
const AFTER = /^```ts\n\/\/ supabase\.ts\n([\s\S]*?)^```$/m.exec(PAGE)?.[1] ?? ''

const SCHEMA = `
  CREATE SCHEMA IF NOT EXISTS auth;
  CREATE OR REPLACE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS $$ SELECT nullif(current_setting('request.sub', true), '')::uuid $$;
  CREATE OR REPLACE FUNCTION auth.jwt() RETURNS jsonb LANGUAGE sql STABLE AS $$ SELECT '{}'::jsonb $$;
  GRANT USAGE ON SCHEMA auth TO authenticated;
  CREATE TABLE team_members (team_id text, user_id text);
  CREATE TABLE documents (id integer PRIMARY KEY, owner_id text, team_id text, state text);
  GRANT SELECT, UPDATE ON documents TO authenticated; GRANT SELECT ON team_members TO authenticated;
  ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
  INSERT INTO team_members VALUES ('red', '00000000-0000-4000-8000-000000000001'), ('blue', '00000000-0000-4000-8000-000000000002');
  INSERT INTO documents SELECT n, '00000000-0000-4000-8000-00000000000' || (n % 3 + 1), (ARRAY['red', 'blue', NULL])[n % 3 + 1], (ARRAY['open', 'archived', NULL])[n / 3 % 3 + 1]
    FROM generate_series(1, 27) n`

const scopes: (() => Promise<void>)[] = []
after(async () => {
  for (const work of scopes) await work()
})

/** What each caller may read and update in a database that these statements made. */
async function answers(statements: readonly string[]): Promise<unknown> {
  const url = await freshDatabase({ after: work => scopes.unshift(work) })
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(
    'DO $$ BEGIN CREATE ROLE authenticated; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$',
  )
  await client.query(SCHEMA)
  for (const statement of statements) await client.query(statement)
  const result: unknown[] = []
  for (const n of [1, 2, 3, 4]) {
    await client.query('BEGIN; SET LOCAL ROLE authenticated')
    await client.query("SELECT set_config('request.sub', $1, true)", [
      `00000000-0000-4000-8000-00000000000${n}`,
    ])
    const read = await client.query('SELECT id FROM documents ORDER BY id')
    const updated = await client.query("UPDATE documents SET state = 'archived' RETURNING id")
    await client.query('ROLLBACK')
    result.push([read.rows, updated.rows.map(({ id }) => id).sort()])
  }
  await client.end()
  return result
}

test('the policies of docs/migrate-policies.md let the same callers read and update the same rows as the Supabase ones', async () => {
  const folder = mkdtempSync(join(import.meta.dirname, '.page-'))
  try {
    writeFileSync(join(folder, 'supabase.ts'), AFTER)
    const { statements } = (await import(pathToFileURL(join(folder, 'supabase.ts')).href)) as {
      statements: readonly string[]
    }
    const before = await answers([BEFORE])
    const generated = await answers(statements)
    assert.deepEqual(generated, before)
    assert.match(JSON.stringify(before), /\{"id":\d+\}/)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
