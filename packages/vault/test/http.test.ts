import 'reflect-metadata'
import assert from 'node:assert/strict'
import type { Server } from 'node:http'
import { after, describe, it } from 'node:test'
import { type ArgumentsHost, Catch, Controller, Get, Module, Param, Req } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { PosternError, StoreError } from '@postern/core'
import express, { type Request } from 'express'
import { requestVault } from '../src/http/request-vault.ts'
import { answerVaultError, vaultErrorAnswer } from '../src/http/vault-error.ts'
import { Vault } from '../src/table/vault.ts'
import { TestPerson, testHolders } from './support/holders.ts'

const holders = testHolders({ budgets: { person: 4, service: 4, served: 100, table: 100, all: 100 } })
const vault = new Vault({
  tables: { customers: { key: ['id'], columns: { email: { mode: 'split' } } } },
  split: holders.keys,
})
const ids = ['1', '2', '3', '4', '5', '6', '7', '8']
const stored = await vault.sealRows(
  'customers',
  ids.map(id => ({ id, email: `${id}@example.com` })),
)
const anne = new TestPerson('anne', holders.enroller, holders.clock)
const named = (...rows: string[]) =>
  rows.map(row => ({ tenant: '', table: 'customers', row: [row], columns: ['email'] }))

async function readFrom(url: string, row: string, capability?: string) {
  const headers = capability === undefined ? {} : { 'postern-capability': capability }
  const response = await fetch(`${url}/customers/${row}`, { headers })
  const body = (await response.json()) as Record<string, unknown>
  return { status: response.status, retry: response.headers.get('retry-after'), body }
}

const rowsOf = (id: string) => (id === 'all' ? stored : stored.filter(row => row['id'] === id))

async function expressUrl(): Promise<string> {
  const app = express()
  app.get('/customers/:id', async (request, response) => {
    response.json(await requestVault(vault, request).openRows('customers', rowsOf(request.params.id)))
  })
  app.get('/broken/customers/:id', () => {
    throw new TypeError('a bug')
  })
  app.use(answerVaultError)
  app.use((_error: unknown, _request: unknown, response: express.Response, _next: unknown) => {
    response.status(599).json({ passed: 'on' })
  })
  const server = await new Promise<Server>(done => {
    const made = app.listen(0, '127.0.0.1', () => done(made))
  })
  after(() => server.close())
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
}

class Customers {
  read(request: Request, id: string) {
    return requestVault(vault, request).openRows('customers', rowsOf(id))
  }
}
const method = Object.getOwnPropertyDescriptor(Customers.prototype, 'read') as PropertyDescriptor
Get(':id')(Customers.prototype, 'read', method)
Req()(Customers.prototype, 'read', 0)
Param('id')(Customers.prototype, 'read', 1)
Controller('customers')(Customers)

/** The filter of docs/vault.md, without decorators. */
class VaultFilter {
  catch(error: unknown, host: ArgumentsHost) {
    const http = host.switchToHttp()
    answerVaultError(error, http.getRequest(), http.getResponse(), other => {
      throw other
    })
  }
}
Catch(PosternError)(VaultFilter)

class App {}
Module({ controllers: [Customers] })(App)

async function nestUrl(): Promise<string> {
  const app = await NestFactory.create(App, { logger: false })
  app.useGlobalFilters(new VaultFilter())
  await app.listen(0, '127.0.0.1')
  after(() => app.close())
  return (await app.getUrl()).replace('[::1]', '127.0.0.1')
}

for (const [name, start] of [
  ['Express', expressUrl],
  ['NestJS', nestUrl],
] as const)
  describe(name, () => {
    it('opens on the authority of the request, and answers refusals without a reason', async () => {
      const url = await start()
      const capability = anne.capability(named('1'))
      const first = await readFrom(url, '1', capability)
      assert.deepEqual([first.status, first.body], [200, [{ id: '1', email: '1@example.com' }]])
      const again = await readFrom(url, '1', capability)
      assert.equal(again.status, 403)
      assert.deepEqual(again.body, {
        title: 'these records may not be opened',
        status: 403,
        code: 'POSTERN_CREDENTIAL',
      })
      const other = await readFrom(url, '2', anne.capability(named('1')))
      assert.equal(other.status, 403)
      const many = await readFrom(url, 'all', anne.capability(named(...ids)))
      assert.equal(many.status, 429)
      assert.ok(Number(many.retry) > 0)
      assert.ok(!JSON.stringify(many.body).includes('anne'))
    })
  })

describe('errors', () => {
  it('of other kinds are passed on', async () => {
    const { status, body } = await readFrom(`${await expressUrl()}/broken`, '1')
    assert.deepEqual([status, body], [599, { passed: 'on' }])
  })

  it('of holders that are away are 503', () => {
    const error = new StoreError('fewer than two of 3 answered', { store: 'holders', retryable: true })
    assert.equal(vaultErrorAnswer(error)?.status, 503)
    assert.equal(vaultErrorAnswer(new TypeError('x')), undefined)
  })
})
