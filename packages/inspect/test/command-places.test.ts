import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from '../src/inspect.ts'

function asked(query: string): string {
  return inspect({ method: 'GET', target: `/x.php?${query}`, headers: [] }).verdict
}

function posted(value: string): string {
  const body = Buffer.from(JSON.stringify({ comment: value }))
  return inspect({ method: 'POST', target: '/x', headers: ['content-type', 'application/json'], body })
    .verdict
}

describe('a command under a name that says it will be run', () => {
  test('is refused in a query, a form and a cookie', () => {
    for (const query of [
      'cmd=id',
      'cmd=whoami',
      'exec=uname%20-a',
      'c=cat%20/etc/hosts',
      'command=net%20user',
      'cmd=telnetd;',
      'cmd=telnetd%20-l%20/bin/sh',
      'cmd=ps%20aux',
      'run=echo%20%25CD%25',
    ])
      assert.equal(asked(query), 'block', query)
  })

  test('what else these names hold passes', () => {
    for (const query of [
      'cmd=ls',
      'cmd=_xclick',
      'c=id',
      'command=start',
      'system=uname',
      'run=42',
      'x=echo',
      'command=reboot',
      'run=echo%20%25',
    ])
      assert.equal(asked(query), query === 'system=uname' ? 'block' : 'pass', query)
  })
})

describe('commands that people quote', () => {
  test('pass where documents are sent, and are refused behind what they break out of', () => {
    for (const text of [
      "$env:DEBUG='app';node app.js",
      'Set-ExecutionPolicy RemoteSigned',
      'powershell -File build.ps1',
      'cmd /c start notepad',
      'cd repo && git pull && make -j4',
    ])
      assert.equal(posted(text), 'pass', text)
    for (const text of [
      'x;powershell -c whoami',
      'powershell -nop -w hidden -enc SQBFAFgA',
      "x';python -c 'import os'",
    ])
      assert.equal(posted(text), 'block', text)
  })
})

describe('directories, shares and mail servers', () => {
  test('are settings in a document and under their name; elsewhere in a query they are refused', () => {
    assert.equal(posted('ldap://directory.example.com:389'), 'pass')
    assert.equal(asked('ldap_url=ldap%3A%2F%2Fdirectory.example.com'), 'pass')
    assert.equal(asked('u=ldap%3A%2F%2Fevil.example%2Fa'), 'block')
    assert.equal(posted('gopher://127.0.0.1:6379/_x'), 'block')
  })
})

test('a query for time series is not a query of a database', () => {
  for (const query of [
    'count(up{job="node"})',
    'count(kube_pod_info)',
    'sum(rate(http_requests_total{job="x",code!="200"}[5m]))',
  ])
    assert.equal(asked(`query=${encodeURIComponent(query)}`), 'pass', query)
})

describe('the shortest command hung onto a word', () => {
  test('is refused where no list of names is asked for', () => {
    for (const query of ['name=General;id', 'old=test|id', 'ping=a%26%26id', 'host=x;id;'])
      assert.equal(asked(query), 'block', query)
  })

  test('is refused behind a host, under a name for one', () => {
    for (const query of ['host=1;ps', 'ip=127.0.0.1|ls', 'target=8.8.8.8%26%26pwd', 'dest=x;dir'])
      assert.equal(asked(query), 'block', query)
    for (const query of ['host=S%26W', 'server=a;b', 'target=host1|host2', 'domain=a.example;b.example'])
      assert.equal(asked(query), 'pass', query)
    const body = Buffer.from('{"target":"127.0.0.1;ps"}')
    const headers = ['content-type', 'application/json']
    assert.equal(inspect({ method: 'POST', target: '/x', headers, body }).verdict, 'block')
  })

  test('passes as a list of names', () => {
    for (const query of ['sort=name;id', 'fields=name|id', 'select=a;id', 'q=name;id', 'x=name;%20id'])
      assert.equal(asked(query), 'pass', query)
  })
})

describe('a call in a name', () => {
  test('is refused in a query, and is text in a document', () => {
    assert.equal(asked("[system('id');a]=1"), 'block')
    assert.equal(asked('count(id)=1'), 'pass')
    const body = Buffer.from('{"assert(x) holds":true}')
    const headers = ['content-type', 'application/json']
    assert.equal(inspect({ method: 'POST', target: '/x', headers, body }).verdict, 'pass')
  })
})

describe('a field of a document whose name says that it holds one name, number or address', () => {
  const sent = (name: string, value: string): string => {
    const headers = ['content-type', 'application/json']
    const body = Buffer.from(JSON.stringify({ [name]: value }))
    return inspect({ method: 'POST', target: '/x', headers, body }).verdict
  }

  test('is read as a parameter of a query is', () => {
    for (const value of ['`id>/web/x.txt`', 'sleep(5)', '/etc/nginx/nginx.conf', '\nwhoami', '${IFS}id'])
      for (const name of ['hostname', 'pingIpAddress', 'user_id', 'email', 'sort_by'])
        assert.equal(sent(name, value), 'block', `${name} ${value}`)
  })

  test('where people write, the same is data', () => {
    for (const value of ['`npm test`', '/etc/nginx/nginx.conf', 'rand()'])
      assert.equal(sent('note', value), 'pass', value)
  })
})

test('a header that names the command of a client passes; one that brings a command is refused', () => {
  const verdict = (name: string, value: string) =>
    inspect({ method: 'GET', target: '/-/whoami', headers: [name, value] }).verdict
  for (const value of ['whoami', 'ping', 'exec', 'id'])
    assert.equal(verdict('npm-command', value), 'pass', value)
  for (const name of ['cmd', 'X-Cmd', 'X-Api-Command']) assert.equal(verdict(name, 'whoami'), 'block', name)
})
