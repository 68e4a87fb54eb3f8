// `npm start`: a shop without any security of its own behind the gateway, and three attacks to try.
// `npm start -- --to http://127.0.0.1:3000`: your own backend instead.
// `--with identity`, `--with login`, `--with budgets`: the shop with a configuration of examples/shop/with.
// `--port 9000`: another port for the gateway.
import { readdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startGuardedShop } from '../examples/shop/src/guarded.ts'
import { startShop } from '../examples/shop/src/server.ts'
import { EXIT } from '../packages/cli/src/command/exit-code.ts'
import { main } from '../packages/cli/src/command/main.ts'
import { loadConfig } from '../packages/config/src/load/load-config.ts'
import { PortInUse } from '../packages/runtime/src/integrations/port-in-use.ts'
import { readRunFile } from '../packages/server/src/admin/run-file.ts'
import { checkDataDirectory } from '../packages/server/src/doctor/check-data.ts'
import { ensurePage } from './build-page.ts'
import { root } from './workspace.ts'

const USAGE = 'usage: npm start [-- [--to http://127.0.0.1:3000] [--with NAME] [--port 8080] [--observe]]'
const HOST = '127.0.0.1'
const WITH = join(root, 'examples/shop/with')
const FIRST_PORT = 8080
/** The configuration that is for Postern in the shop's own process. */
const IN_PROCESS = 'budgets'

interface Options {
  readonly to: string | undefined
  /** A file of `examples/shop/with`. */
  readonly config: string | undefined
  readonly port: number | undefined
  readonly observe: boolean
}

function readOptions(): Options | undefined {
  try {
    const { values } = parseArgs({
      options: {
        to: { type: 'string' },
        with: { type: 'string' },
        port: { type: 'string' },
        observe: { type: 'boolean', default: false },
      },
    })
    const port = values.port === undefined ? undefined : Number(values.port)
    if (port !== undefined && !(Number.isInteger(port) && port >= 1 && port <= 65_535))
      throw new Error(`"${values.port}" is not a port`)
    return { to: values.to, config: configurationOf(values.with), port, observe: values.observe }
  } catch (error) {
    console.error(`postern: ${error instanceof Error ? error.message : error}\n${USAGE}`)
    return undefined
  }
}

/** The file of a configuration that `--with` names. @throws Error that lists what there is */
function configurationOf(name: string | undefined): string | undefined {
  if (name === undefined) return undefined
  const names = readdirSync(WITH).flatMap(file => /^([a-z-]+)\.(?:yaml|ts)$/.exec(file)?.[1] ?? [])
  if (names.includes(name)) return join(WITH, `${name}.${name === IN_PROCESS ? 'ts' : 'yaml'}`)
  throw new Error(`there is no configuration "${name}": use one of ${names.join(', ')}`)
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

function signInThere(origin: string): string {
  return `
  The shop, with sign-in by Postern      ${origin}

  Make an account      ${origin}/.postern/sign-up      (the mail is a file in examples/shop/with/.postern/outbox)
  Devices, passkeys    ${origin}/.postern/account
  The admin area       ${origin}/admin      asks for the role admin. Give it to yourself in another terminal:
     npm run --silent postern -- -c examples/shop/with/identity.yaml users roles you@example.com admin

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

/** What `--with` and the configuration say about where to listen. */
interface Place {
  readonly port: number | undefined
  /** Where Postern signs people in, if it does. */
  readonly origin: string | undefined
}

/** Links, passkeys and checks of identity are bound to its origin: the gateway listens there. */
async function placeOf({ config: path, port }: Options): Promise<Place> {
  const { config } = await loadConfig({ path, folder: process.cwd(), environment: process.env })
  const origin = config.identity?.origin
  return { port: port ?? (origin === undefined ? undefined : Number(new URL(origin).port)), origin }
}

/**
 * What would keep the gateway from starting: reported before the shop starts and its addresses are printed.
 */
async function obstacle(
  path: string | undefined,
  port: number | undefined,
): Promise<{ problem: string; hint: string } | undefined> {
  const { config } = await loadConfig({ path, folder: process.cwd(), environment: process.env })
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

/** The shop with Postern in its process, until it receives a signal. */
async function startInProcess(port: number): Promise<number> {
  const { SHOP_DATABASE_URL: databaseUrl, SHOP_DATA: dataDirectory } = process.env
  const shop = await startGuardedShop({
    port,
    ...(databaseUrl !== undefined && { databaseUrl }),
    ...(dataDirectory !== undefined && { dataDirectory }),
  })
  console.log(`
  The shop, with row budgets             ${shop.url}
  Requests that wait for consent         ${shop.url}/.postern/approvals

  sam@example.com "lighthouse-keeper"    support: deletes 50 orders an hour, and more with consent
  admin@example.com "admin"              consents

The whole story: docs/stolen-session.md. Ctrl-C stops it.
`)
  await new Promise<void>(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve())
  })
  await shop.close()
  return EXIT.done
}

async function start(options: Options): Promise<number> {
  const { to, config, observe } = options
  // The gateway itself reports a configuration with mistakes, and all of them at once.
  const { port, origin } = await placeOf(options).catch(() => ({ port: options.port, origin: undefined }))
  const found = await obstacle(config, port).catch(() => undefined)
  if (found !== undefined) {
    console.error(`error: ${found.problem}\n  hint: ${found.hint}`)
    return EXIT.unavailable
  }
  if (config === join(WITH, `${IN_PROCESS}.ts`)) return await startInProcess(port ?? (await choosePort()))
  const listen = `${HOST}:${port ?? (await choosePort())}`
  await ensurePage()
  const identity = origin === undefined ? {} : { identity: { origin, audience: 'harbour-supply' } }
  const shop = to === undefined ? await startShop({ port: 0, ...identity }) : undefined
  const upstream = to ?? shop?.url ?? ''
  if (shop !== undefined)
    console.log(origin === undefined ? tryThis(`http://${listen}`, shop.url) : signInThere(origin))
  try {
    return await main(
      [
        ...['gateway', '--to', upstream, '--listen', listen, '--console'],
        ...(observe ? ['--observe'] : []),
        ...(config === undefined ? [] : ['--config', config]),
      ],
      process,
    )
  } finally {
    await shop?.close()
  }
}

const options = readOptions()
process.exit(options === undefined ? 2 : await start(options))
