import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseListen } from '../../config/src/key/types.ts'
import { reachOf, reachSentence } from '../src/listener/reach.ts'

const v4 = (address: string) => ({
  address,
  family: 'IPv4' as const,
  netmask: '255.255.255.0',
  mac: '00:00:00:00:00:00',
  internal: address.startsWith('127.'),
  cidr: null,
})
const v6 = (address: string) => ({ ...v4(address), family: 'IPv6' as const, scopeid: 0 })
const INTERFACES = {
  lo: [v4('127.0.0.1'), v6('::1')],
  eth0: [v4('192.168.1.5'), v6('2001:db8::5'), v6('fe80::1')],
}

describe('where something listens', () => {
  test('is this machine only, unless an address is written', () => {
    for (const port of [8080, '8080', ':8080'])
      assert.equal(parseListen(port).host, '127.0.0.1', String(port))
    assert.equal(parseListen('0.0.0.0:8080').host, '0.0.0.0')
    assert.equal(parseListen('[::]:8080').host, '::')
    assert.equal(parseListen('10.0.0.5:80').host, '10.0.0.5')
  })

  test('is reported as open to the network with every address it answers at', () => {
    assert.deepEqual(reachOf('http://0.0.0.0:8080', INTERFACES), {
      isOpen: true,
      addresses: ['http://127.0.0.1:8080', 'http://192.168.1.5:8080'],
    })
    assert.deepEqual(reachOf('https://[::]:443', INTERFACES).addresses, [
      'https://127.0.0.1',
      'https://[::1]',
      'https://192.168.1.5',
      'https://[2001:db8::5]',
    ])
    assert.deepEqual(reachOf('http://10.0.0.5:80', INTERFACES), {
      isOpen: true,
      addresses: ['http://10.0.0.5'],
    })
  })

  test('is not told as open when it is loopback in any spelling', () => {
    for (const host of ['127.0.0.1', '127.8.8.8', 'localhost', '[::1]'])
      assert.equal(reachOf(`http://${host}:8080`, INTERFACES).isOpen, false, host)
    assert.match(
      reachSentence('http://127.0.0.1:8080', reachOf('http://127.0.0.1:8080', INTERFACES), '--listen'),
      /this machine only; --listen 0\.0\.0\.0:8080 opens it/,
    )
    assert.match(
      reachSentence('http://[::1]:8080', reachOf('http://[::1]:8080', INTERFACES), '--listen'),
      /this machine only; --listen \[::\]:8080 opens it/,
    )
  })

  test('is reported with a bounded number of addresses however many a machine has', () => {
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`eth${i}`, [v4(`10.0.1.${i}`)]]))
    assert.equal(reachOf('http://0.0.0.0:8080', many).addresses.length, 16)
  })
})
