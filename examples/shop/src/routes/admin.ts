import type { FastifyInstance } from 'fastify'
import { first, type Row } from '../database.ts'
import { adminPage } from '../pages/account-pages.ts'
import { fields, isJson, orMissing, parameter, type Shop, sendPage } from '../shop.ts'

/**
 * The admin area. HOLE (missing authorization): it has no lock at all, only a link that others do not see.
 */
export function adminRoutes(app: FastifyInstance, shop: Shop): void {
  const { database } = shop

  app.get('/admin', async (request, reply) => {
    const [totals = {}] = await database.all(`SELECT
      (SELECT count(*) FROM customer) AS customers, (SELECT count(*) FROM purchase) AS orders,
      (SELECT count(*) FROM product) AS products, (SELECT coalesce(sum(total), 0) FROM purchase) AS revenue`)
    const orders = await database.all(
      'SELECT purchase.*, name FROM purchase JOIN customer ON customer.id = customer_id ORDER BY placed DESC LIMIT 8',
    )
    const email = parameter(request.query, 'email')
    const found = email === '' ? undefined : await shop.people.byEmail(email)
    const customers =
      email === ''
        ? await shop.people.open(await database.all('SELECT * FROM customer ORDER BY id LIMIT 50'))
        : found === undefined
          ? []
          : [found]
    return sendPage(shop, request, reply, { title: 'Admin', body: adminPage(totals, customers, orders) })
  })

  // HOLE (mass export): every customer with address, date of birth and card, in one request.
  app.get('/admin/export.csv', async (_request, reply) => {
    const customers = await shop.people.open(await database.all('SELECT * FROM customer ORDER BY id'))
    return reply
      .type('text/csv')
      .header('content-disposition', 'attachment; filename="customers.csv"')
      .send(csv(customers))
  })

  // HOLE (mass delete): all orders of a status, or all orders, in one request.
  app.post('/admin/orders/delete', async (request, reply) => {
    const { status } = fields(request, 'status')
    const deleted =
      status === ''
        ? await database.run('DELETE FROM purchase')
        : await database.run('DELETE FROM purchase WHERE status = $1', [status])
    return isJson(request) ? { deleted } : reply.redirect('/admin')
  })

  app.get('/api/customers', async () =>
    shop.people.open(await database.all('SELECT * FROM customer ORDER BY id')),
  )
  app.get('/api/customers/:id', async request => {
    const id = Number(parameter(request.params, 'id')) || 0
    const row = orMissing(await first(database, 'SELECT * FROM customer WHERE id = $1', [id]), 'customer')
    return (await shop.people.open([row]))[0]
  })
  app.delete('/api/customers/:id', async request => ({
    deleted: await database.run('DELETE FROM customer WHERE id = $1', [
      Number(parameter(request.params, 'id')) || 0,
    ]),
  }))
}

function csv(rows: readonly Row[]): string {
  const cell = (value: unknown): string => `"${String(value ?? '').replaceAll('"', '""')}"`
  const head = Object.keys(rows[0] ?? {})
  return `${[head, ...rows.map(row => head.map(name => row[name]))].map(line => line.map(cell).join(',')).join('\r\n')}\r\n`
}
