import { randomBytes } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { first } from '../database.ts'
import { accountPage } from '../pages/account-pages.ts'
import { loginPage, registerPage } from '../pages/shop-pages.ts'
import { hashPassword, isPassword } from '../passwords.ts'
import { fields, isJson, SESSION_COOKIE, type Shop, sendPage, visitorOf } from '../shop.ts'

/** Accounts: see one's own, and sign in, sign out and register unless Postern in front does that. */
export function accountRoutes(app: FastifyInstance, shop: Shop): void {
  const { database } = shop
  if (shop.identity === undefined) ownSignIn(app, shop)
  else gatewaySignIn(app)

  app.get('/account', async (request, reply) => {
    const visitor = await visitorOf(shop, request)
    const found = visitor && (await first(database, 'SELECT * FROM customer WHERE id = $1', [visitor.id]))
    const [customer] = found === undefined ? [] : await shop.people.open([found])
    if (customer === undefined) return reply.redirect('/login')
    const orders = await database.all(
      'SELECT purchase.*, name FROM purchase JOIN customer ON customer.id = customer_id WHERE customer_id = $1 ORDER BY placed DESC',
      [Number(customer['id'])],
    )
    return sendPage(shop, request, reply, { title: 'Your account', body: accountPage(customer, orders) })
  })

  app.get('/api/me', async (request, reply) => {
    const visitor = await visitorOf(shop, request)
    return visitor ?? reply.code(401).send({ error: 'Sign in first.' })
  })
}

/** The pages of Postern in place of the shop's own. */
function gatewaySignIn(app: FastifyInstance): void {
  app.get('/login', (_request, reply) => reply.redirect('/.postern/sign-in?back=/account'))
  app.get('/register', (_request, reply) => reply.redirect('/.postern/sign-up'))
  app.post('/logout', (_request, reply) => reply.redirect('/.postern/sign-out', 303))
}

/** The shop's own accounts. HOLE (guessing): nothing counts how often somebody tries. */
function ownSignIn(app: FastifyInstance, shop: Shop): void {
  const { database } = shop

  const signIn = async (reply: FastifyReply, customer: number): Promise<void> => {
    const token = randomBytes(16).toString('hex')
    await database.run('INSERT INTO session (token, customer_id, since) VALUES ($1, $2, $3)', [
      token,
      customer,
      Date.now(),
    ])
    // HOLE (session theft): a script can read the cookie, and other sites can send it.
    reply.setCookie(SESSION_COOKIE, token, { path: '/', sameSite: false })
  }

  const refuse = (request: FastifyRequest, reply: FastifyReply, status: number, problem: string): unknown =>
    isJson(request)
      ? reply.code(status).send({ error: problem })
      : sendPage(shop, request, reply.code(status), {
          title: 'Sign in',
          body: request.url.startsWith('/register') ? registerPage(problem) : loginPage(problem),
        })

  const login = async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const { email, password } = fields(request, 'email', 'password')
    const customer = await shop.people.byEmail(email)
    // HOLE (enumeration): the answer tells which addresses have an account.
    if (customer === undefined) return refuse(request, reply, 401, 'There is no account with that e-mail.')
    if (!isPassword(password, String(customer['password'])))
      return refuse(request, reply, 401, 'The password is wrong.')
    await signIn(reply, Number(customer['id']))
    return isJson(request) ? reply.send({ id: customer['id'] }) : reply.redirect('/account')
  }

  const register = async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const { name, email, password } = fields(request, 'name', 'email', 'password')
    if (name === '' || !email.includes('@') || password === '')
      return refuse(request, reply, 400, 'Name, e-mail and password, please.')
    const customer = await shop.people.add({ name, email, password: hashPassword(password) })
    if (customer === undefined) return refuse(request, reply, 409, 'That e-mail has an account already.')
    await signIn(reply, Number(customer['id']))
    return isJson(request) ? reply.code(201).send({ id: customer['id'] }) : reply.redirect('/account')
  }

  const logout = async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    await database.run('DELETE FROM session WHERE token = $1', [request.cookies[SESSION_COOKIE] ?? ''])
    reply.clearCookie(SESSION_COOKIE, { path: '/' })
    return isJson(request) ? reply.send({ ok: true }) : reply.redirect('/')
  }

  app.get('/login', (request, reply) =>
    sendPage(shop, request, reply, { title: 'Sign in', body: loginPage(undefined) }),
  )
  app.get('/register', (request, reply) =>
    sendPage(shop, request, reply, { title: 'Make an account', body: registerPage(undefined) }),
  )
  for (const prefix of ['', '/api']) {
    app.post(`${prefix}/login`, login)
    app.post(`${prefix}/register`, register)
    app.post(`${prefix}/logout`, logout)
  }
}
