import express from 'express'
import session from 'express-session'

declare module 'express-session' {
  interface SessionData {
    user: string
  }
}

/** What it signs session ids with. */
export const SECRET = 'keyboard cat'

/**
 * An application with sessions as express-session's own documentation writes it: it is not aware of Postern.
 */
export function sessionApplication(store: session.Store = new session.MemoryStore()): express.Express {
  const app = express()
  app.use(session({ store, secret: SECRET, resave: false, saveUninitialized: false }))
  app.get('/login', (request, response) => {
    request.session.regenerate(() => {
      request.session.user = String(request.query['user'])
      response.send(`signed in as ${request.session.user}`)
    })
  })
  app.get('/logout', (request, response) => {
    request.session.destroy(() => {
      response.clearCookie('connect.sid').send('signed out')
    })
  })
  app.get('/', (request, response) => {
    response.send(`hello ${request.session.user ?? 'nobody'}`)
  })
  return app
}
