import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import cookie from '@fastify/cookie'
import formbody from '@fastify/formbody'
import multipart from '@fastify/multipart'
import fastifyStatic from '@fastify/static'
import websocket from '@fastify/websocket'
import type { Vault } from '@postern/vault'
import Fastify, { type FastifyInstance } from 'fastify'
import type { Around } from './around.ts'
import { first, openDatabase, type ShopDatabase } from './database.ts'
import { gatewayIdentity, type IdentityOptions } from './gateway-identity.ts'
import { type People, plainPeople, vaultPeople } from './people.ts'
import { accountRoutes } from './routes/accounts.ts'
import { adminRoutes } from './routes/admin.ts'
import { fileRoutes } from './routes/files.ts'
import { noteRoutes } from './routes/notes.ts'
import { orderRoutes } from './routes/orders.ts'
import { productRoutes } from './routes/products.ts'
import { schema } from './schema.ts'
import { seed } from './seed.ts'
import type { Shop } from './shop.ts'

export interface ShopOptions {
  /** Port on loopback; 0 for a free one. */
  readonly port: number
  /** PostgreSQL to keep the shop in. */
  readonly databaseUrl?: string
  /** Where SQLite and uploads are kept; in memory and a temporary folder unless given. */
  readonly dataDirectory?: string
  /** Leaves sign-in to Postern in front of it; the shop signs people in itself unless given. */
  readonly identity?: IdentityOptions
  /** Seals what it has about people; needs PostgreSQL. */
  readonly vault?: Vault
  /** What stands around it in this process; nothing unless given. */
  readonly around?: Around
}

export interface RunningShop {
  readonly url: string
  /** Who is behind a session of the shop, for whatever identifies its visitors. */
  sessionOf(token: string): Promise<ShopSession | undefined>
  close(): Promise<void>
}

/**
 * Starts the shop on 127.0.0.1, filled with the same data every time. It is
 * vulnerable on purpose: see README.md.
 */
export async function startShop(options: ShopOptions): Promise<RunningShop> {
  const directory = options.dataDirectory ?? mkdtempSync(join(tmpdir(), 'postern-shop-'))
  const uploads = join(directory, 'uploads')
  mkdirSync(uploads, { recursive: true })
  const file = options.dataDirectory === undefined ? undefined : join(directory, 'shop.db')
  const isNew = file === undefined || !existsSync(file)
  const database = await openDatabase({ databaseUrl: options.databaseUrl, file, around: options.around })
  const isEmpty = options.databaseUrl === undefined ? isNew : await isWithoutTables(database)
  if (isEmpty) {
    await database.script(schema(options.databaseUrl === undefined ? 'sqlite' : 'postgres'))
    await seed(database)
  }
  database.guard()
  const app = Fastify({ bodyLimit: 20 * 1_024 * 1_024, forceCloseConnections: true })
  if (options.around !== undefined) await app.register(options.around.plugin)
  const notify = await prepare(app, uploads, options.around)
  const people =
    options.vault === undefined || database.pool === undefined
      ? plainPeople(database)
      : vaultPeople(database.pool, options.vault)
  const shop: Shop = {
    database,
    people,
    uploads,
    notify,
    ...(options.identity !== undefined && { identity: gatewayIdentity(people, options.identity) }),
  }
  productRoutes(app, shop)
  accountRoutes(app, shop)
  orderRoutes(app, shop)
  adminRoutes(app, shop)
  fileRoutes(app, shop)
  if (options.vault !== undefined) noteRoutes(app, shop)
  const url = await app.listen({ host: '127.0.0.1', port: options.port })
  const close = async (): Promise<void> => {
    await app.close()
    await database.close()
    if (options.dataDirectory === undefined) rmSync(directory, { recursive: true, force: true })
  }
  let closing: Promise<void> | undefined
  return {
    url,
    sessionOf: token => sessionOf(database, people, token),
    close: () => {
      closing ??= close()
      return closing
    },
  }
}

/** A session of the shop's own sign-in. */
export interface ShopSession {
  readonly email: string
  readonly role: string
  /** When it began, epoch milliseconds. */
  readonly since: number
}

async function sessionOf(
  database: ShopDatabase,
  people: People,
  token: string,
): Promise<ShopSession | undefined> {
  const sealed = await first(
    database,
    'SELECT customer.id, email, role, since FROM session JOIN customer ON customer.id = customer_id WHERE token = $1',
    [token],
  )
  if (sealed === undefined) return undefined
  const [row] = await people.open([sealed])
  return row === undefined
    ? undefined
    : { email: String(row['email']), role: String(row['role']), since: Number(row['since']) }
}

async function isWithoutTables(database: {
  all(sql: string): Promise<readonly unknown[]>
}): Promise<boolean> {
  return (
    (await database.all("SELECT 1 FROM information_schema.tables WHERE table_name = 'purchase'")).length === 0
  )
}

/** The plugins, the notifications and the errors. @returns how to tell everybody who is connected */
async function prepare(
  app: FastifyInstance,
  uploads: string,
  around: Around | undefined,
): Promise<Shop['notify']> {
  await app.register(cookie)
  await app.register(formbody)
  await app.register(multipart, { limits: { fileSize: 20 * 1_024 * 1_024 } })
  await app.register(fastifyStatic, { root: uploads, prefix: '/uploads/' })
  await app.register(websocket)
  // HOLE (missing authentication): whoever connects hears everything.
  app.get('/notifications', { websocket: true }, socket => {
    socket.send(JSON.stringify({ type: 'hello' }))
  })
  // HOLE (talkative errors): the caller reads what the database said.
  app.setErrorHandler((error, request, reply) => {
    const foreign = around?.answer(error, request.headers.accept)
    if (foreign !== undefined) return reply.code(foreign.status).headers(foreign.headers).send(foreign.body)
    const { message, statusCode } = error as { readonly message?: string; readonly statusCode?: number }
    return reply.code(statusCode ?? 500).send({ error: message ?? String(error) })
  })
  app.get('/healthz', () => ({ ok: true }))
  return message => {
    const text = JSON.stringify(message)
    for (const socket of app.websocketServer.clients) socket.send(text)
  }
}
