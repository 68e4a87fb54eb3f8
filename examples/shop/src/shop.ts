import type { FastifyReply, FastifyRequest } from 'fastify'
import { first, type Row, type ShopDatabase } from './database.ts'
import type { GatewayIdentity } from './gateway-identity.ts'
import { type PageOptions, page, type Visitor } from './pages/layout.ts'
import type { People } from './people.ts'

/** What every route of the shop works with. */
export interface Shop {
  readonly database: ShopDatabase
  /** Reads and writes what the database has about people. */
  readonly people: People
  /** Folder for what people upload. */
  readonly uploads: string
  /** Says who acts, when Postern signs people in; absent when the shop does. */
  readonly identity?: GatewayIdentity
  /** Tells everybody who is connected. */
  notify(message: object): void
}

export const SESSION_COOKIE = 'shop_session'

/** Who is signed in: by the gateway's word where it signs people in, else by the shop's cookie. */
export async function visitorOf(shop: Shop, request: FastifyRequest): Promise<Visitor | undefined> {
  if (shop.identity !== undefined) {
    const said = request.headers['x-identity-jwt']
    return shop.identity(typeof said === 'string' ? said : undefined)
  }
  const token = request.cookies[SESSION_COOKIE]
  if (token === undefined) return undefined
  const row = await first(
    shop.database,
    'SELECT customer.id, name, role FROM session JOIN customer ON customer.id = customer_id WHERE token = $1',
    [token],
  )
  return row === undefined
    ? undefined
    : { id: Number(row['id']), name: String(row['name']), role: String(row['role']) }
}

/** Sends a page to whoever is looking. */
export async function sendPage(
  shop: Shop,
  request: FastifyRequest,
  reply: FastifyReply,
  options: Omit<PageOptions, 'visitor'>,
): Promise<FastifyReply> {
  const visitor = await visitorOf(shop, request)
  return reply.type('text/html; charset=utf-8').send(page({ ...options, visitor }))
}

/** The fields of a form or a JSON object, as text; missing ones are empty. */
export function fields<Name extends string>(request: FastifyRequest, ...names: Name[]): Record<Name, string> {
  const body =
    typeof request.body === 'object' && request.body !== null ? (request.body as Record<string, unknown>) : {}
  return Object.fromEntries(names.map(name => [name, String(body[name] ?? '')])) as Record<Name, string>
}

/** A parameter of the path or the query, as text; empty when missing. */
export function parameter(source: unknown, name: string): string {
  const value =
    typeof source === 'object' && source !== null ? (source as Record<string, unknown>)[name] : undefined
  return value === undefined ? '' : String(value)
}

export function isJson(request: FastifyRequest): boolean {
  return request.headers['content-type']?.startsWith('application/json') === true
}

/** The row, or an answer 404. */
export function orMissing(row: Row | undefined, what: string): Row {
  if (row !== undefined) return row
  throw Object.assign(new Error(`there is no such ${what}`), { statusCode: 404 })
}
