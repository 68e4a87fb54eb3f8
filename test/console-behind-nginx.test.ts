// Two consoles below two paths of one origin, behind a real nginx with TLS, in Chromium.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { BrowserContext, Page } from 'playwright-core'
import { PLACES } from '../packages/console/page/src/lib/places.ts'
import { certificate } from '../packages/gateway/test/tls.ts'
import { freePort } from '../packages/identity/test/site.ts'
import { ConsoleInBrowser } from './console-in-browser.ts'
import { installMissing } from './install-services.ts'
import { until } from './until.ts'

const isInstalled = (): boolean => spawnSync('nginx', ['-v'], { env: ENVIRONMENT }).status === 0
const ENVIRONMENT = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` }

/** A console below a path of the front. */
interface Below {
  readonly opened: ConsoleInBrowser
  readonly path: string
}

async function below(path: string, front: number): Promise<Below> {
  const console = `listen: 127.0.0.1:${await freePort()}\n  path: ${path}\n  origins: ['https://localhost:${front}']`
  return { path, opened: await ConsoleInBrowser.open({ console, signIn: 'no' }) }
}

/** As people write it: the first keeps the path, the second removes it. */
/** The location that docs/console.md prints, for another path and port. */
function printedLocation(path: string, port: string): string {
  const page = readFileSync(join(import.meta.dirname, '../docs/console.md'), 'utf8')
  const [location = ''] = /location \/console\/ \{[^}]*\}/.exec(page) ?? []
  assert.match(location, /proxy_pass http:\/\/127\.0\.0\.1:9465;/)
  return location.replace('/console/', path).replace(':9465', `:${port}`)
}

function nginxText(folder: string, front: number, shop: Below, blog: Below): string {
  const portOf = ({ opened }: Below): string => new URL(opened.served.console?.address ?? '').port
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
events {}
http {
  access_log off;
  ${temporary.map(name => `${name}_temp_path ${folder}/${name};`).join(' ')}
  server {
    listen 127.0.0.1:${front} ssl;
    server_name localhost;
    ssl_certificate ${folder}/cert.pem;
    ssl_certificate_key ${folder}/key.pem;
    ${printedLocation('/ops/shop/', portOf(shop))}
    location /ops/blog/ { proxy_pass http://127.0.0.1:${portOf(blog)}/; proxy_set_header Host $http_host; }
  }
}
`
}

/** Asks for the bans, or sets one, as the page itself does. @returns status and body */
function callFromPage(page: Page, method: 'GET' | 'POST'): Promise<string> {
  const { pathname } = new URL(page.url())
  return page.evaluate(
    async ([given = '', path = '']: readonly string[]): Promise<string> => {
      const key = `postern-console-token:${path}`
      const answer = await fetch('api/bans', {
        method: given,
        headers: { 'Content-Type': 'application/json', 'Console-Token': localStorage.getItem(key) ?? '' },
        ...(given === 'POST' && { body: JSON.stringify({ actor: '198.51.100.9', reason: 'test' }) }),
      })
      return `${answer.status} ${await answer.text()}`
    },
    [method, pathname],
  )
}

const isOpen = (port: number): Promise<boolean> =>
  new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    }).on('error', () => resolve(false))
  })

describe('two consoles below paths of one origin, behind nginx', () => {
  let shop: Below
  let blog: Below
  let nginx: ChildProcess
  let context: BrowserContext
  let page: Page
  let origin = ''
  const faults: string[] = []
  const left: string[] = []

  before(async () => {
    installMissing(
      isInstalled() ? [] : [{ name: 'nginx', variable: 'PATH', packages: ['nginx-light'], isInstalled }],
    )
    const front = await freePort()
    origin = `https://localhost:${front}`
    shop = await below('/ops/shop/', front)
    blog = await below('/ops/blog/', front)
    const { folder } = shop.opened
    const { cert, key } = certificate()
    writeFileSync(join(folder, 'cert.pem'), cert)
    writeFileSync(join(folder, 'key.pem'), key)
    writeFileSync(join(folder, 'nginx.conf'), nginxText(folder, front, shop, blog))
    const args = ['-p', folder, '-e', `${folder}/error.log`, '-c', `${folder}/nginx.conf`]
    nginx = spawn('nginx', args, { stdio: 'ignore', env: ENVIRONMENT })
    await until(() => isOpen(front))
    context = await shop.opened.newContext({ ignoreHTTPSErrors: true })
    context.setDefaultTimeout(20_000)
    page = await context.newPage()
    page.on('console', message => {
      if (message.type() === 'error' && !message.text().includes('401')) faults.push(message.text())
    })
    page.on('pageerror', error => faults.push(error.message))
    page.on('request', request => {
      if (!/^\/ops\/(?:shop|blog)\//.test(new URL(request.url()).pathname)) left.push(request.url())
    })
  })

  after(async () => {
    await context?.close()
    if (nginx !== undefined) {
      nginx.kill('SIGTERM')
      await new Promise(resolve => nginx.once('exit', resolve))
    }
    await blog?.opened.close()
    await shop?.opened.close()
  })

  const signIn = async ({ opened, path }: Below): Promise<void> => {
    const link = opened.served.console?.link ?? ''
    assert.ok(link.startsWith(`${origin}${path}#link=`), link)
    // A page that is open already takes the link without being loaded.
    await page.goto('about:blank')
    await page.goto(link)
    await page.getByRole('heading', { name: 'Overview' }).waitFor()
  }

  test('whoever signs in to one stays signed in to the other', async () => {
    await signIn(shop)
    await signIn(blog)
    for (const { path } of [shop, blog]) {
      await page.goto('about:blank')
      await page.goto(`${origin}${path}`)
      await page.getByRole('heading', { name: 'Overview' }).waitFor()
    }
    const cookies = await context.cookies()
    assert.equal(cookies.length, 2)
    for (const { name, path, secure, httpOnly, sameSite } of cookies) {
      assert.match(name, /^__Host-postern-console-/)
      assert.deepEqual(
        { path, secure, httpOnly, sameSite },
        { path: '/', secure: true, httpOnly: true, sameSite: 'Strict' },
      )
    }
  })

  test('every screen opens, live rows arrive, and acting works, below the path alone', async () => {
    for (const { opened, path } of [shop, blog]) {
      await page.goto('about:blank')
      await page.goto(`${origin}${path}#/live`)
      await page.getByRole('heading', { name: 'Live' }).waitFor()
      await opened.send(`/came-through-nginx?q=${encodeURIComponent('<script>alert(1)</script>')}`)
      await page.getByText('/came-through-nginx').first().waitFor()
      for (const { id } of PLACES) {
        await page.locator(`a[href="#/${id}"]`).first().click()
        await page.locator(`a[href="#/${id}"][aria-current="page"]`).first().waitFor()
        await page.getByRole('heading', { level: 1 }).first().waitFor()
        assert.equal(new URL(page.url()).pathname, path)
      }
      assert.match(await callFromPage(page, 'POST'), /^200 /)
      assert.match(await callFromPage(page, 'GET'), /198\.51\.100\.9/)
    }
    assert.deepEqual(faults, [])
    assert.deepEqual(left, [])
  })

  test('the path without its last slash leads to the console', async () => {
    const port = new URL(shop.opened.served.console?.address ?? '').port
    const answer = await fetch(`http://127.0.0.1:${port}/ops/shop`, { redirect: 'manual' })
    assert.equal(answer.status, 308)
    assert.equal(
      new URL(answer.headers.get('location') ?? '', `${origin}/ops/shop`).href,
      `${origin}/ops/shop/`,
    )
    await page.goto('about:blank')
    await page.goto(`${origin}/ops/blog`)
    await page.getByRole('heading', { name: 'Overview' }).waitFor()
  })

  test('attack: a page of another port of the host acts with the cookies of somebody who is signed in', async t => {
    const hostile = createServer((_, response) =>
      response.setHeader('Content-Type', 'text/html').end('<p>hi</p>'),
    )
    hostile.listen(0, '127.0.0.1')
    await new Promise(resolve => hostile.once('listening', resolve))
    t.after(() => hostile.close())
    const address = hostile.address()
    assert.ok(typeof address === 'object' && address !== null)
    const other = await context.newPage()
    await other.goto(`http://localhost:${address.port}/`)
    const statuses = await other.evaluate(async (target: string): Promise<readonly string[]> => {
      const ask = (init: RequestInit): Promise<string> =>
        fetch(`${target}/ops/shop/api/bans`, { ...init, credentials: 'include' }).then(
          answer => `${answer.type} ${answer.status}`,
          () => 'refused',
        )
      return [
        await ask({ method: 'GET' }),
        await ask({ method: 'POST', mode: 'no-cors', body: '{"actor":"203.0.113.1","reason":"x"}' }),
        await ask({ method: 'POST', body: '{}', headers: { 'Content-Type': 'application/json' } }),
      ]
    }, origin)
    assert.deepEqual(statuses, ['refused', 'refused', 'refused'])
    await other.close()
    const standing = await callFromPage(page, 'GET')
    assert.doesNotMatch(standing, /203\.0\.113\.1/)
  })

  test('signing out of one keeps the other', async () => {
    await page.goto('about:blank')
    await page.goto(`${origin}${blog.path}`)
    await page.getByRole('heading', { name: 'Overview' }).waitFor()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('heading', { name: 'Sign in to Postern' }).waitFor()
    await page.goto('about:blank')
    await page.goto(`${origin}${shop.path}`)
    await page.getByRole('heading', { name: 'Overview' }).waitFor()
    const names = (await context.cookies()).map(({ name }) => name)
    assert.equal(names.length, 1)
  })
})
