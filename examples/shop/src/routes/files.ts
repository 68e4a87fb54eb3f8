import { createWriteStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import type { FastifyInstance } from 'fastify'
import { fields, parameter, type Shop } from '../shop.ts'

/** Leaflets the shop offers for download. */
const LEAFLETS = fileURLToPath(new URL('../../files', import.meta.url))
const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]'])

/** Files: leaflets to download, uploads, pictures fetched from an address. */
export function fileRoutes(app: FastifyInstance, shop: Shop): void {
  // HOLE (path traversal): `../` leads out of the folder.
  app.get('/files/download', async (request, reply) => {
    const name = parameter(request.query, 'name')
    const content = await readFile(join(LEAFLETS, name)).catch(() => undefined)
    if (content === undefined) return reply.code(404).send({ error: `there is no file ${name}` })
    return reply.type('text/plain; charset=utf-8').send(content)
  })

  // HOLE (unrestricted upload): any type, and the name is kept; a page uploaded here
  // runs on the shop's origin.
  app.post('/api/upload', async (request, reply) => {
    const file = await request.file()
    if (file === undefined) return reply.code(400).send({ error: 'send a file' })
    // The one thing that is not left open: an example must not be able to overwrite files of its user.
    const name = file.filename.replaceAll(/[^\w.-]/g, '_').replace(/^\.+/, '')
    await pipeline(file.file, createWriteStream(join(shop.uploads, name)))
    return reply.code(201).send({ address: `/uploads/${name}` })
  })

  // HOLE (SSRF): the shop fetches any URL it is given, from inside. Limited to this machine, so that an
  // example cannot be used against others.
  app.post('/api/import-image', async (request, reply) => {
    const { url } = fields(request, 'url')
    const target = URL.parse(url)
    if (target === null || !['http:', 'https:'].includes(target.protocol))
      return reply.code(400).send({ error: 'that is not an address' })
    if (!LOOPBACK.has(target.hostname))
      return reply.code(400).send({ error: 'this example fetches from this machine only' })
    const answer = await fetch(target, { redirect: 'manual', signal: AbortSignal.timeout(3_000) })
    return reply
      .type(answer.headers.get('content-type') ?? 'application/octet-stream')
      .send(Buffer.from(await answer.arrayBuffer()))
  })
}
