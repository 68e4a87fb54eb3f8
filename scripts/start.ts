// `npm start`: a shop without any security of its own behind the gateway, and three attacks to try.
// `npm start -- --to http://127.0.0.1:3000`: your own backend instead.
// `--port 9000`: another port for the gateway.
import { createServer } from 'node:net'
import { parseArgs } from 'node:util'
import { startShop } from '../examples/shop/src/server.ts'
import { EXIT } from '../packages/cli/src/command/exit-code.ts'
import { main } from '../packages/cli/src/command/main.ts'
import { checkDataDirectory } from '../packages/cli/src/doctor/check-data.ts'
import { loadConfig } from '../packages/config/src/load-config.ts'
import { PortInUse } from '../packages/runtime/src/port-in-use.ts'
import { readRunFile } from '../packages/server/src/admin/run-file.ts'
import { ensurePage } from './build-page.ts'

const USAGE = 'usage: npm start [-- [--to http://127.0.0.1:3000] [--port 8080] [--observe]]'
const HOST = '127.0.0.1'
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

/** Why nothing can listen on a port, or undefined when it is free. */
function problemOf(port: number): Promise<unknown> {
  return new Promise(done => {
    const probe = createServer()
    probe.once('error', error => done(PortInUse.explain(error, HOST, port, '--port')))
    probe.listen(port, HOST, () => probe.close(() => done(undefined)))
  })
}

/** The first free port from 8080 on, when none was asked for. */
async function choosePort(): Promise<number> {
  const first = await problemOf(FIRST_PORT)
  if (first === undefined) return FIRST_PORT
  for (let port = FIRST_PORT + 1; port < FIRST_PORT + 50; port++) {
    if ((await problemOf(port)) !== undefined) continue
    console.log(
      `${first instanceof Error ? first.message : `port ${FIRST_PORT} cannot be used`}; taking ${port}.`,
    )
    return port
  }
  return FIRST_PORT
}

function tryThis(gateway: string, shop: string): string {
  return `
  The shop, protected      ${gateway}      (sign in as ada@example.com, "correct horse battery")
  The shop, unprotected    ${shop}      (the same attacks, to compare)

Open the console (its link is printed below, once the gateway listens): it has these attacks as buttons, shows each as it
arrives, and says why it was refused. Or try them from another terminal:

  1. SQL injection: the search pastes what it is given into its statement. Unprotected it lists every customer's password hash.
     curl -i "${gateway}/api/search?q=%25'%20UNION%20SELECT%20id,email,password,role%20FROM%20customer--%20"
     403, "Request refused".

  2. Path traversal: the download follows ../ out of its folder. Unprotected it serves any file of this machine.
     curl -i "${gateway}/files/download?name=../../../../../../../../etc/passwd"
     403, "Request refused".

  3. Guessing a password: nothing in the shop counts attempts. Unprotected it answers as fast as it is asked.
     for i in $(seq 1 25); do curl -s -o /dev/null -w '%{http_code} ' -d 'email=admin@example.com&password=guess'$i ${gateway}/login; done; echo
     401 five times, then 429 with Retry-After: one address gets five tries, and one more every 15 minutes.

Why was a request refused? Every refusal carries a request id (X-Request-Id, and in the answer itself):
     npm run --silent postern -- explain REQUEST-ID

Ctrl-C stops both.
`
}

async function isAlive(admin: string): Promise<boolean> {
  const answer = await fetch(`${admin}/healthz`, { signal: AbortSignal.timeout(1_000) }).catch(
    () => undefined,
  )
  await answer?.body?.cancel()
  return answer?.ok === true
}

/**
 * What would keep the gateway from starting: reported before the shop starts and its addresses are printed.
 */
async function obstacle(port: number | undefined): Promise<{ problem: string; hint: string } | undefined> {
  const folder = process.cwd()
  const { config } = await loadConfig({ folder, environment: process.env })
  const data = config.dataDirectory
  const running = readRunFile(data)
  // The number of a process that was killed may be another's by now.
  if (running !== undefined && (await isAlive(running.admin)))
    return {
      problem: `another Postern runs here already: ${running.gateway} (process ${running.pid}, data in ${data})`,
      hint: `use that one, or stop it first: Ctrl-C where it runs, or kill ${running.pid}`,
    }
  const { state, detail, hint } = checkDataDirectory(data)
  if (state === 'bad') return { problem: detail, hint: hint ?? 'set dataDirectory' }
  const taken = port === undefined ? undefined : await problemOf(port)
  if (taken === undefined) return undefined
  return taken instanceof PortInUse
    ? { problem: taken.message, hint: taken.hint }
    : { problem: String(taken), hint: '--port' }
}

async function start({ to, port, observe }: Options): Promise<number> {
  // The gateway itself reports a configuration with mistakes, and all of them at once.
  const found = await obstacle(port).catch(() => undefined)
  if (found !== undefined) {
    console.error(`error: ${found.problem}\n  hint: ${found.hint}`)
    return EXIT.unavailable
  }
  const listen = `${HOST}:${port ?? (await choosePort())}`
  await ensurePage()
  const shop = to === undefined ? await startShop({ port: 0 }) : undefined
  const upstream = to ?? shop?.url ?? ''
  if (shop !== undefined) console.log(tryThis(`http://${listen}`, shop.url))
  try {
    return await main(
      ['gateway', '--to', upstream, '--listen', listen, '--console', ...(observe ? ['--observe'] : [])],
      process,
    )
  } finally {
    await shop?.close()
  }
}

const options = readOptions()
process.exit(options === undefined ? 2 : await start(options))
