import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from '../src/inspect.ts'

function rulesOf(name: string, value: string): readonly string[] {
  const { matches } = inspect({ method: 'GET', target: '/', headers: [name, value] })
  return matches.filter(match => match.score >= 5).map(match => match.rule)
}

describe('headers whose values have a grammar', () => {
  test('addresses of a proxy hold no quote, no command and no path', () => {
    for (const value of ["127.0.0.1'", '1.1.1.1|x', '$(x)', '10.0.0.1, <x>', '127.0.0.1/../x'])
      assert.deepEqual(rulesOf('X-Forwarded-For', value), ['probe/header-form'], value)
    for (const value of ['10.0.0.1', '203.0.113.7, 10.0.0.1:443', '[2001:db8::1]:80', 'unknown', '_hidden'])
      assert.deepEqual(rulesOf('X-Forwarded-For', value), [], value)
    assert.deepEqual(rulesOf('X-Forwarded-Host', 'shop.example:8443'), [])
    assert.deepEqual(rulesOf('X-Forwarded-Proto', 'https'), [])
  })

  test('a program that reads pictures is not named by a client', () => {
    assert.ok(rulesOf('X-Tika-OCRTesseractPath', '"cscript"').includes('probe/header-form'))
    assert.deepEqual(rulesOf('X-Tika-OCRLanguage', 'eng+deu'), [])
  })

  test('a file is not moved to where a page of the server is', () => {
    assert.ok(rulesOf('Destination', 'http://dav.example/x.asp').includes('upload/moved-page'))
    assert.deepEqual(rulesOf('Destination', 'https://cloud.example/remote.php/dav/files/ann/a.txt'), [])
    assert.ok(rulesOf('Destination', '/dav/x.jsp%20').includes('upload/moved-page'))
    assert.deepEqual(rulesOf('Destination', 'https://dav.example/report.txt'), [])
    assert.deepEqual(rulesOf('Referer', 'https://a.example/index.php'), [])
  })

  test('what a message is coded as has a name, and the last one is chunked', () => {
    for (const value of ['chunked, chunked', 'xchunked', 'chunked;x=1', 'chunked, identity', '"chunked"'])
      assert.deepEqual(rulesOf('Transfer-Encoding', value), ['crlf/transfer-coding'], value)
    for (const value of ['chunked', 'gzip, chunked', 'Chunked', 'deflate, gzip,chunked', 'identity'])
      assert.deepEqual(rulesOf('Transfer-Encoding', value), [], value)
  })

  test('the action of a call is an address', () => {
    for (const value of ['urn:a`id`', 'urn:a;id', '"http://a.example/../b"', 'a|id'])
      assert.ok(rulesOf('SOAPAction', value).includes('probe/header-form'), value)
    for (const value of ['"http://a.example/b#c"', '""', '"urn:a:b"', '"http://a.example/b;version=1"'])
      assert.deepEqual(rulesOf('SOAPAction', value), [])
  })

  test('no cookie and no token is a key of zeros', () => {
    assert.ok(rulesOf('Cookie', `a=${'A'.repeat(43)}=`).includes('session/zero-key'))
    assert.ok(rulesOf('X-Session-Key', `${'A'.repeat(22)}==`).includes('session/zero-key'))
    assert.deepEqual(rulesOf('Cookie', `a=${'A'.repeat(21)}Q==`), [])
    // RFC 6455 section 4.1: a nonce, and people who try a connection by hand take any.
    assert.deepEqual(rulesOf('Sec-WebSocket-Key', `${'A'.repeat(22)}==`), [])
  })

  test('languages hold no path', () => {
    assert.ok(rulesOf('Accept-Language', '../../x').includes('probe/header-form'))
    assert.deepEqual(rulesOf('Accept-Language', 'de-DE,de;q=0.9,en;q=0.8,*;q=0.1'), [])
  })

  test('the host that is asked for is a name or an address, and no longer than one', () => {
    for (const host of [
      "' *; id > /tmp/x; '",
      'a.example/../x',
      '${jndi:dns://x}',
      'a|b',
      '<x>',
      'a'.repeat(300),
    ])
      assert.ok(rulesOf('Host', host).length > 0, host)
    for (const host of [
      'shop.example',
      'shop.example:8443',
      '[::1]:80',
      '[fe80::1%25eth0]',
      'a_b.example',
      '10.0.0.1',
      'bücher.example',
    ])
      assert.deepEqual(rulesOf('Host', host), [], host)
  })

  test('a connection takes no field away that says who asks', () => {
    for (const value of ['keep-alive, X-F5-Auth-Token', 'close, X-Forwarded-For', 'close,authorization'])
      assert.deepEqual(rulesOf('Connection', value), ['probe/internal-header'], value)
    for (const value of [
      'keep-alive',
      'close',
      'Upgrade, HTTP2-Settings',
      'keep-alive, Upgrade',
      'TE, close',
    ])
      assert.deepEqual(rulesOf('Connection', value), [], value)
  })

  test('no address of IPv4 stands in brackets, no name of a partner begins with a backslash', () => {
    assert.ok(
      rulesOf('Forwarded', 'for="[127.0.0.1]:8000";by="[127.0.0.1]:9000"').includes('probe/header-form'),
    )
    assert.deepEqual(rulesOf('Forwarded', 'for="[2001:db8::1]:80";proto=https, for=10.0.0.1'), [])
    assert.ok(rulesOf('AS2-To', '\\crushadmin').includes('probe/header-form'))
    assert.deepEqual(rulesOf('AS2-To', '"a\\b"'), [])
  })

  test('other headers hold what they like', () => {
    assert.deepEqual(rulesOf('X-Note', "it's (new)"), [])
    assert.deepEqual(rulesOf('User-Agent', 'Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101'), [])
  })
})
