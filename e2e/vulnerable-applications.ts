import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DatabaseSync } from 'node:sqlite'
import express from 'express'
import pg from 'pg'
import { type Config, type Event, postern } from 'postern'

/** How a vulnerable application runs the statement that it joined. */
type Query = (statement: string) => unknown

/** A running application with a hole, and what became of the statements that it joined. */
export interface Vulnerable {
  readonly url: string
  /** Statements that the database was sent, less those that a sink refused. */
  readonly ran: () => number
  /** How often a sink refused one. */
  readonly refused: () => number
  close(): Promise<void>
}

/** Without a configuration, nothing protects it. */
export interface VulnerableOptions {
  readonly config?: Config
}

const ROWS = ['a lamp for the hall', 'a rug', "somebody's chair"]
const ACCOUNTS = Array.from(
  { length: 20 },
  (_, index) => [`user${index}@example.com`, `hash${index}`] as const,
)

/**
 * A guest book, after the usual examples of a first injection: its search joins free text to the statement.
 * On `node:sqlite`.
 */
export async function guestBook(options: VulnerableOptions = {}): Promise<Vulnerable> {
  const database = new DatabaseSync(':memory:')
  database.exec(
    'create table notes (id integer primary key, text text); create table account (email text, hash text)',
  )
  for (const row of ROWS) database.prepare('insert into notes (text) values (?)').run(row)
  for (const account of ACCOUNTS) database.prepare('insert into account values (?, ?)').run(...account)
  return serve(
    options,
    statement => database.prepare(statement).all(),
    () => database.close(),
  )
}

/**
 * A catalogue, after the product search of the usual vulnerable shops: free text in a JSON body. On
 * PostgreSQL, with a pool of `pg`.
 * @param database its URL; two tables are made there
 */
export async function catalogue(database: string, options: VulnerableOptions = {}): Promise<Vulnerable> {
  const pool = new pg.Pool({ connectionString: database, max: 4 })
  await pool.query('drop table if exists notes, account')
  await pool.query(
    'create table notes (id serial primary key, text text); create table account (email text, hash text)',
  )
  for (const row of ROWS) await pool.query('insert into notes (text) values ($1)', [row])
  for (const account of ACCOUNTS) await pool.query('insert into account values ($1, $2)', [...account])
  return serve(
    options,
    async statement => (await pool.query(statement)).rows,
    () => pool.end(),
  )
}

async function serve({ config }: VulnerableOptions, query: Query, end: () => unknown): Promise<Vulnerable> {
  let ran = 0
  let refused = 0
  const layer =
    config === undefined
      ? undefined
      : await postern({
          config: {
            audit: false,
            limits: { address: false, busy: false },
            dataDirectory: false,
            ...config,
          },
          log: 'none',
          onEvent: (event: Event) => {
            if (event.type === 'sink.refused') refused++
          },
        })
  const app = express()
  app.disable('x-powered-by')
  if (layer !== undefined) app.use(layer.express())
  app.use(express.json())
  app.post('/search', async (request: express.Request, response: express.Response) => {
    const { text } = request.body as { readonly text?: unknown }
    try {
      const found = query(`select id, text from notes where text like '%${String(text)}%' order by id`)
      // Counted once the statement was handed over: a refusal throws, or rejects before anything is sent.
      const rows = await found
      ran++
      response.json(rows)
    } catch (error) {
      if (!(error instanceof Error && error.name === 'SinkRefused')) ran++
      response.status(500).json({ error: 'the search failed' })
    }
  })
  const server: Server = createServer(app)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/search`,
    ran: () => ran,
    refused: () => refused,
    async close() {
      server.closeAllConnections()
      server.close()
      await layer?.close()
      await end()
    },
  }
}
