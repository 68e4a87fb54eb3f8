import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { inProcess } from './in-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-errors-'))
after(() => rmSync(folder, { recursive: true, force: true }))
writeFileSync(
  join(folder, 'requests.jsonl'),
  '{"path":"/?q=1\' OR 1=1--"}\nnot json\n{"path":"/ok","id":"mine"}\n',
)
mkdirSync(join(folder, '.postern'))
writeFileSync(join(folder, 'unknown.cases.yml'), 'scenario: nope\ncases: []\n')

type Case = readonly [line: string, code: number, says: RegExp]

/** Each command is run in one empty folder, one after the other; what is said is on either stream. */
function cases(name: string, table: readonly Case[]): void {
  describe(name, () => {
    for (const [line, code, says] of table)
      test(`postern ${line}`, async () => {
        const args = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? '')
        const result = await inProcess(args, folder)
        assert.equal(result.code, code, result.stderr)
        assert.match(result.stdout + result.stderr, says)
        assert.doesNotMatch(result.stderr, /mistake in Postern|\n {4}at /)
      })
  })
}

const NO_GATEWAY = /no gateway is running on this data directory; start one with: postern gateway --to URL/
const NO_LOG = /nothing was recorded here yet; name the data directory of the gateway with --data/
const NO_POLICIES = /the configuration names no policies\n {2}hint: write policies: policies\.ts/
const NO_IDENTITY = /identity: is not configured\n {2}hint: for example identity: \{ origin/
const NO_BUDGETS = /budgetDatabase: is not configured/
const NO_VAULT = /vault\.json: does not exist\n {2}hint: make one with postern vault init/

cases('reading files of requests, rules and logs', [
  [
    'inspect requests.jsonl',
    1,
    /1 blocked, 0 too big, 1 passed, 1 unreadable\na line that can be read is like/,
  ],
  ['inspect none.jsonl', 2, /there is no such file\n {2}hint: pass the path of a file of requests/],
  ['inspect requests.jsonl --level 9', 2, /"9" is not a level\n {2}hint: 1, 2, 3 or 4/],
  ['rules test unknown.cases.yml', 2, /no scenario that reports is named "nope"/],
  ['rules test none', 2, /none: there is no such file or folder/],
  ['rules test requests.jsonl', 2, /requests\.jsonl: .* at line 2/],
  ['scenarios list', 0, /http-probing/],
  ['scenarios test none.log', 2, /there is no such file/],
  ['scenarios test requests.jsonl', 1, /nothing was found\nnot in an access log format: 3 lines/],
  ['replay requests.jsonl --against none.yaml', 2, /none\.yaml: there is no such file/],
  ['report --since tomorrowish', 2, /"tomorrowish" is not a time/],
  ['report --format pdf', 2, /"pdf" is not a format\n {2}hint: text, json or html/],
  ['report --top 0', 2, /--top: "0" is not a whole number from 1 to 1000/],
  ['replay requests.jsonl --top 1e1', 2, /--top: "1e1" is not a whole number from 1 to 1000/],
  ['audit tail --lines few', 2, /--lines: "few" is not a whole number from 0 to 100000/],
  ['dev --port 0', 2, /--port: "0" is not a whole number from 1 to 65535/],
])

cases('bans', [
  ['why 1.2.3', 2, /"1\.2\.3" is not an actor/],
  ['why 192.0.2.7', 1, /no remediations apply to 192\.0\.2\.7/],
  ['ban 192.0.2.7 --for 1x', 2, /--for: "1x" is not a duration/],
  ['ban 192.0.2.7 --for PT1H', 2, /--for: "PT1H" is not a duration\n {2}hint: write "1h"/],
  ['ban 192.0.2.7 --measure explode', 2, /"explode" is not a measure\n {2}hint: block, throttle, challenge/],
  ['ban 127.0.0.1', 2, /is protected/],
  [
    'ban 192.0.2.7 --for 1h --reason probes',
    0,
    /192\.0\.2\.7: block until .* \(probes\)\nend it with: postern unban/,
  ],
  ['why 192.0.2.7', 0, /block until .* by manual: probes/],
  ['why 192.0.2.7 --json', 0, /"remediations":\[\{.*"measure":"block"/],
  ['unban 192.0.2.7', 0, /192\.0\.2\.7: 1 remediation ended/],
  ['unban 192.0.2.7', 1, /no remediations apply to 192\.0\.2\.7/],
])

cases('limits and parameters without a running gateway', [
  [
    'limits show',
    0,
    /address +1200 in 1m +per address, without static files\n[\s\S]*static +6000 in 1m +per address, static files only\n/,
  ],
  ['limits show 192.0.2.7', 3, NO_GATEWAY],
  ['limits reset 192.0.2.7', 3, NO_GATEWAY],
  ['limits set address 192.0.2.7 5/1m', 2, /limits\.address: has one rule for everybody/],
  ['limits set adress 192.0.2.7 5/1m', 2, /there is no limit "adress"[\s\S]*the limits are address, busy/],
  ['limits list', 0, /no key has a rule of its own/],
  ...['show ""', 'reset ""', 'set address "" 5/1m', 'unset address ""'].map(
    (command): Case => [`limits ${command}`, 2, /key: must be text of 1 to 256 characters/],
  ),
  ['limits unset tenant acme', 1, /acme has no rule of its own in tenant/],
  ['parameters list', 1, /nothing is known: declare types/],
  ['parameters types', 1, /no type is certain yet/],
  ['parameters propose', 1, /nothing was learned: schema: \{ learn: true \}/],
  ['parameters forget', 1, /nothing was learned of that/],
  ['parameters types set "GET /x" query.a nope', 2, /must be "number", .*, not "nope"/],
  ['parameters types set "GET /x" nope number', 2, /is not the place of a parameter/],
])

cases('what the configuration does not have', [
  ['policy test none.ts', 2, NO_POLICIES],
  ['policy matrix', 2, NO_POLICIES],
  ['policy who-can order.read', 2, NO_POLICIES],
  ['policy diff none.ts', 2, NO_POLICIES],
  ['keys list', 2, NO_IDENTITY],
  ['keys revoke x', 2, NO_IDENTITY],
  ['keys rotate x', 2, NO_IDENTITY],
  ['users list', 2, NO_IDENTITY],
  ['users disable x', 2, NO_IDENTITY],
  ['users import none.csv', 2, /none\.csv: there is no such file or folder/],
  ['sessions list', 2, NO_IDENTITY],
  ['sessions revoke principal:', 2, /names nobody\n {2}hint: principal:alice/],
  ['budgets status', 2, NO_BUDGETS],
  ['budgets install --print', 2, NO_BUDGETS],
  ['budgets remove', 2, NO_BUDGETS],
  ['undo list', 2, NO_BUDGETS],
  ['undo seal', 2, NO_BUDGETS],
  ['undo apply', 2, /names nothing to put back/],
  ['undo show 1', 2, NO_BUDGETS],
  ['console operators', 3, NO_GATEWAY],
  ['console link', 3, NO_GATEWAY],
  ['console invite ann@example.com', 3, NO_GATEWAY],
  ['console grant ann@example.com viewer', 3, NO_GATEWAY],
  ['console remove ann@example.com', 3, NO_GATEWAY],
  ['vault status', 2, NO_VAULT],
  ['vault migrate customers', 2, NO_VAULT],
  ['vault migrate customers --batch 0', 2, /--batch: "0" is not a whole number from 1 to 10000/],
  ['vault rewrap customers --batch all', 2, /--batch: "all" is not a whole number from 1 to 10000/],
  ['vault rotate', 2, NO_VAULT],
  ['vault fingerprint', 2, NO_VAULT],
  ['vault canary customers email 1', 2, NO_VAULT],
  ['vault exposure .', 2, NO_VAULT],
  ['vault bench', 2, NO_VAULT],
  ['vault erase 4711', 2, /cannot be undone\n {2}hint: add --yes/],
  ['vault add-holder 1 nowhere print', 2, /must be host:port, e\.g\. 10\.0\.0\.7:9470/],
])

cases('approvals and keys of bouncers', [
  ['approvals list', 0, /no request is pending/],
  ['approvals show x', 1, /There is no approval with this id/],
  ['approve x --as ann --deny', 1, /There is no approval with this id/],
  ['bouncers list', 0, /^no bouncer has a key/],
  [
    'bouncers add nginx',
    0,
    /^[\w-]{43}\nGive this key to the bouncer[^\n]*\nNo API for bouncers is served yet: set crowdsec/,
  ],
  [
    'bouncers add nginx',
    2,
    /"nginx" already has a key\n {2}hint: remove it first \(postern bouncers remove nginx\)/,
  ],
  ['bouncers list', 0, /^nginx +since \d{4}-/],
  ['bouncers remove nginx', 0, /the key of nginx no longer works/],
  ['bouncers remove nginx', 1, /there is no key of nginx/],
])

cases('an audit log that is not there', [
  ...['verify', 'search', 'export', 'proof 0', 'checkpoint', 'rebuild', 'tail', 'check-export none'].map(
    (command): Case => [`audit ${command}`, 3, NO_LOG],
  ),
  ['explain 1m8atsqfac8s20s00001', 3, NO_LOG],
  ['explain xyz', 2, /"xyz" is not a request id/],
  ['report', 3, NO_LOG],
  ['audit proof x', 2, /"x" is not the number of an entry\n {2}hint: postern audit search shows numbers/],
  ['audit export --format xml', 2, /"xml" is not a format\n {2}hint: ndjson, ocsf, cef/],
  ['audit prune', 2, /--keep: is missing/],
  [
    'audit prune --keep 1d',
    2,
    /cannot be undone\n {2}hint: to remove them: postern audit prune --keep 1d --yes/,
  ],
  ['audit erase "a; id" --tenant acme', 2, /postern audit erase 'a; id' --tenant=acme --yes\n/],
  ['audit erase -- -x', 2, /postern audit erase --yes -- -x\n/],
  ['audit erase ann', 2, /cannot be undone\n {2}hint: if you mean it: postern audit erase ann --yes/],
  ['audit accept-rollback', 2, /postern audit accept-rollback --yes/],
  ['audit key "x y"', 2, /must be neither empty nor contain spaces/],
  ['audit key shop.example/log', 0, /secret, .*PRIVATE\+KEY\+shop\.example\/log\+/],
  ['audit witness', 2, /no log to cosign/],
  ['audit witness --log x', 2, /"x" is not ORIGIN=KEY/],
])

cases('holders', [
  ['holder init h 1 --port web', 2, /--port: "web" is not a whole number from 1 to 65535/],
  ['holder init h 4', 2, /a holder is number 1, 2 or 3/],
  ['holder init h 1', 0, /wrote .*holder\.json.*\nfingerprint of holder 1: /],
  ['holder fingerprint h/holder.json', 0, /^[\w-]{43}\n$/],
  ['holder ask h/holder.json status', 3, /does not run, or this user may not ask it/],
  ['holder ask h/holder.json dance', 2, /"dance" is not an operation\n {2}hint: status, ready, freeze/],
  ['holder ask h/holder.json canary {', 2, /needs the JSON that postern vault canary prints/],
  ['holder ask h/holder.json freeze "person anne"', 3, /does not run, or this user may not ask it/],
  ['holder ask h/holder.json begin-epoch 0', 3, /does not run, or this user may not ask it/],
  ['holder ask h/holder.json remove-epoch 0', 3, /does not run, or this user may not ask it/],
  ['holder ask h/holder.json backup copy.db', 3, /does not run, or this user may not ask it/],
  ['holder ask none.json status', 2, /none\.json: does not exist/],
  ['holder add-peer h/holder.json 2 nowhere print', 2, /must be host:port/],
  ['holder restore h/holder.json none', 2, /none: does not exist/],
])

cases('a request that is only described, versions, and starts that cannot be', [
  [
    'doctor --request /x --peer 10.0.0.3 --header "X-Forwarded-For: 203.0.113.7"',
    1,
    /10\.0\.0\.3 \(not a trusted proxy\)[\s\S]*hint: if 10\.0\.0\.3 is your proxy, set /,
  ],
  ['doctor --request /x --listen :::80', 2, /error: --listen: ":::80" is not a place to listen/],
  ['audit serve --listen unix:/x.sock', 2, /error: --listen: is a Unix socket, and this listens on TCP/],
  ['audit witness --log a=b --listen nope', 2, /error: --listen: "nope" is not a place to listen/],
  ['doctor --request /x --peer nope', 2, /"nope" is not an address/],
  ['doctor --request /x --peer 10.0.0.3 --header nope', 2, /"nope" is not a header/],
  ['version', 0, /^postern \d+\.\d+\.\d+, node 24/],
  ['version --json', 0, /^\{"postern":"/],
  ['schema', 0, /"\$schema": "https:\/\/json-schema\.org/],
  ['gateway', 2, /the gateway does not know where the backend is\n {2}hint: postern gateway --to/],
  [
    'gateway --to unix:/nowhere/a.sock --listen unix:/nowhere/a.sock',
    2,
    /unix:\/nowhere\/a\.sock is where the gateway itself listens/,
  ],
  [
    'gateway --to http://127.0.0.1:1 --listen unix:/nowhere/a.sock --workers 2',
    2,
    /workers: must be 1 where listen is a Unix socket/,
  ],
  [
    'gateway --to http://127.0.0.1:1 --listen unix:/nowhere/a.sock',
    3,
    /unix:\/nowhere\/a\.sock cannot be made: its folder does not exist.*\n {2}hint: .*RuntimeDirectory=/,
  ],
  ['gateway --to nope', 2, /--to: is not an http\(s\) address/],
  ['forward-auth --dialect apache', 2, /must be "nginx", "traefik", "caddy" or "envoy", not "apache"/],
])

describe('how it is said', () => {
  test('errors are JSON on standard output with --json, with their code and exit code', async () => {
    const { stdout, stderr, code } = await inProcess(['ban', 'nobody', '--json'], folder)
    const { error } = JSON.parse(stdout) as {
      readonly error: { readonly code: string; readonly exit: number }
    }
    assert.deepEqual([error.code, error.exit, code, stderr], ['POSTERN_CONFIG', 2, 2, ''])
  })

  test('notes are left out with --quiet, results are not', async () => {
    const { stdout, stderr } = await inProcess(['bouncers', 'add', 'quiet', '--quiet'], folder)
    assert.match(stdout, /^[\w-]{43}\n$/)
    assert.equal(stderr, '')
  })

  test('colours are for terminals, unless the environment says otherwise', async () => {
    writeFileSync(
      join(folder, 'access.log'),
      `${'192.0.2.1 - - [04/May/2026:12:00:00 +0000] "GET / HTTP/1.1" 200 5'}\n`,
    )
    const coloured = async (at: 'terminal' | 'pipe', environment: Readonly<Record<string, string>>) => {
      const { stdout } = await inProcess(['replay', 'access.log'], folder, { at, environment })
      assert.match(stdout, /1/)
      return stdout.includes('\u001b[')
    }
    assert.equal(await coloured('terminal', {}), true)
    assert.equal(await coloured('terminal', { NO_COLOR: '1' }), false)
    assert.equal(await coloured('terminal', { TERM: 'dumb' }), false)
    assert.equal(await coloured('pipe', {}), false)
    assert.equal(await coloured('pipe', { FORCE_COLOR: '1' }), true)
  })

  test('a key that was typed is written into the configuration, comments and all', async () => {
    writeFileSync(join(folder, 'postern.config.yaml'), '# ours\nmode: observe\n')
    const { code } = await inProcess(
      ['parameters', 'types', 'set', 'GET /items', 'query.page', 'number'],
      folder,
    )
    assert.equal(code, 0)
    assert.match(
      readFileSync(join(folder, 'postern.config.yaml'), 'utf8'),
      /^# ours\nmode: observe\n[\s\S]*number/,
    )
  })

  test('what is known about parameters is listed with its source', async () => {
    const parameters = [{ in: 'query', name: 'page', schema: { type: 'integer' } }]
    const paths = { '/items': { get: { parameters } } }
    writeFileSync(join(folder, 'openapi.json'), JSON.stringify({ openapi: '3.0.3', paths }))
    writeFileSync(
      join(folder, 'postern.config.yaml'),
      `inspect:
  openapi: openapi.json
  parameters: { body.html: markup }
routes:
  GET /items: { inspect: { parameters: { query.q: text } } }
`,
    )
    const { code, stdout } = await inProcess(['parameters', 'list'], folder)
    assert.equal(code, 0)
    assert.deepEqual(
      stdout
        .trim()
        .split('\n')
        .map(line => line.split(/ {2,}/)),
      [
        ['GET /items', 'query.q', 'text', 'routes'],
        ['every route', 'body.html', 'markup', 'inspect.parameters'],
        ['GET /items', 'query.page', 'number', 'openapi'],
      ],
    )
    const only = await inProcess(['parameters', 'list', 'GET /items', '--json'], folder)
    assert.match(only.stdout, /"source":"routes".*"source":"openapi"/)
    assert.doesNotMatch(only.stdout, /every route/)
  })
})
