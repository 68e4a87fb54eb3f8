// `npm start`: a shop without any security of its own behind the gateway, and three attacks to try.
// `npm start -- --to http://127.0.0.1:3000`: your own backend instead. `--port 9000`: another port for the gateway.
import { createServer } from 'node:net'
import { parseArgs } from 'node:util'
import { startShop } from '../examples/shop/src/server.ts'
import { main } from '../packages/postern/src/command/main.ts'

const USAGE = 'usage: npm start [-- [--to http://127.0.0.1:3000] [--port 8080] [--observe]]'
const FIRST_PORT = 8080

interface Options {
  readonly to: string | undefined
  readonly port: number | undefined
  readonly observe: boolean
}

function readOptions(): Options | undefined {
  try {
    const { values } = parseArgs({
      options: {
        to: { type: 'string' },
        port: { type: 'string' },
        observe: { type: 'boolean', default: false },
      },
    })
    const port = values.port === undefined ? undefined : Number(values.port)
    if (port !== undefined && !(Number.isInteger(port) && port >= 1 && port <= 65_535))
      throw new Error(`"${values.port}" is not a port`)
    return { to: values.to, port, observe: values.observe }
  } catch (error) {
    console.error(`postern: ${error instanceof Error ? error.message : error}\n${USAGE}`)
    return undefined
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
}

/** The first free port from 8080 on, when none was asked for. */
async function choosePort(): Promise<number> {
  for (let port = FIRST_PORT; port < FIRST_PORT + 50; port++) {
    if (!(await isFree(port))) continue
    if (port !== FIRST_PORT) console.log(`Port ${FIRST_PORT} is in use; taking ${port}.`)
    return port
  }
  return FIRST_PORT
}

function tryThis(gateway: string, shop: string): string {
  return `
  The shop, protected      ${gateway}      (sign in as ada@example.com, "correct horse battery")
  The shop, unprotected    ${shop}      (the same attacks, to compare)

Three attacks to try from another terminal:

  1. SQL injection: the search pastes what it is given into its statement. Unprotected it lists every customer's password hash.
     curl -i "${gateway}/api/search?q=%25'%20UNION%20SELECT%20id,email,password,role%20FROM%20customer--%20"
     403, "Request refused".

  2. Path traversal: the download follows ../ out of its folder. Unprotected it serves any file of this machine.
     curl -i "${gateway}/files/download?name=../../../../../../../../etc/passwd"
     403, "Request refused".

  3. Guessing a password: nothing in the shop counts attempts. Unprotected it answers as fast as it is asked.
     for i in $(seq 1 25); do curl -s -o /dev/null -w '%{http_code} ' -d 'email=admin@example.com&password=guess'$i ${gateway}/login; done; echo
     401 again and again, then 429 with Retry-After: at most 20 tries a minute from one address.

Why was a request refused? Every refusal carries a request id (X-Request-Id, and in the answer itself):
     npm run --silent postern -- explain REQUEST-ID

Ctrl-C stops both.
`
}

async function start({ to, port, observe }: Options): Promise<number> {
  const listen = `127.0.0.1:${port ?? (await choosePort())}`
  const shop = to === undefined ? await startShop({ port: 0 }) : undefined
  const upstream = to ?? shop?.url ?? ''
  if (shop !== undefined) console.log(tryThis(`http://${listen}`, shop.url))
  try {
    return await main(
      ['gateway', '--to', upstream, '--listen', listen, ...(observe ? ['--observe'] : [])],
      process,
    )
  } finally {
    await shop?.close()
  }
}

const options = readOptions()
process.exit(options === undefined ? 2 : await start(options))
