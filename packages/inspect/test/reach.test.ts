import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from '../src/inspect.ts'

function asked(query: string): string {
  return inspect({ method: 'GET', target: `/x?${query}`, headers: [] }).verdict
}

function posted(document: unknown): string {
  const body = Buffer.from(JSON.stringify(document))
  return inspect({ method: 'POST', target: '/x', headers: ['content-type', 'application/json'], body })
    .verdict
}

describe('addresses that a backend would fetch', () => {
  test('metadata services, disguised addresses and exotic schemes are refused everywhere', () => {
    for (const url of [
      'http://169.254.169.254/latest/meta-data/',
      'http://2130706433/',
      'http://0x7f000001/',
      'http://127.0.0.1\\@example.com/',
      'gopher://127.0.0.1:6379/_x',
    ]) {
      assert.equal(asked(`u=${encodeURIComponent(url)}`), 'block', url)
      assert.equal(posted({ u: url }), 'block', url)
    }
  })

  test('loopback and private addresses are refused in a query, unless the name says that a browser goes there', () => {
    assert.equal(asked('url=http%3A%2F%2F127.0.0.1%3A8080%2Fadmin'), 'block')
    assert.equal(asked('server=127.0.0.1'), 'block')
    assert.equal(asked('redirect_uri=http%3A%2F%2F127.0.0.1%3A51004%2Fcb'), 'pass')
    assert.equal(asked('post_logout_redirect_uri=http%3A%2F%2Flocalhost%3A3000%2F'), 'pass')
    assert.equal(asked('city=localhost'), 'pass')
  })

  test('the folder of a program on another host, by the name under which programs keep theirs', () => {
    for (const name of [
      'DOCUMENT_ROOT',
      'spaw_root',
      'phpbb_root_path',
      'include_path',
      'mosConfig_absolute_path',
    ])
      assert.equal(asked(`${name}=http%3A%2F%2Fevil.example%2Fx`), 'block', name)
    assert.equal(asked('root=https%3A%2F%2Fexample.org%2F'), 'pass')
    assert.equal(asked('include_path=lib%2Fa'), 'pass')
    assert.equal(asked('website=https%3A%2F%2Fexample.org%2Frobots.txt'), 'pass')
  })

  test('a URL where scripts keep the folder that they include from is refused, under that name only', () => {
    const url = encodeURIComponent('https://evil.example/')
    for (const name of ['mosConfig_absolute_path', '_CONF[path]', 'root_path', 'includedir'])
      assert.equal(asked(`${name}=${url}`), 'block', name)
    for (const name of ['path', 'url', 'next', 'image']) assert.equal(asked(`${name}=${url}`), 'pass', name)
  })

  test('settings in a document may name them', () => {
    assert.equal(posted({ webhook: 'http://10.0.0.5:8080/hook', camera: 'http://192.168.1.20/' }), 'pass')
    assert.equal(posted({ redirect_uris: ['http://127.0.0.1:51004/cb', 'http://[::1]:51004/cb'] }), 'pass')
  })
})
