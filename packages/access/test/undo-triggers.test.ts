import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listChanges, rows, undoChange } from '@postern/access'
import { guarded } from './support/guarded.ts'

const PARTS = `
CREATE TABLE parts (id int, month int, note text, PRIMARY KEY (id, month)) PARTITION BY LIST (month);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES IN (2);
CREATE TABLE parts_3 (id int NOT NULL, month int NOT NULL, note text);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.note := 'touched'; RETURN NEW; END $$;
CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON parts FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE parts ATTACH PARTITION parts_3 FOR VALUES IN (3);
INSERT INTO parts SELECT g, 1 + g % 3, '' FROM generate_series(1, 30) AS g;
ALTER TABLE parts_1 DISABLE TRIGGER touch;
ALTER TABLE parts_2 ENABLE ALWAYS TRIGGER touch;
ALTER TABLE parts_3 ENABLE REPLICA TRIGGER touch;
GRANT ALL ON ALL TABLES IN SCHEMA public TO APP;`

test('an undo leaves every trigger of a partition as its owner has set it', async t => {
  const place = await guarded(t, PARTS, { 'parts.delete': rows(100, '1h') })
  const modes = async (): Promise<unknown> =>
    (
      await place.owner.query(
        "SELECT tgrelid::regclass::text AS relation, tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal AND tgrelid::regclass::text LIKE 'parts%' ORDER BY 1, 2",
      )
    ).rows
  const before = await modes()
  const client = await place.connect()
  await client.query('BEGIN')
  await client.query("SELECT set_config('postern.claim', $1, true)", [place.claim()])
  await client.query('DELETE FROM parts')
  await client.query('COMMIT')
  const [change] = await listChanges(place.database)
  const report = await undoChange(place.database, change?.id ?? '', { keys: [] })
  assert.deepEqual(report.restored, [{ table: 'public.parts', action: 'delete', rows: 30 }])
  assert.deepEqual(await modes(), before)
})
