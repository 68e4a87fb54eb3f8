// An application with better-auth as its documentation writes it, and not aware of Postern: PORT says where
// it listens, TRUSTED which origin people use.
import { createServer } from 'node:http'
import { betterAuth } from 'better-auth'
import { memoryAdapter } from 'better-auth/adapters/memory'
import { toNodeHandler } from 'better-auth/node'

const port = Number(process.env.PORT)
const auth = betterAuth({
  baseURL: `http://127.0.0.1:${port}`,
  secret: 'a secret of the application, long enough for it',
  database: memoryAdapter({ user: [], session: [], account: [], verification: [] }),
  emailAndPassword: { enabled: true },
  trustedOrigins: [process.env.TRUSTED],
  telemetry: { enabled: false },
})
const handler = toNodeHandler(auth)

createServer((request, response) => {
  if (request.url?.startsWith('/api/auth/')) return handler(request, response)
  response.end(`${request.url}\n`)
}).listen(port, '127.0.0.1')
