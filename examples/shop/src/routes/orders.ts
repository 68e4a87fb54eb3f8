import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { first, type Row } from '../database.ts'
import { orderPage } from '../pages/account-pages.ts'
import type { Visitor } from '../pages/layout.ts'
import { fields, isJson, orMissing, parameter, type Shop, sendPage, visitorOf } from '../shop.ts'

const WITH_CUSTOMER = `SELECT purchase.*, name, email, phone, street, city, card
  FROM purchase JOIN customer ON customer.id = customer_id`

/** Orders: one's own, one by number, a new one, many deleted at once. */
export function orderRoutes(app: FastifyInstance, shop: Shop): void {
  const { database } = shop

  const signedIn = async (request: FastifyRequest): Promise<Visitor> => {
    const visitor = await visitorOf(shop, request)
    if (visitor !== undefined) return visitor
    throw Object.assign(new Error('Sign in first.'), { statusCode: 401 })
  }

  // HOLE (IDOR): signed in is enough; nobody asks whose order it is.
  const orderOf = async (request: FastifyRequest): Promise<Row> => {
    await signedIn(request)
    const id = Number(parameter(request.params, 'id')) || 0
    const row = orMissing(await first(database, `${WITH_CUSTOMER} WHERE purchase.id = $1`, [id]), 'order')
    const [order] = await shop.people.open([row], 'customer_id')
    return orMissing(order, 'order')
  }

  const linesOf = (id: number): Promise<readonly Row[]> =>
    database.all(
      'SELECT name, quantity, purchase_line.price FROM purchase_line JOIN product ON product.id = product_id WHERE purchase_id = $1',
      [id],
    )

  const place = async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const visitor = await signedIn(request)
    const { product: productId, quantity, note } = fields(request, 'product', 'quantity', 'note')
    const product = orMissing(
      await first(database, 'SELECT id, price FROM product WHERE id = $1', [Number(productId) || 0]),
      'product',
    )
    // HOLE (business logic): a negative quantity makes a negative total.
    const count = Number(quantity === '' ? 1 : quantity) || 1
    const placed = new Date().toISOString().slice(0, 16).replace('T', ' ')
    const [order] = await database.all(
      `INSERT INTO purchase (customer_id, placed, status, note, total) VALUES ($1, $2, 'paid', $3, $4) RETURNING id, total`,
      [visitor.id, placed, note, Number(product['price']) * count],
    )
    await database.run(
      'INSERT INTO purchase_line (purchase_id, product_id, quantity, price) VALUES ($1, $2, $3, $4)',
      [Number(order?.['id']), Number(product['id']), count, Number(product['price'])],
    )
    // HOLE (leak): everybody who is connected hears who ordered what.
    shop.notify({ type: 'order', order: { ...order, customer: visitor.name } })
    return isJson(request) ? reply.code(201).send(order) : reply.redirect(`/orders/${order?.['id']}`)
  }

  app.get('/orders/:id', async (request, reply) => {
    const order = await orderOf(request)
    return sendPage(shop, request, reply, {
      title: `Order ${order['id']}`,
      body: orderPage(order, await linesOf(Number(order['id']))),
    })
  })
  app.post('/orders', place)
  app.post('/api/orders', place)

  app.get('/api/orders', async request => {
    const visitor = await signedIn(request)
    return database.all('SELECT * FROM purchase WHERE customer_id = $1 ORDER BY id', [visitor.id])
  })

  app.get('/api/orders/:id', async request => {
    const order = await orderOf(request)
    return { ...order, lines: await linesOf(Number(order['id'])) }
  })

  app.patch('/api/orders/:id', async request => {
    const order = await orderOf(request)
    const { status, note } = fields(request, 'status', 'note')
    await database.run('UPDATE purchase SET status = $1, note = $2 WHERE id = $3', [
      status === '' ? String(order['status']) : status,
      note,
      Number(order['id']),
    ])
    return { ok: true }
  })

  app.delete('/api/orders/:id', async request => {
    const order = await orderOf(request)
    return { deleted: await database.run('DELETE FROM purchase WHERE id = $1', [Number(order['id'])]) }
  })

  // HOLE (mass delete): any signed-in customer, any number of orders, anybody's.
  app.post('/api/orders/delete', async request => {
    await signedIn(request)
    const { ids } = request.body as { readonly ids?: readonly unknown[] }
    const numbers = (Array.isArray(ids) ? ids : []).map(Number).filter(Number.isSafeInteger)
    if (numbers.length === 0) return { deleted: 0 }
    return { deleted: await database.run(`DELETE FROM purchase WHERE id IN (${numbers.join(', ')})`) }
  })
}
