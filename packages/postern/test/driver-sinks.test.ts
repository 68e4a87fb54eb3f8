import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { sql as drizzleSql } from 'drizzle-orm'
import { drizzle as drizzleMysql } from 'drizzle-orm/mysql2'
import { drizzle as drizzlePg } from 'drizzle-orm/node-postgres'
import { Kysely, MysqlDialect, PostgresDialect, sql } from 'kysely'
import core from 'mysql2'
import mysql from 'mysql2/promise'
import pg from 'pg'
import { DataSource } from 'typeorm'
import { startMariadb } from '../../../test/mariadb-server.ts'
import { freshDatabase } from '../../../test/services.ts'
import { type Event, postern } from '../src/index.ts'

// What an application does with a value it received, through each driver and what is built on it: joined to
// the statement, and bound. Each is asked for an honest name first, then for an attack; inspection has an
// exception for it, so that the sink alone decides.

const mariadb = await startMariadb()
/** Ends what was brought up, once nothing is connected to it. */
const endings: (() => unknown)[] = [() => mariadb.stop()]
const scope = { after: (end: () => unknown) => void endings.push(end) }
const url = await freshDatabase(scope)
const ATTACK = "nobody' or 'a'='a"
/** A piece of the statement below. */
const PIECE = 'goods where name ='
const FIND = 'select name from goods where name ='

const pool = new pg.Pool({ connectionString: url, max: 2 })
const narrow = new pg.Pool({ connectionString: url, max: 1 })
const client = new pg.Client({ connectionString: url })
await client.connect()
const connection = core.createConnection(mariadb.url)
const mysqlPool = core.createPool({ uri: mariadb.url, connectionLimit: 2 })
const narrowMysql = core.createPool({ uri: mariadb.url, connectionLimit: 1 })
const promised = mysql.createPool({ uri: mariadb.url, connectionLimit: 2 })
const kyselyPg = new Kysely<{ goods: { name: string } }>({ dialect: new PostgresDialect({ pool }) })
const kyselyMysql = new Kysely<{ goods: { name: string } }>({
  dialect: new MysqlDialect({ pool: mysqlPool }),
})
const typeormPg = await new DataSource({ type: 'postgres', url }).initialize()
const typeormMysql = await new DataSource({
  type: 'mysql',
  url: mariadb.url,
}).initialize()
const drizzledPg = drizzlePg(pool)
const drizzledMysql = drizzleMysql(promised)
after(async () => {
  await Promise.all([
    kyselyPg.destroy(),
    narrow.end(),
    client.end(),
    typeormPg.destroy(),
    typeormMysql.destroy(),
  ])
  await Promise.all([promised.end(), kyselyMysql.destroy(), new Promise(done => narrowMysql.end(done))])
  connection.destroy()
  for (const end of endings) await end()
})
for (const query of [(text: string) => client.query(text), (text: string) => promised.query(text)]) {
  await query('create table goods (name varchar(100))')
  await query("insert into goods values ('lamp'), ('rug')")
}

/** Calls with a callback, as a promise. */
const called = (call: (callback: (error: unknown, rows: unknown) => void) => void): Promise<unknown> =>
  new Promise((resolve, reject) => call((error, rows) => (error ? reject(error) : resolve(rows))))

interface Way {
  readonly joined: (name: string) => Promise<unknown>
  readonly bound: (name: string) => Promise<unknown>
}

const WAYS: Readonly<Record<string, Way>> = {
  'pg client': {
    joined: name => client.query(`${FIND} '${name}'`),
    bound: name => client.query(`${FIND} $1`, [name]),
  },
  'pg client with a callback': {
    joined: name => called(done => client.query(`${FIND} '${name}' limit 5`, done)),
    bound: name => called(done => client.query(`${FIND} $1 limit 5`, [name], done)),
  },
  'pg pool': {
    joined: name => pool.query({ text: `${FIND} '${name}' limit 6` }),
    bound: name => pool.query({ text: `${FIND} $1 limit 6`, values: [name] }),
  },
  'pg named statement': {
    joined: name => pool.query({ name: 'joined', text: `${FIND} '${name}' limit 7` }),
    bound: name => pool.query({ name: 'bound', text: `${FIND} $1 limit 7`, values: [name] }),
  },
  'pg transaction': {
    joined: name => inTransaction(connected => connected.query(`${FIND} '${name}' limit 8`)),
    bound: name => inTransaction(connected => connected.query(`${FIND} $1 limit 8`, [name])),
  },
  'mysql2 connection': {
    joined: name => called(done => connection.query(`${FIND} '${name}'`, done)),
    bound: name => called(done => connection.query(`${FIND} ?`, [name], done)),
  },
  'mysql2 pool': {
    joined: name => called(done => mysqlPool.query(`${FIND} '${name}' limit 5`, done)),
    bound: name => called(done => mysqlPool.execute(`${FIND} ? limit 5`, [name], done)),
  },
  'mysql2/promise': {
    joined: name => promised.query({ sql: `${FIND} '${name}' limit 6` }),
    bound: name => promised.execute({ sql: `${FIND} ? limit 6`, values: [name] }),
  },
  'mysql2 prepared statement': {
    joined: name => prepared(`${FIND} '${name}' limit 7`, []),
    bound: name => prepared(`${FIND} ? limit 7`, [name]),
  },
  'Kysely over pg': {
    joined: name => sql.raw(`${FIND} '${name}' limit 9`).execute(kyselyPg),
    bound: name => kyselyPg.selectFrom('goods').select('name').where('name', '=', name).execute(),
  },
  'Kysely over mysql2': {
    joined: name => sql.raw(`${FIND} '${name}' limit 9`).execute(kyselyMysql),
    bound: name => kyselyMysql.selectFrom('goods').select('name').where('name', '=', name).execute(),
  },
  'Drizzle over pg': {
    joined: name => drizzledPg.execute(drizzleSql.raw(`${FIND} '${name}' limit 10`)),
    bound: name => drizzledPg.execute(drizzleSql`select name from goods where name = ${name}`),
  },
  'Drizzle over mysql2': {
    joined: name => drizzledMysql.execute(drizzleSql.raw(`${FIND} '${name}' limit 10`)),
    bound: name => drizzledMysql.execute(drizzleSql`select name from goods where name = ${name}`),
  },
  'TypeORM over pg': {
    joined: name => typeormPg.query(`${FIND} '${name}' limit 11`),
    bound: name => typeormPg.query(`${FIND} $1 limit 11`, [name]),
  },
  'TypeORM over mysql2': {
    joined: name => typeormMysql.query(`${FIND} '${name}' limit 11`),
    bound: name => typeormMysql.query(`${FIND} ? limit 11`, [name]),
  },
}

async function inTransaction(work: (client: pg.PoolClient) => Promise<unknown>): Promise<unknown> {
  const connected = await pool.connect()
  try {
    await connected.query('begin')
    return await work(connected)
  } finally {
    await connected.query('rollback')
    connected.release()
  }
}

async function prepared(statement: string, values: readonly string[]): Promise<unknown> {
  const connected = await promised.getConnection()
  try {
    const made = await connected.prepare(statement)
    return await made.execute([...values])
  } finally {
    connected.release()
  }
}

/** The names that were found, whatever shape a driver gives them. */
const namesIn = (found: unknown): readonly string[] =>
  [...new Set(JSON.stringify(found).match(/(?<="name":")(?:lamp|rug)(?=")/g) ?? [])].sort()

const events: Event[] = []
const layer = await postern({
  config: {
    audit: false,
    dataDirectory: false,
    inspect: { except: [{ rule: 'sqli/*', parameter: 'query.name' }] },
  },
  log: 'none',
  onEvent: event => void (event.type.startsWith('sink.') && events.push(event)),
})
after(() => layer.close())

/** An error that stands for another, as ORMs make them. */
const isRefusal = (error: unknown): boolean =>
  error instanceof Error &&
  (error.name === 'SinkRefused' || isRefusal(error.cause) || isRefusal(Reflect.get(error, 'driverError')))

const handle = layer.fetch(async request => {
  const { pathname, searchParams } = new URL(request.url)
  const [, way, manner] = pathname.split('/').map(decodeURIComponent)
  const work = WAYS[way ?? '']?.[manner === 'joined' ? 'joined' : 'bound']
  try {
    return Response.json(namesIn(await work?.(searchParams.get('name') ?? '')))
  } catch (error) {
    return Response.json(isRefusal(error) ? 'refused' : String(error))
  }
})

async function ask(way: string, manner: string, name: string): Promise<unknown> {
  const target = `http://shop.example/${encodeURIComponent(way)}/${manner}?name=${encodeURIComponent(name)}`
  return (await handle(new Request(target))).json()
}

describe('a statement with a value of the request', { timeout: 120_000 }, () => {
  for (const way of Object.keys(WAYS)) {
    test(`${way}: runs where the value is bound, or is what it seems; is refused where it acts`, async () => {
      assert.deepEqual(await ask(way, 'joined', 'lamp'), ['lamp'])
      assert.deepEqual(await ask(way, 'bound', ATTACK), [])
      events.splice(0)
      assert.equal(await ask(way, 'joined', ATTACK), 'refused')
      assert.deepEqual(
        events.map(({ type, data }) => [type, data?.['kind'], data?.['location']]),
        [['sink.refused', 'sql', 'query.name']],
      )
      assert.deepEqual(await ask(way, 'bound', 'rug'), ['rug'])
    })
  }

  /** Whoever holds the connection sends a piece of what the others run. */
  const statementFor = (name: string): string =>
    name === PIECE ? 'select 1' : `${FIND} '${name === ATTACK ? name : 'lamp'}' limit 2${name.length}`

  test('that waits for a connection is compared with its own request, and with no other', async () => {
    const waits: Readonly<Record<string, (statement: string) => Promise<unknown>>> = {
      pg: statement => called(done => narrow.query(statement, done)),
      mysql2: statement => called(done => narrowMysql.query(statement, done)),
    }
    for (const [driver, query] of Object.entries(waits)) {
      const run = layer.fetch(async request => {
        const name = new URL(request.url).searchParams.get('name') ?? ''
        try {
          return Response.json(namesIn(await query(statementFor(name))))
        } catch (error) {
          return Response.json(isRefusal(error) ? 'refused' : String(error))
        }
      })
      const answers = await Promise.all(
        [PIECE, ATTACK, PIECE, 'lamp'].map(async name =>
          (await run(new Request(`http://shop.example/?name=${encodeURIComponent(name)}`))).json(),
        ),
      )
      assert.deepEqual(
        answers.map(answer => (answer === 'refused' ? answer : 'found')),
        ['found', 'refused', 'found', 'found'],
        driver,
      )
    }
  })
})
