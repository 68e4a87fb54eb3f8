import { createServer } from 'node:http'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { answering, root, run } from './protected.ts'
import { sessionApplication } from './session-application.ts'

/** A request as a person's browser or any other client sends it: with `json`, a POST. */
export interface Step {
  readonly path: string
  readonly json?: object
}

/** An application that signs people in itself and is not aware of Postern. */
export interface Application {
  readonly name: string
  /** Its session cookie. */
  readonly cookie: string
  /** Starts it on a port of loopback, for people who come by `origin`; it ends with the test. */
  start(t: TestContext, port: number, origin: string): Promise<void>
  signIn(user: string): Step
  readonly signOut: Step
  /** Where it says who asks. */
  readonly who: string
  /** Whom that answer names: a user, `nobody`, or undefined where it is not the application's. */
  whoIn(text: string): string | undefined
}

/** express-session as its documentation writes it: signs in by pages. */
export const EXPRESS_SESSION: Application = {
  name: 'express-session',
  cookie: 'connect.sid',
  start: async (t, port) => {
    const server = createServer(sessionApplication()).listen(port, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
    t.after(() => {
      server.closeAllConnections()
      server.close()
    })
  },
  signIn: user => ({ path: `/login?user=${user}` }),
  signOut: { path: '/logout' },
  who: '/',
  whoIn: text => /^hello (\w+)$/.exec(text)?.[1],
}

/** better-auth as its documentation writes it: signs in by calls. */
export const BETTER_AUTH: Application = {
  name: 'better-auth',
  cookie: 'better-auth.session_token',
  start: async (t, port, origin) => {
    const application = run(process.execPath, [join(root, 'e2e/better-auth-application.mjs')], {
      env: { ...process.env, PORT: String(port), TRUSTED: origin },
    })
    t.after(() => application.stop())
    await answering(`http://127.0.0.1:${port}`)
  },
  signIn: user => ({
    path: '/api/auth/sign-up/email',
    json: { name: user, email: `${user}@shop.example`, password: 'a quiet river' },
  }),
  signOut: { path: '/api/auth/sign-out', json: {} },
  who: '/api/auth/get-session',
  whoIn: text => {
    if (text === 'null') return 'nobody'
    return text.startsWith('{')
      ? (JSON.parse(text) as { readonly user?: { readonly name: string } }).user?.name
      : undefined
  },
}
