import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { test } from 'node:test'
import { checkAdminPort, checkPort } from '../src/doctor/check-network.ts'

test('doctor names the option of the listener whose port is taken, and no fault where a free port is used', async t => {
  const taken = createServer().listen(0, '127.0.0.1')
  t.after(() => taken.close())
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  const place = { host: '127.0.0.1', port }
  const gateway = await checkPort(place, false)
  assert.deepEqual([gateway.state, gateway.check], ['bad', 'gateway port'])
  assert.match(gateway.hint ?? '', /--listen \d+/)
  const asked = await checkAdminPort(place, false, true)
  assert.deepEqual([asked.state, asked.check], ['bad', 'admin port'])
  assert.match(asked.hint ?? '', /--admin \d+/)
  const usual = await checkAdminPort(place, false, false)
  assert.deepEqual(
    [usual.state, usual.detail],
    ['ok', `127.0.0.1:${port} is taken, a free port will be used`],
  )
  assert.match((await checkAdminPort(place, true, false)).detail, /running gateway/)
})
