import { pattern, type Rule, type Span } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import type { Reading } from '../value/reading.ts'
import { WORD } from '../value/words.ts'

const JAVA_PACKAGE =
  '(?:java|javax|jakarta|jdk|sun|com\\.sun|org\\.(?:apache|springframework|codehaus|hibernate|jboss|python|mozilla)|groovy|bsh|clojure)'

/** `prototype` under `constructor`, as names of a document: written into objects, it reaches all of them. */
function findNestedPrototype(reading: Reading): Span | undefined {
  const { lower } = reading
  if (lower !== 'prototype') return undefined
  return /(?:^|[.[])constructor\]?$/.test(reading.name) ? { start: 0, end: lower.length } : undefined
}

const TOKEN = /(?:^|[\s=:;,"'])eyJ[\w-]{6,400}(?=\.)/g
const UNSIGNED = /"alg"\s{0,8}:\s{0,8}"none"/i
/** A key that is a file, a query or a command (RFC 7515 section 4.1.4: the name of a key). */
const KEY_ELSEWHERE =
  /"kid"\s{0,8}:\s{0,8}"[^"]{0,200}?(?:\.\.[/\\]|\/dev\/|\/etc\/|\/proc\/|'|\\"|[|;`]|\bunion\b)/i
/** The key itself, of a kind that nobody shows: whoever takes it verifies with what the sender chose. */
const KEY_WITHIN = /"jwk"\s{0,8}:\s{0,8}\{[^{}]{0,300}"kty"\s{0,8}:\s{0,8}"oct"/i
/** Signatures of ECDSA whose two numbers are zero, which verifiers of old took (CVE-2022-21449). */
const ZERO_SIGNATURE = /\.(?:MAYCAQACAQA|A{86,176})(?![\w-])/

/**
 * Whether a text holds a JSON Web Token that nobody signed: it says so itself (RFC 7519 section 6), has its
 * key looked up where the sender can know it, or has a signature that fits everything. Linear: each header
 * is at most 400 characters.
 */
export function findUnsignedToken(text: string): Span | undefined {
  // Nearly no text holds one, and looking for a few letters takes less than beginning to match.
  if (!text.includes('eyJ') || !text.includes('.')) return undefined
  let first: number | undefined
  for (const found of text.matchAll(TOKEN)) {
    const start = found.index + found[0].indexOf('eyJ')
    const end = found.index + found[0].length
    const header = Buffer.from(text.slice(start, end), 'base64url').toString('latin1')
    if (UNSIGNED.test(header) || KEY_ELSEWHERE.test(header) || KEY_WITHIN.test(header)) return { start, end }
    first ??= start
  }
  if (first === undefined) return undefined
  // Behind any of them, in one search.
  const signature = ZERO_SIGNATURE.exec(text)
  if (signature === null || signature.index < first) return undefined
  return { start: signature.index, end: signature.index + signature[0].length }
}

const TYPE_NAME = /^(?:[@$_]{1,2}(?:type|class|t|c)|javaclass|json_class|[\^!][oc]|py\/\w{2,16})$/
/** Types that do something when an object of them is built or freed; dates, numbers and lists do not. */
const RUNNING_TYPE =
  /^\s{0,2}l?(?:java\.(?:net|io|rmi|beans|lang\.(?:processbuilder|runtime|class|thread|autocloseable|exception)|util\.(?:scanner|logging|serviceloader|jar|zip))|javax\.(?:naming|script|management|swing|imageio|sql)|com\.(?:sun|mchange|zaxxer|ibatis|caucho|mysql)|sun\.|jdk\.|org\.(?:apache\.(?:xbean|commons|ibatis|tomcat|shiro|log4j|hadoop|catalina)|springframework\.(?:context|beans|aop|jndi)|h2|jboss|hibernate|codehaus|mozilla)|system\.(?:diagnostics|windows\.data|configuration\.install|management|workflow|io|activities)|microsoft\.visualstudio|gem::|net::|os\.(?:system|popen|exec)|posix\.|subprocess\.|builtins\.(?:eval|exec)|__builtin__|nt\.system)/

/** The type of an object, by the name under which parsers of JSON look for it. */
function findRunningType(reading: Reading): Span | undefined {
  if (reading.place === 'name') return undefined
  const found = RUNNING_TYPE.exec(reading.lower)
  return found === null || !TYPE_NAME.test(reading.name) ? undefined : { start: 0, end: found[0].length }
}

/** Documents that build objects where they are read, in the forms that JSON, XML and tokens have. */
export const objectRules: readonly Rule[] = [
  {
    id: 'prototype/nested',
    family: 'prototype',
    score: 5,
    quotable: false,
    chars: 0,
    words: WORD.prototype,
    places: ['name'],
    find: findNestedPrototype,
    // By where the name stands: the cases are in `test/objects.test.ts`.
    attacks: [],
    benign: ['prototype', 'constructor'],
  },
  {
    id: 'session/unsigned-token',
    family: 'session',
    score: 5,
    quotable: true,
    chars: CHAR.base64,
    words: 0,
    needs: [/eyJ/],
    find: ({ text }) => findUnsignedToken(text),
    attacks: [
      'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.',
      'Bearer eyJ0eXAiOiJKV1QiLCJhbGciOiJOb25lIn0.eyJhZG1pbiI6dHJ1ZX0.',
      'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhZG1pbiJ9.MAYCAQACAQA',
      `${Buffer.from('{"alg":"HS256","jwk":{"kty":"oct","k":"YQ"}}').toString('base64url')}.eyJzdWIiOiIxIn0.c2ln`,
      `${Buffer.from('{"alg":"HS256","kid":"../../dev/null"}').toString('base64url')}.eyJzdWIiOiIxIn0.c2ln`,
    ],
    benign: [
      `${Buffer.from('{"alg":"RS256","kid":"https://a.example/k#1"}').toString('base64url')}.eyJzdWIiOiIxIn0.c2ln`,
      `${Buffer.from('{"typ":"dpop+jwt","alg":"ES256","jwk":{"kty":"EC","crv":"P-256"}}').toString('base64url')}.eyJzdWIiOiIxIn0.c2ln`,
      'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl',
      'eyJhIjoxfQ.b',
      'eyJhbGciOiJub25lIn0',
    ],
  },
  // What it signed is left out, and the place for it is not.
  pattern('session/empty-signature', /"(?:sign|signature|sig|hmac|mac)"\s{0,2}:\s{0,2}""/, {
    score: 5,
    places: ['cookie'],
    chars: CHAR.quote,
    attacks: ['{"saml_data":{"username_attribute":"Admin"},"sessionid":"","sign":""}'],
    benign: ['{"sign":"libra"}', '{"signed":""}'],
  }),
  {
    id: 'deserialisation/typed-value',
    family: 'deserialisation',
    score: 5,
    quotable: false,
    atStart: true,
    chars: 0,
    words: WORD.java | WORD.process | WORD.runtime,
    needs: [RUNNING_TYPE],
    find: findRunningType,
    // By the name of the field: the cases are in `test/objects.test.ts`.
    attacks: [],
    benign: ['java.net.URL', 'os.system'],
  },
  // XStream names elements by class. Properties of build files have small letters: `<java.version>`.
  pattern(
    'deserialisation/xml-element',
    new RegExp(`<\\s{0,4}/?${JAVA_PACKAGE}\\.[\\w.-]{0,120}[A-Z$][\\w.$-]{0,120}(?:[\\s/>])`),
    {
      score: 5,
      quotable: true,
      exactCase: true,
      chars: CHAR.less,
      words: WORD.java,
      attacks: [
        '<map><entry><jdk.nashorn.internal.objects.NativeString><flags>0</flags>',
        '<java.util.PriorityQueue serialization="x">',
        '</javax.script.ScriptEngineManager>',
      ],
      benign: [
        '<java.version>17</java.version>',
        '<org.springframework.version>5</org.springframework.version>',
        '<dependency><groupId>org.apache.commons</groupId></dependency>',
      ],
    },
  ),
  // `XMLDecoder` and Spring name classes in attributes. Of those of Spring itself, some only hold what a
  // document of settings is about.
  pattern(
    'deserialisation/xml',
    /<(?:object|void|java|bean|new|handler|value|is|cipher|next|target|entry|datasource)\b[^<>]{0,200}\bclass\s{0,4}=\s{0,4}["'](?:java\.(?:lang\.(?:processbuilder|runtime|thread|system|class)|beans\.xmldecoder|io\.|net\.|rmi|util\.(?:scanner|logging))|(?!org\.springframework\.(?:(?:orm|transaction(?!\.jta)|web\.(?:servlet|multipart|filter|socket)|validation|cache)\.|beans\.factory\.config\.property(?:placeholder|override)configurer["']|context\.support\.(?:(?:reloadable)?resourcebundlemessagesource|propertysourcesplaceholderconfigurer)["']))(?:javax\.(?:naming|script|swing|management|imageio|crypto)|com\.sun|sun|jdk|org\.(?:apache|springframework|codehaus|mozilla))\.[\w.$]{1,160}["'])|<\w{1,16}:new\s{1,4}classname\s{0,4}=|\bclass\s{0,4}=\s{0,4}["'](?:groovy\.util\.expando|org\.codehaus\.groovy\.runtime\.methodclosure|java\.beans\.eventhandler)["']|<dynamic-proxy>|serialization\s{0,4}=\s{0,4}["']custom["']|<beans?\b[^<>]{0,400}springframework\.org\/schema\/beans[^<>]{0,400}>\s{0,64}<bean\b[^<>]{0,200}(?:init-method|processbuilder)|\bobjectdataprovider\b/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.less,
      words: WORD.java,
      attacks: [
        '<j:new className="java.lang.ProcessBuilder"/>',
        '<a class="groovy.util.Expando">',
        '<java.util.PriorityQueue serialization="custom">',
        '<bean class="org.springframework.transaction.jta.JtaTransactionManager"/>',
        '<bean class="org.springframework.beans.factory.config.PropertyPathFactoryBean"/>',
        '<void class="java.lang.ProcessBuilder"><void method="start"/></void>',
        '<java version="1.4.0" class="java.beans.XMLDecoder">',
        '<sorted-set><string>x</string><dynamic-proxy><interface>java.lang.Comparable</interface>',
      ],
      benign: [
        '<bean class="com.example.Shop"/>',
        '<bean class="org.springframework.orm.jpa.LocalContainerEntityManagerFactoryBean"/>',
        '<dependency><groupId>org.apache.commons</groupId></dependency>',
        '<value class="price">5</value>',
        '<T extends java.lang.Object & X>'.replace('<T', 'T'),
      ],
    },
  ),
  // ColdFusion makes an object of a packet whose structure names a class.
  pattern(
    'deserialisation/wddx',
    /<wddxpacket\b[^<>]{0,80}>[^\n]{0,400}<struct\s{1,8}type\s{0,4}=\s{0,4}["']/,
    {
      score: 5,
      chars: CHAR.less,
      attacks: [
        "<wddxPacket version='1.0'><header/><data><struct type='acoldfusion.tagext.io.cache.CacheTaga'>",
        '<wddxPacket version="1.0"><header/><data><struct type="xcom.sun.rowset.JdbcRowSetImplx">',
      ],
      benign: [
        "<wddxPacket version='1.0'><header/><data><struct><var name='a'/></struct></data></wddxPacket>",
      ],
    },
  ),
  // Parts of chains that read a file or run a command as they are loaded; no gem is described with them.
  pattern(
    'deserialisation/ruby-gadget',
    /!ruby\/(?:object|hash|struct|array):(?:gem::(?:installer|specfetcher|requestset|package::tarreader|resolver|source)|net::(?:bufferedio|writeadapter)|prettyprint|erb\b|active(?:support::deprecation|model::attributemethods)|actioncontroller::routing|rack::session)/,
    {
      score: 5,
      chars: CHAR.bang,
      attacks: [
        '- !ruby/object:Gem::Installer\n  i: x',
        'io: &1 !ruby/object:Net::BufferedIO',
        '!ruby/object:ERB',
      ],
      benign: [
        '--- !ruby/object:Gem::Specification',
        'requirement: !ruby/object:Gem::Requirement',
        '!ruby/hash:ActiveSupport::HashWithIndifferentAccess',
      ],
    },
  ),
  pattern(
    'deserialisation/json-type',
    /"(?:__type|\$type|__class|_class|@class|javaclass|classname|@type)"\s{0,4}:\s{0,4}"l?(?:system\.(?:data|io|windows|diagnostics|management|configuration|workflow|activities|security\.(?:principal|claims)|resources)\.|microsoft\.(?:visualstudio|powershell|identitymodel)\.|(?:java|javax|com\.(?:sun|mysql|mchange|zaxxer|ibatis|caucho|rometools)|sun|org\.(?:apache|springframework|h2|hibernate|codehaus|jboss|aspectj|slf4j|xbean|mozilla))\.[\w.$]{2,160};?")|^\s{0,4}\[\s{0,4}"(?:com\.(?:sun|mchange|zaxxer|ibatis|caucho|mysql|newrelic|nqadmin|pastdev)|org\.(?:apache|springframework|h2|hibernate|jboss|aoju|arrah|docx4j|jdom)|java|javax|ch\.qos|oracle|br\.com|net\.sf)\.[\w.$]{4,160}"\s{0,4},/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.quote,
      words: WORD.java,
      attacks: [
        '{"__type":"System.Data.DataSet"}',
        '["com.sun.rowset.JdbcRowSetImpl",{"dataSourceName":"ldap://x/y"}]',
        '{"@type":"Lcom.sun.rowset.JdbcRowSetImpl;"}',
        '{"javaClass":"org.apache.commons.dbcp.BasicDataSource"}',
      ],
      benign: [
        '{"__type":"Order:#Shop.Models"}',
        '["com.example.app","x"]',
        '{"@type":"Person"}',
        '{"className":"btn btn-primary"}',
      ],
    },
  ),
]
