import { readFile } from 'node:fs/promises'
import { findPackageJSON, stripTypeScriptTypes } from 'node:module'
import { dirname, join, normalize, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { first } from '../database.ts'
import { notesPage } from '../pages/notes-page.ts'
import { fields, parameter, type Shop, sendPage, visitorOf } from '../shop.ts'

const HELD = import.meta.resolve('@postern/vault/held')
const UNLOCK = import.meta.resolve('@postern/vault/unlock')
/**
 * What the browser module is made of, each in a folder of its own: an application with a bundler bundles it
 * instead.
 */
const MODULES: ReadonlyMap<string, string> = new Map([
  ['held', dirname(fileURLToPath(HELD))],
  ...['hpke', 'shamir-secret-sharing', '@noble/curves', '@noble/hashes'].map(
    name => [name, dirname(findPackageJSON(name, HELD) ?? '')] as const,
  ),
])

/**
 * Private notes: sealed and opened in the customer's browser. The shop stores a sealed text, a wrapped key
 * and a grant, and can read none of them.
 */
export function noteRoutes(app: FastifyInstance, shop: Shop): void {
  const { database } = shop

  const customerOf = async (request: FastifyRequest): Promise<number> => {
    const visitor = await visitorOf(shop, request)
    if (visitor !== undefined) return visitor.id
    throw Object.assign(new Error('Sign in first.'), { statusCode: 401 })
  }

  app.get('/notes', async (request, reply) => {
    const id = await customerOf(request)
    return sendPage(shop, request, reply, { title: 'Private notes', body: notesPage(id, MODULE_ENTRIES) })
  })

  app.get('/api/note', async request => {
    const id = await customerOf(request)
    return (
      (await first(database, 'SELECT member, space, sealed FROM note WHERE customer_id = $1', [id])) ?? {}
    )
  })

  app.put('/api/note', async request => {
    const id = await customerOf(request)
    const { member, space, sealed } = fields(request, 'member', 'space', 'sealed')
    await database.run('DELETE FROM note WHERE customer_id = $1', [id])
    await database.run('INSERT INTO note (customer_id, member, space, sealed) VALUES ($1, $2, $3, $4)', [
      id,
      member,
      space,
      sealed,
    ])
    return { ok: true }
  })

  app.get('/modules/*', async (request, reply) => {
    const path = parameter(request.params, '*')
    const [name = ''] = [...MODULES.keys()].filter(known => path.startsWith(`${known}/`))
    const folder = MODULES.get(name)
    const file = normalize(join(folder ?? '', path.slice(name.length + 1)))
    const isCode = /\.(?:js|ts)$/.test(file)
    if (folder === undefined || !isCode || !file.startsWith(folder + sep))
      return reply.code(404).send({ error: 'there is no such module' })
    const source = await readFile(file, 'utf8').catch(() => undefined)
    if (source === undefined) return reply.code(404).send({ error: 'there is no such module' })
    return reply
      .type('text/javascript; charset=utf-8')
      .send(file.endsWith('.ts') ? stripTypeScriptTypes(source) : source)
  })
}

/** Entries of the browser modules. */
const MODULE_ENTRIES = { held: moduleAt(HELD), unlock: moduleAt(UNLOCK) }

function moduleAt(url: string): string {
  return `/modules/held/${url.slice(url.lastIndexOf('/') + 1)}`
}
