import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ConfigError } from '@postern/core'
import { inspect } from '../src/inspect.ts'
import { loadDatadogRules } from '../src/loaders/datadog-rules.ts'
import { type NativeAppsec, nativeOpinion } from '../src/loaders/native-appsec.ts'
import { loadSecLangRules } from '../src/loaders/seclang-rules.ts'
import { RuleSet } from '../src/matching/rule-set.ts'

const get = (target: string, rules: RuleSet): string =>
  inspect({ method: 'GET', target, headers: [] }, { rules }).verdict

describe("rules in dd-trace's format", () => {
  const rule = (id: string, operator: string, parameters: object): object => ({
    id,
    conditions: [{ operator, parameters: { inputs: [{ address: 'server.request.query' }], ...parameters } }],
    transformers: ['lowercase'],
  })

  test('are taken where they can be read, and the rest is named', () => {
    const { rules, skipped } = loadDatadogRules({
      rules: [
        rule('a-1', 'match_regex', { regex: 'evil\\d', options: { min_length: 3 } }),
        rule('a-2', 'phrase_match', { list: ['Forbidden Words'] }),
        rule('a-3', 'shi_detector', {}),
        rule('a-4', 'match_regex', { regex: '(a+)+$' }),
      ],
    })
    assert.deepEqual(
      rules.map(loaded => loaded.id),
      ['loaded/a-1', 'loaded/a-2'],
    )
    assert.deepEqual(
      skipped.map(({ id }) => id),
      ['a-3', 'a-4'],
    )
    const set = new RuleSet(rules)
    assert.equal(get('/?a=EVIL7', set), 'block')
    assert.equal(get('/?a=some+forbidden+words+here', set), 'block')
    assert.equal(get('/?a=good', set), 'pass')
  })

  test('anything else is a configuration error', () => {
    assert.throws(() => loadDatadogRules({ version: '2.2' }), ConfigError)
  })
})

describe('rules in SecLang', () => {
  const SIMPLE = `
# a comment
SecRule ARGS|!REQUEST_COOKIES:/__utm/ "@rx (?i)evil\\d" \\
    "id:1001,\\
    phase:2,block,t:none,t:urlDecodeUni,\\
    msg:'Evil, numbered',\\
    severity:'CRITICAL',setvar:'tx.score=+5'"
SecRule REQUEST_HEADERS:X-Probe "@pm alpha beta" "id:1002,phase:1,deny,severity:CRITICAL"
`

  test('match what they say, in the variables they name', () => {
    const { rules } = loadSecLangRules(SIMPLE, { file: 'simple.conf' })
    const set = new RuleSet(rules)
    assert.equal(get('/?a=Evil7', set), 'block')
    assert.equal(get('/evil7', set), 'pass')
    const probe = inspect({ method: 'GET', target: '/', headers: ['x-probe', 'has beta'] }, { rules: set })
    assert.equal(probe.matches[0]?.rule, 'loaded/1002')
  })

  test('what is not understood is refused with file, line and reason', () => {
    const chain =
      'SecRule ARGS "@rx a" "id:1,phase:2,chain"\n  SecRule ARGS "@rx b" "t:none"\nSecRule RESPONSE_BODY "@rx c" "id:2,phase:4"\nSecRule ARGS "@ipMatch 1.2.3.4" "id:3,phase:2"'
    assert.throws(
      () => loadSecLangRules(chain, { file: 'x.conf' }),
      (error: unknown) =>
        error instanceof ConfigError &&
        /x\.conf:1: rule 1: chain/.test(error.message) &&
        /x\.conf:4: rule 3: operator @ipMatch/.test(error.message),
    )
    const { rules, skipped } = loadSecLangRules(chain, { file: 'x.conf', unsupported: 'skip' })
    assert.equal(rules.length, 0)
    assert.equal(skipped.length, 3)
  })
})

describe('a second opinion', () => {
  test('is asked with the parts of the request and let go afterwards', () => {
    let disposed = 0
    const asked: object[] = []
    const engine: NativeAppsec = {
      createContext: () => ({
        run: ({ persistent }) => {
          asked.push(persistent)
          return { timeout: false, events: [{ rule: { id: 'crs-1' } }] }
        },
        dispose: () => {
          disposed++
        },
      }),
    }
    const matches = nativeOpinion({ engine })({
      method: 'POST',
      target: '/p?a=1',
      headers: ['content-type', 'application/json'],
      body: Buffer.from('{"x":1}'),
    })
    assert.deepEqual(
      matches.map(match => match.rule),
      ['loaded/crs-1'],
    )
    assert.equal(disposed, 1)
    assert.deepEqual(Reflect.get(asked[0] ?? {}, 'server.request.body'), { x: 1 })
  })
})
