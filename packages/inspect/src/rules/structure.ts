import { findForeignSchema, SCHEMA_LOCATION } from '../lex/xml-schema.ts'
import { pattern, type Rule } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import { WORD } from '../value/words.ts'
import { declaring } from './declaring.ts'

const MARSHALLED: Rule = pattern(
  'deserialisation/ruby',
  /^BAh(?:[7bJsSo][A-Za-z0-9+/=%]{8,4096}(?![A-Za-z0-9+/=%]|--[\da-f]{40})|v[A-Za-z0-9+/%]{8})/,
  {
    score: 5,
    exactCase: true,
    chars: CHAR.base64,
    attacks: [
      'BAh7CEkiD3Nlc3Npb25faWQ=',
      'BAhvOhVBY3RpdmVTdXBwb3J0',
      'BAh7BkkiDHRlc3Q=--abc',
      `BAhvOkBBY3RpdmVTdXBwb3J0OjpE--${'0a'.repeat(20)}`,
    ],
    benign: [
      'BAhamas',
      `BAh7CEkiD3Nlc3Npb25faWQ=--${'0a'.repeat(20)}`,
      'BAhJIik3MWVlYWI0Mi1jMjliLTRmMTQtYTA1Yy1jNzZkZDgwYzM5YjcGOgZFVA==',
    ],
  },
)

/** What stands behind the characters of a string: that it is UTF-8, or US-ASCII (`Marshal` of Ruby). */
const ENCODING = /^\u0006:\u0006E[TF]$/
const LONGEST_STRING = 512

/**
 * Whether base64 is one string of Ruby and nothing else, which builds nothing. One that carries more than its
 * encoding carries objects.
 */
function isLoneString(text: string): boolean {
  if (text.length > LONGEST_STRING || !text.startsWith('BAhJI')) return false
  const bytes = Buffer.from(text, 'base64').toString('latin1')
  const code = bytes.charCodeAt(4)
  // Up to 122 the length is the byte less 5, else the byte behind a 1.
  const start = code === 1 ? 6 : 5
  const length = code === 1 ? bytes.charCodeAt(5) : code >= 6 && code <= 127 ? code - 5 : -1
  return length > 0 && bytes[3] === '"' && ENCODING.test(bytes.slice(start + length))
}

/** XML entities, prototype keys, serialised objects: data that is more than data to a parser. */
export const structureRules: readonly Rule[] = [
  declaring(
    'xxe/entity',
    /<!\s{0,4}(?:doctype\s[^<>[]{0,160}\[[^\]]{0,200}?(?:<!\s{0,4}entity|%\w)|entity\s{1,8}%?\s{0,4}[\w:.-]{1,40}\s)/,
    {
      score: 6,
      quotable: true,
      chars: CHAR.less,
      words: WORD.entity,
      attacks: ['<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>', '<!ENTITY % a SYSTEM "http://x">'],
      benign: [
        '<!DOCTYPE html>',
        '<!DOCTYPE Configure PUBLIC "-//Jetty//Configure//EN" "https://www.eclipse.org/jetty/configure_10_0.dtd">',
        '<!doctype html><p>x</p>',
        '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" >',
        '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
        '<!DOCTYPE note [ <!ELEMENT note (to)> ]>',
      ],
    },
  ),
  pattern(
    'xxe/include',
    /<(?:\w{1,12}:)?include\s[^<>]{0,120}(?:href|schemalocation|namespace)\s{0,4}=|<xs:(?:include|import)\s|<xi:include[\s/>]|<(?:\w{1,12}:)?image\s[^<>]{0,120}href\s{0,4}=\s{0,4}["'](?:expect|php|file|msl|ephemeral|text|gopher):/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.less,
      words: WORD.entity,
      attacks: [
        '<xi:include href="http://x/y" xmlns:xi="http://www.w3.org/2001/XInclude"/>',
        '<xs:include namespace="http://x"/>',
      ],
      benign: [
        '<include>',
        '<figure xmlns:xi="http://www.w3.org/2001/XInclude"><title>a</title></figure>',
        '#include <stdio.h>',
        '<?xml-stylesheet type="text/xsl" href="/feed.xsl"?>',
        '<image href="https://a.example/b.png"/>',
      ],
    },
  ),
  // The name of an element, where no program has one that long.
  pattern('xxe/long-name', /<\/?([a-z\d])\1{99}/, {
    score: 5,
    quotable: true,
    chars: CHAR.less,
    attacks: [`<value><${'A'.repeat(120)}`],
    benign: [`<${'a'.repeat(60)}>`, '<a>'],
  }),
  // What one parser joins and the next one ends: the name that was signed and the one that is let in differ.
  pattern('xxe/name-comment', /<(?:\w{1,12}:)?nameid\b[^<>]{0,200}>[^<>]{0,120}<!--/, {
    score: 5,
    chars: CHAR.less,
    words: WORD.entity,
    attacks: ['<NameID>admin@x.example<!---->.evil.example</NameID>'],
    benign: ['<NameID>ann@x.example</NameID>', '<!-- NameID --><NameID>a</NameID>'],
  }),
  // A stylesheet that reads, writes or runs something: the sender's program for whoever transforms with it.
  pattern(
    'xxe/stylesheet',
    /<xsl:(?:include|import)\s[^<>]{0,80}href\s{0,4}=\s{0,4}["'](?:[a-z]{2,12}:)?\/\/|<(?:[^\s<>:/]{1,40}:)?(?:value-of|copy-of|variable|param|for-each|apply-templates|if|when|xsl:[a-z-]{2,24})\s[^<>]{0,160}?\b(?:document|doc|unparsed-text|collection|php:function\w{0,6}|system-property)\s{0,4}\(|<(?:msxsl|xalan|lxslt|saxon):(?:script|component)\b|<\w{1,12}:(?:document|result-document|write)\s[^<>]{0,80}(?:href|file|select)\s{0,4}=\s{0,4}["'](?:file:|[a-z]:\\|\/|\.\.)|xmlns:\w{1,16}\s{0,4}=\s{0,4}["'](?:https?:\/\/xml\.apache\.org\/(?:xalan|xslt)\/java|xalan:\/\/java|java:java|java:org|https?:\/\/php\.net\/xsl|https?:\/\/saxon\.sf\.net\/java-type)/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.less | CHAR.equals,
      words: WORD.entity,
      attacks: [
        '<xsl:value-of select="document(\'http://x/\')"/>',
        '<xsl:import href="//x/y.xsl"/>',
        '<msxsl:script language="C#">',
        'xmlns:rt="http://xml.apache.org/xalan/java/java.lang.Runtime"',
      ],
      benign: [
        '<xsl:value-of select="title"/>',
        '<xsl:include href="common.xsl"/>',
        '<xsl:variable name="document" select="/a"/>',
      ],
    },
  ),
  {
    id: 'xxe/schema',
    family: 'xxe',
    score: 5,
    quotable: true,
    chars: CHAR.equals,
    words: WORD.entity,
    needs: [SCHEMA_LOCATION],
    find: findForeignSchema,
    attacks: [
      '<a xsi:schemaLocation="http://a.b/ http://x.y/z.xsd"/>',
      '<a xsi:noNamespaceSchemaLocation="http://x.y/z.xsd"/>',
    ],
    benign: [
      '<project xsi:schemaLocation="http://maven.apache.org/POM/4.0.0 http://maven.apache.org/xsd/maven-4.0.0.xsd">',
      '<a xsi:schemaLocation="http://a.b/ local.xsd"/>',
    ],
  },
  pattern(
    'prototype/key',
    /__proto__\s{0,2}(?:[.[=\]]|["']\s{0,2}\]|["']?\s{0,2}[:=]|$)|__pro__proto__to__|^["'[{\s]{0,4}__proto__|\bconstructor\s{0,2}["']?\]?\s{0,2}(?:\.|\[\s{0,2}["']?)\s{0,2}prototype\b|__(?:define|lookup)[gs]etter__\s{0,2}(?:[.[(=]|$)/,
    {
      score: 5,
      quotable: true,
      words: WORD.prototype,
      attacks: [
        '__proto__',
        '__proto__[admin]',
        'constructor.prototype.x',
        'constructor[prototype][test]',
        'x[constructor][prototype][y]',
        'a[__proto__][x]',
        '{"__proto__":{"x":1}}',
      ],
      benign: ['the constructor and its prototype', 'prototype'],
    },
  ),
  // The path of a property, as the whole value: what sets properties by their paths sets it on every object.
  pattern(
    'prototype/path',
    /^\s{0,2}(?!__proto__\s{0,2}$)[\w$."'[\]-]{0,60}?(?:__proto__|\bconstructor(?:\.|\[["']?)prototype)[\w$."'[\]-]{0,60}(?:=[^\s=]{0,60})?\s{0,2}$|^\/(?:[\w-]{0,40}\/){0,8}(?:__proto__|constructor\/prototype)(?:\/|$)/,
    {
      score: 5,
      atStart: true,
      words: WORD.prototype,
      places: ['body'],
      attacks: [
        '__proto__.isAdmin',
        '/__proto__/x',
        'constructor.prototype.x',
        'a[__proto__][b]',
        '__proto__[x]=1',
      ],
      benign: ['constructor', 'what is __proto__', '__proto__', 'prototype'],
    },
  ),
  pattern(
    'deserialisation/java',
    /(?:^|[^A-Za-z0-9+/])(?:rO0AB[A-Za-z0-9+/]|KztAAU|Cs7QAF|aced0005)|\u00ac\u00ed\u0000\u0005/,
    {
      score: 5,
      exactCase: true,
      // The state that JavaServer Faces keeps in its pages is signed by the framework.
      unlessNamed: /^(?:javax|jakarta)\.faces\./,
      chars: CHAR.base64 | CHAR.wide,
      attacks: ['rO0ABXNyABFqYXZhLnV0aWwu'],
      benign: ['hello rO0', 'aced'],
    },
  ),
  pattern('deserialisation/java-hex', /(?:^|[^a-z0-9])aced0005(?:7[0-9a-d]|$)/, {
    score: 5,
    words: WORD.java,
    attacks: ['aced0005', 'HexAsciiSerializedMap:aced0005737200', 'ACED00057372'],
    benign: ['0aced0005', 'aced0005ff', 'aced'],
  }),
  pattern('deserialisation/php', /(?:^|[^\w])[oc]:\+?\d{1,24}:\\?"[\w\\]{1,80}\\?":\d{1,24}:\{/, {
    score: 5,
    quotable: true,
    chars: CHAR.brace,
    attacks: ['O:8:"stdClass":1:{s:1:"a";i:2;}', 'a:1:{i:0;O:1:"A":0:{}}'],
    benign: ['o:1', '{"a":1}'],
  }),
  pattern(
    'deserialisation/python',
    /^\s{0,2}\(?c(?:os|posix|nt|__builtin__|builtins|subprocess)\n\w{1,24}\n|^gAS[VW][A-Za-z0-9+/]{8}|^gA[IJN]j(?:cG9zaXg|b3MK|bnQK|X19idWls|YnVpbHRpbn|c3VicHJvY)|!ruby\/(?:object|hash|struct)|!!(?:python\/(?:object|module|name)|javax\.script|java\.net\.url|com\.sun\.)|\btag:yaml\.org,2002:(?:python\/|js\/|ruby\/|java)|\bnode-serialize\b|AAEAAAD\/\/\/\/\/|ABAAAA\/{5}wE|AQAAAP\/{4}8B|^\(?[dl]p\d\n[SVI]'|\$type"\s{0,4}:\s{0,4}"[Ss]ystem\.|"@type"\s{0,4}:\s{0,4}"(?:com|java|org)\./,
    {
      score: 5,
      quotable: true,
      exactCase: true,
      chars: CHAR.newline | CHAR.base64 | CHAR.bang | CHAR.quote,
      attacks: [
        "cos\nsystem\n(S'id'\ntR.",
        'gANjcG9zaXgKc3lzdGVtCnEAWAIAAABpZHEBhXECUnEDLg==',
        '!!python/object/apply:os.system ["id"]',
        '"@type":"com.sun.rowset.JdbcRowSetImpl"',
      ],
      benign: ['cost\nof living', '"@type":"Person"', '!ruby'],
    },
  ),
  // The same, its line ends written as they are in a program.
  pattern(
    'deserialisation/python-escaped',
    /^\s{0,2}\(?c(?:os|posix|nt|__builtin__|builtins|subprocess)\\n\w{1,24}\\n/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: CHAR.backslash,
      attacks: ["cposix\\nsystem\\n(S'id'\\ntR."],
      benign: ['cos\\nx', 'costs\\nof living\\n'],
    },
  ),
  pattern(
    'deserialisation/ruby-bytes',
    /^\u0004\u0008[[{ocCUeu][\s\S]{0,40}?(?:gem::|erb|activesupport|activemodel|rack::|net::)/,
    {
      score: 5,
      atStart: true,
      chars: CHAR.control,
      attacks: ['\u0004\u0008o:\u001fGem::Requirement', '\u0004\u0008[\u0007c\u0015Gem::SpecFetcher'],
      benign: ['\u0004\u0008i\u0006', 'Gem::Requirement'],
    },
  ),
  // Rails signed such sessions, with 40 digits of SHA-1 or 64 of SHA-256 behind two dashes: tables, texts and
  // lists. An object that is built before anything else is an attack whoever signed it.
  {
    ...MARSHALLED,
    // Rails puts the keys of its files into addresses so.
    find: (reading, parts) => (isLoneString(reading.text) ? undefined : MARSHALLED.find(reading, parts)),
  },
  // A pickle of which the first step already runs something, as the whole of a value.
  pattern(
    'deserialisation/python-start',
    /(?:^|[^a-z])c(?:os|posix|nt|__builtin__|builtins|subprocess|commands|pty|runpy)\r?\n(?:system|popen\d?|spawn\w{0,3}|exec\w{0,4}|eval|getattr|open|call|run|check_output|check_call|getoutput|__import__|_?run_code)\r?\n[p(q\u0085\u0094]/,
    {
      score: 5,
      chars: CHAR.newline,
      attacks: ['c__builtin__\nexec\np0\n(Vimport os\np1\n', "cos\nsystem\n(S'id'\ntR."],
      benign: ['cos\nsystem\nwide', 'cos\nlettuce\n(green)'],
    },
  ),
]
