import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import {
  type DialectName,
  definePolicies,
  loadFacts,
  type PolicySet,
  type RunQuery,
  toSql,
} from '@postern/access'
import pg from 'pg'
import { freshDatabase } from '../../../../test/services.ts'
import { describe } from '../../src/policy/describe.ts'
import { Random } from '../support/random.ts'
import {
  file,
  PEOPLE,
  randomContext,
  randomFile,
  randomFolder,
  randomPolicies,
  randomPrincipal,
  TEAMS,
} from '../support/random-policies.ts'

/** Cases for each database; the long form is 100,000. */
const CASES = Number(process.env['POSTERN_POLICY_CASES'] ?? 1_500)
const SEED = Number(process.env['POSTERN_POLICY_SEED'] ?? 20_260_101)
const ROWS = 40
const MEMBERS = PEOPLE.flatMap((person, index) =>
  TEAMS.filter((_, team) => (index + team) % 2 === 0).map(team => [team, person]),
)

const SCHEMA = (
  types: Readonly<Record<'uuid' | 'integer' | 'number' | 'boolean' | 'time', string>>,
): string => `
  CREATE TABLE folders (id ${types.integer} PRIMARY KEY, owner_id TEXT, closed ${types.boolean}, parent_id ${types.integer}, team TEXT);
  CREATE TABLE team_members (team TEXT NOT NULL, user_id TEXT NOT NULL);
  CREATE TABLE files (id ${types.integer} PRIMARY KEY, "owner ""quoted""" TEXT, status TEXT, ref ${types.uuid}, n ${types.integer}, m ${types.integer},
    x ${types.number}, flag ${types.boolean}, at ${types.time}, until ${types.time}, folder_id ${types.integer}, team TEXT)`

const FILE_COLUMNS = Object.values(file.fields)
const selectFiles = (): string =>
  `SELECT ${FILE_COLUMNS.map(field => `"${field.column.replaceAll('"', '""')}" AS "${field.name}"`).join(', ')} FROM files ORDER BY id`

/** One database with random rows, and how to ask it. */
interface Store {
  readonly dialect: DialectName
  readonly query: RunQuery
  readonly rows: readonly Readonly<Record<string, unknown>>[]
}

async function agree(store: Store): Promise<void> {
  const allIds = store.rows.map(row => String(row['id']))
  let [granted, refused, trivial] = [0, 0, 0]
  for (let turn = 0; turn < CASES; turn++) {
    const random = new Random(SEED + turn)
    const policies = definePolicies(randomPolicies(random))
    const caller = randomPrincipal(random)
    const context = randomContext(random)
    const filter = policies.filter(caller, 'file.read', 'file', context)
    const predicate = toSql(filter, { dialect: store.dialect })
    const rows = await store.query(
      `SELECT id FROM files WHERE ${predicate.text} ORDER BY id`,
      predicate.values.map(value => (typeof value === 'boolean' ? String(value) : value)),
    )
    const resources = store.rows.map(fields => ({ type: 'file', fields }))
    const facts = await loadFacts(policies, {
      principal: caller,
      action: 'file.read',
      resources,
      query: store.query,
      dialect: store.dialect,
    })
    const decided = resources
      .filter(resource => policies.decide(caller, 'file.read', resource, { ...context, facts }).allowed)
      .map(resource => String(resource.fields['id']))
    assert.deepEqual(
      rows.map(row => String(row['id'])),
      decided,
      `case ${SEED + turn}: ${JSON.stringify(caller)} ${explain(policies)} ${predicate.text} ${predicate.values.map(String)}`,
    )
    if (filter.rows === 'all') assert.deepEqual(decided, allIds)
    if (filter.rows === 'none') assert.deepEqual(decided, [])
    trivial += Number(filter.rows !== 'some')
    granted += decided.length
    refused += allIds.length - decided.length
  }
  // Cases that grant everything or nothing would agree whatever the code does.
  assert.ok(trivial < CASES * 0.7 && granted > CASES && refused > CASES, `${trivial} ${granted} ${refused}`)
}

function explain(policies: PolicySet): string {
  return policies.policies.map(policy => `${policy.effect} when ${describe(policy.when)}`).join('; ')
}

const client = new pg.Client({ connectionString: await freshDatabase({ after }) })
client.on('error', () => {})
before(() => client.connect())
after(() => client.end())

test(`decision and filter agree on SQLite, in ${CASES} random cases`, async () => {
  const db = new DatabaseSync(':memory:')
  db.exec(SCHEMA({ uuid: 'TEXT', integer: 'INTEGER', number: 'REAL', boolean: 'INTEGER', time: 'INTEGER' }))
  const plain = (value: unknown): null | number | bigint | string =>
    typeof value === 'boolean' ? Number(value) : (value as null | number | bigint | string)
  const random = new Random(1)
  for (let id = 1; id <= 6; id++)
    db.prepare('INSERT INTO folders VALUES (?, ?, ?, ?, ?)').run(
      ...Object.values(randomFolder(random, id)).map(plain),
    )
  for (const [team, person] of MEMBERS)
    db.prepare('INSERT INTO team_members VALUES (?, ?)').run(team ?? '', person ?? '')
  for (let id = 1; id <= ROWS; id++)
    db.prepare(`INSERT INTO files VALUES (${FILE_COLUMNS.map(() => '?').join(', ')})`).run(
      ...Object.values(randomFile(random, id)).map(plain),
    )
  const query = (text: string, values: readonly (string | number)[]): readonly Record<string, unknown>[] => {
    const statement = db.prepare(text)
    statement.setReadBigInts(true)
    return statement.all(...values)
  }
  await agree({ dialect: 'sqlite', query, rows: query(selectFiles(), []) })
  db.close()
})

test(`decision and filter agree on PostgreSQL, in ${CASES} random cases`, async () => {
  await client.query(
    SCHEMA({
      uuid: 'uuid',
      integer: 'bigint',
      number: 'double precision',
      boolean: 'boolean',
      time: 'timestamptz',
    }),
  )
  const random = new Random(1)
  const insert = async (table: string, values: readonly unknown[]): Promise<void> => {
    await client.query(`INSERT INTO ${table} VALUES (${values.map((_, i) => `$${i + 1}`).join(', ')})`, [
      ...values,
    ])
  }
  for (let id = 1; id <= 6; id++) await insert('folders', Object.values(randomFolder(random, id)))
  for (const [team, person] of MEMBERS) await insert('team_members', [team, person])
  for (let id = 1; id <= ROWS; id++) {
    const row = randomFile(random, id)
    // Microseconds that JavaScript never sees; and the one number that only PostgreSQL stores.
    for (const name of ['at', 'until'])
      if (row[name] !== null)
        row[name] = new Date(Number(row[name]))
          .toISOString()
          .replace('Z', `${random.pick(['000', '001', '999'])}Z`)
    if (random.next() < 0.1) row['x'] = 'NaN'
    await insert('files', Object.values(row))
  }
  const query: RunQuery = async (text, values) => (await client.query(text, [...values])).rows
  await agree({ dialect: 'postgres', query, rows: await query(selectFiles(), []) })
})
