import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from '../src/inspect.ts'

function rulesOf(target: string, type = '', body = ''): readonly string[] {
  const request = { method: 'POST', target, headers: ['content-type', type], body: Buffer.from(body) }
  return inspect(request)
    .matches.filter(match => match.score >= 5)
    .map(match => match.rule)
}

const ofJson = (value: unknown): readonly string[] => rulesOf('/x', 'application/json', JSON.stringify(value))
const ofQuery = (name: string, value: string): readonly string[] =>
  rulesOf(`/x?${encodeURIComponent(name)}=${encodeURIComponent(value)}`)

describe('what is evaluated', () => {
  test('an expression that starts a program, or reaches the server, is refused under its names', () => {
    for (const name of ['expr', 'expression', 'formula', 'script', 'filter.expression', 'function'])
      for (const call of [
        'System.cmd("id", [])',
        'Environment.Exit(0)',
        'java.lang.System.exit(1)',
        'Deno.run({cmd: ["x"]})',
        'System.Diagnostics.Process.Start("calc")',
        "0;system('x')",
      ])
        assert.notDeepEqual(ofJson({ [name]: call }), [], `${name}: ${call}`)
  })

  test('formulas and expressions of reports pass', () => {
    for (const value of [
      'prop("Price") * 1.19',
      'IF(A1 > 0, "yes", "no")',
      'rate(http_requests_total[5m]) > 0.5',
      'request.auth.uid == resource.data.owner',
      'dateAdd(now(), 3, "days")',
      'sleep(5)',
      'concat(a, " ", b)',
      'round(sum(x) / count(y), 2)',
    ])
      for (const name of ['expr', 'expression', 'formula', 'function'])
        assert.deepEqual(ofJson({ [name]: value }), [], `${name}: ${value}`)
  })

  test('a pattern that takes forever is refused where it is matched', () => {
    for (const pattern of ['^(a+)+$', '([a-z]*)*x', '(?:\\d+)+!', '(a|a)*b']) {
      assert.ok(ofQuery('regexp', pattern).includes('nosqli/slow-pattern'), pattern)
      assert.ok(ofJson({ where: { email: { $regex: pattern } } }).includes('nosqli/slow-pattern'), pattern)
    }
    assert.deepEqual(ofQuery('regexp', '^[a-z]+(-[a-z]+)*$'), [])
    assert.deepEqual(ofJson({ note: 'never write (a+)+' }), [])
  })

  test('a quote behind the lookup of a field is refused', () => {
    assert.ok(ofQuery("detail__a'b", '1').includes('sqli/lookup-quote'))
    assert.deepEqual(ofQuery('detail__a', '1'), [])
    assert.deepEqual(ofJson({ "detail__a'b": 1 }), [])
  })

  test('many attempts in one document of GraphQL are refused, and two are not', () => {
    const login = (count: number): string =>
      `mutation { ${Array.from({ length: count }, (_, i) => `a${i}: login(user: "ann", pass: "${i}") { id }`).join(' ')} }`
    const named = (count: number): string => `{ ${'a: __typename '.repeat(count)} }`
    assert.ok(ofJson({ query: login(6) }).includes('probe/many-attempts'))
    assert.ok(ofJson({ query: named(40) }).includes('probe/many-attempts'))
    assert.ok(rulesOf('/graphql', 'application/graphql', login(6)).includes('probe/many-attempts'))
    assert.deepEqual(ofJson({ query: login(2) }), [])
    assert.deepEqual(ofJson({ query: '{ a { __typename id } b { __typename id } }'.repeat(1) }), [])
  })
})

describe('where a program is to write, and what it is to load', () => {
  test('a folder of jobs or keys as the target', () => {
    for (const folder of ['/etc/cron.d', '/var/spool/cron/', '/root/.ssh', '/usr/local/tomcat/webapps/x/'])
      for (const name of ['dir', 'location', 'downloadDir', 'output'])
        assert.ok(ofJson({ [name]: folder }).includes('traversal/running-folder'), `${name} ${folder}`)
    assert.deepEqual(ofJson({ dir: '/srv/backups', location: '/var/www', mountPath: '/etc/cron.d' }), [])
  })

  test('a library in a folder of everybody', () => {
    assert.ok(ofJson({ driver: '/tmp/x.so' }).includes('rfi/foreign-part'))
    assert.ok(ofJson({ plugin_path: '/proc/self/fd/7' }).includes('rfi/foreign-part'))
    assert.deepEqual(ofJson({ driver: '/usr/lib/odbc/libmyodbc.so', file: '/tmp/x.so' }), [])
  })

  test('the keys of a token at an address by numbers', () => {
    const token = (jku: string): string =>
      [{ alg: 'RS256', jku }, { sub: 'ann' }]
        .map(part => Buffer.from(JSON.stringify(part)).toString('base64url'))
        .join('.')
    const rules = (jku: string): readonly string[] =>
      inspect({ method: 'GET', target: '/', headers: ['authorization', `Bearer ${token(jku)}.c2ln`] })
        .matches.filter(match => match.score >= 5)
        .map(match => match.rule)
    assert.ok(rules('http://198.51.100.7/jwks.json').includes('rfi/foreign-part'))
    assert.deepEqual(rules('https://uaa.shop.example/token_keys'), [])
  })

  test('a file of the system as an address, in a document', () => {
    for (const url of ['file:///etc/issue', 'file:/proc/version', 'view-source:file:///root/x'])
      assert.ok(ofJson({ url }).includes('traversal/system-url'), url)
    assert.deepEqual(ofJson({ uri: 'file:///home/ann/app/index.ts' }), [])
  })
})
