import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from '../src/inspect.ts'

const FORM = 'application/x-www-form-urlencoded'
const JSON_TYPE = 'application/json'

function rulesOf(target: string, type = '', body = ''): readonly string[] {
  const { matches } = inspect({
    method: body === '' ? 'GET' : 'POST',
    target,
    headers: type === '' ? [] : ['content-type', type],
    ...(body !== '' && { body: Buffer.from(body) }),
  })
  return matches.filter(match => match.score >= 5).map(match => match.rule)
}

function inThreePlaces(name: string, value: string): readonly (readonly string[])[] {
  const encoded = encodeURIComponent(value)
  return [
    rulesOf(`/a?${name}=${encoded}`),
    rulesOf('/a', FORM, `${name}=${encoded}`),
    rulesOf('/a', JSON_TYPE, JSON.stringify({ [name]: value })),
  ]
}

describe('an address that ends like the host which a check asks for', () => {
  for (const sign of ['#', '?'])
    for (const host of ['evil.example', '198.51.100.7', 'evil.example:8443'])
      for (const end of ['', '/', '/login', ':443/'])
        test(`${host} before ${sign}, ending in "${end}"`, () => {
          const value = `https://${host}${sign}.shop.example${end}`
          for (const name of ['server', 'url', 'next'])
            for (const rules of inThreePlaces(name, value))
              assert.ok(rules.includes('ssrf/host-ending'), name)
        })

  test('its honest neighbours pass: fragments and queries of a page, and names behind a path', () => {
    for (const value of [
      'https://shop.example/#.Vk3xYrerS00',
      'https://shop.example#.main',
      'https://shop.example/a?.b.example',
      'https://shop.example?a=.b.example',
      'https://shop.example/#.a.b.c',
    ])
      for (const rules of inThreePlaces('page', value)) assert.deepEqual(rules, [], value)
  })
})

describe('a question mark in a path that hides which program answers', () => {
  for (const end of ['php', 'jsp', 'jspx', 'asp', 'aspx', 'cgi'])
    for (const start of ['/a.jsp/', '/a/b', '/admin.php', '/x/'])
      test(`${start} before .${end}`, () => {
        for (const mark of ['%3f', '%3F', '%3fooo'])
          assert.notDeepEqual(rulesOf(`${start}${mark}.${end}`), [], mark)
      })

  test('titles and saved pages pass', () => {
    for (const target of ['/wiki/What%3f', '/wiki/What_is_PHP%3F', '/list%3fid=2.php', '/a%3fver=1.css'])
      assert.deepEqual(rulesOf(target), [], target)
  })
})

describe('the shortest command among the numbers that a program is called with', () => {
  for (const separator of [';', '&&', '||'])
    test(separator, () => {
      for (const value of ['1 1?id 1 1 1', 'fail?id ', '7?id 1'])
        assert.notDeepEqual(
          rulesOf(`/a?session=${encodeURIComponent(value.replace('?', separator))}`),
          [],
          value,
        )
    })

  test('lists of names pass', () => {
    assert.deepEqual(rulesOf('/a?fields=name;id%20'), [])
    assert.deepEqual(rulesOf('/a?sort=name;id%205'), [])
    assert.deepEqual(rulesOf('/a?note=1;%20id%201'), [])
  })
})

test('a provider of classes among the options of a key tool', () => {
  for (const path of ['"C:\\x\\bin"', '\\\\evil\\x', 'c:\\x'])
    assert.deepEqual(
      rulesOf(`/a?length=${encodeURIComponent(`1024 -providerclass Si -providerpath ${path}`)}`),
      ['rce/key-tool'],
    )
})
