import type { FastifyInstance } from 'fastify'
import { first, type Row } from '../database.ts'
import { picture } from '../pages/picture.ts'
import { homePage, productPage, productsPage, searchPage } from '../pages/shop-pages.ts'
import { fields, isJson, orMissing, parameter, type Shop, sendPage } from '../shop.ts'

/** Home, products, search, reviews. */
export function productRoutes(app: FastifyInstance, shop: Shop): void {
  const { database } = shop
  const byId = async (id: string): Promise<Row> =>
    orMissing(await first(database, 'SELECT * FROM product WHERE id = $1', [Number(id) || 0]), 'product')

  // HOLE (SQL injection): the order is pasted into the statement.
  const list = (sort: string): Promise<readonly Row[]> =>
    database.all(`SELECT * FROM product ORDER BY ${sort === '' ? 'id' : sort}`)

  // HOLE (SQL injection): what is searched for is pasted into the statement.
  const search = (query: string): Promise<readonly Row[]> =>
    database.all(
      `SELECT id, name, description, price FROM product WHERE name LIKE '%${query}%' OR description LIKE '%${query}%'`,
    )

  app.get('/', async (request, reply) => {
    const products = await database.all('SELECT * FROM product ORDER BY (id * 7) % 40 LIMIT 8')
    return sendPage(shop, request, reply, { title: 'Good things for bad weather', body: homePage(products) })
  })

  app.get('/products', async (request, reply) => {
    const products = await list(parameter(request.query, 'sort'))
    return sendPage(shop, request, reply, { title: 'Products', body: productsPage(products) })
  })

  app.get('/search', async (request, reply) => {
    const query = parameter(request.query, 'q')
    return sendPage(shop, request, reply, {
      title: 'Search',
      query,
      body: searchPage(query, await search(query)),
    })
  })

  app.get('/products/:id', async (request, reply) => {
    const product = await byId(parameter(request.params, 'id'))
    const reviews = await database.all('SELECT * FROM review WHERE product_id = $1 ORDER BY id', [
      Number(product['id']),
    ])
    return sendPage(shop, request, reply, {
      title: String(product['name']),
      body: productPage(product, reviews),
    })
  })

  app.post('/products/:id/reviews', async (request, reply) => {
    const product = await byId(parameter(request.params, 'id'))
    const { author, text } = fields(request, 'author', 'text')
    await database.run('INSERT INTO review (product_id, author, stars, text) VALUES ($1, $2, 5, $3)', [
      Number(product['id']),
      author,
      text,
    ])
    return isJson(request) ? reply.code(201).send({ ok: true }) : reply.redirect(`/products/${product['id']}`)
  })

  app.get('/images/:file', async (request, reply) => {
    const product = await byId(parameter(request.params, 'file').replace('.svg', ''))
    return reply
      .type('image/svg+xml')
      .header('cache-control', 'max-age=3600')
      .send(picture(String(product['category']), Number(product['hue'])))
  })

  app.get('/api/products', request => list(parameter(request.query, 'sort')))
  app.get('/api/products/:id', request => byId(parameter(request.params, 'id')))
  app.get('/api/search', request => search(parameter(request.query, 'q')))
}
