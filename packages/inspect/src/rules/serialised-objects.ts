import { isSerialisedObject } from '../lex/serialised-object.ts'
import { pattern, type Rule, type Span } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import type { Reading } from '../value/reading.ts'
import { WORD } from '../value/words.ts'

/** The state that JavaServer Faces and ASP.NET keep in their pages is signed by the framework. */
const SIGNED_STATE = /^(?:javax|jakarta)\.faces\.|^__(?:viewstate|eventvalidation)/

function findObject(reading: Reading): Span | undefined {
  const { text } = reading
  if (!reading.fromStart || reading.isPiece || !isSerialisedObject(text)) return undefined
  if (SIGNED_STATE.test(reading.name)) return undefined
  return { start: 0, end: Math.min(text.length, 256) }
}

/** Classes of Java, by the packages of those that attacks build. */
const JAVA_CLASS =
  '(?:java|javax|jakarta|jdk|sun|com\\.(?:sun|mchange|zaxxer|ibatis|caucho|mysql|alibaba|newrelic|nqadmin|pastdev|rometools)|org\\.(?:apache|springframework|h2|hibernate|jboss|codehaus|aspectj|mozilla|aoju|arrah|docx4j|jdom|xbean|yaml)|ch\\.qos|oracle|br\\.com|net\\.sf|groovy)\\.[\\w.$]{3,160}'

/** Objects that are built where they are read: as bytes in any encoding, and in the names of types. */
export const serialisedObjectRules: readonly Rule[] = [
  {
    id: 'deserialisation/bytes',
    family: 'deserialisation',
    score: 5,
    quotable: false,
    atStart: true,
    chars: CHAR.base64 | CHAR.control,
    words: 0,
    find: findObject,
    attacks: [
      'gANjcG9zaXgKc3lzdGVtCnEAWAIAAABpZHEBhXECUnEDLg',
      'AAEAAAD_____AQAAAAAAAAAMAgAAAElTeXN0ZW0',
      'BAhjFUdlbTo6U3BlY0ZldGNoZXI=',
      'H4sIAAAAAAAAA2tgTi7IL86s4CquLC5JzeUqZIhgYmBgyEwpZGwtZAoqZNYDAKNR1P8iAAAA',
      '\u0004\bo:\bERB\u0000',
      '\u00ff\u00012\u00c4\u0005\u0000\u0001\u0000\u0000\u0000\u00ff\u00ff\u00ff\u00ff\u0001',
    ],
    benign: [
      Buffer.from([0x80, 4, 0x95, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]).toString('base64'),
      'H4sIAAAAAAAAA8tIzcnJBwCGphA2BQAAAA==',
      'c2FsdXRhdGlvbnMgdG8gYWxs',
      'BAhJIgpoZWxsbwY6BkVU',
    ],
  },
  {
    id: 'deserialisation/hex',
    family: 'deserialisation',
    score: 5,
    quotable: false,
    atStart: true,
    chars: 0,
    words: WORD.java,
    find: findObject,
    attacks: [
      '0001000000ffffffff01000000000000000c0200',
      '800263706f7369780a73797374656d0a71005802000000696471018571025271032e',
      '4f3a383a22737464436c617373223a303a7b7d',
    ],
    benign: ['80025e2bb1f24d6c9a0d4d8b6f3c2a10', '0408000000000000', '613a4b6c'],
  },
  // The first bytes of an object, of .NET and of Java, and hardly more: the whole of a short one.
  pattern('deserialisation/head', /^\s{0,2}(?:AAEAAAD[/_]{4,5}AQ?|rO0AB[A-Za-z0-9+/]{0,24}={0,2}\s{0,2}$)/, {
    score: 5,
    atStart: true,
    exactCase: true,
    unlessNamed: SIGNED_STATE,
    words: WORD.java,
    attacks: ['AAEAAAD/////AQAAAAAAAAA=', 'rO0ABQ==', 'rO0ABXNy'],
    benign: ['aaeaaad/////aq', 'AAEAAAD/x', 'rO0=='],
  }),
  // The same in the literals of a statement: what a column of objects is to hold, and a page of PHP.
  pattern(
    'deserialisation/literal',
    /(?:\bx'|\b0x)(?:aced0005|63(?:6f73|6e74|706f736978|73756270726f63657373|6275696c74696e73|5f5f6275696c74696e5f5f)0a|0001000000ffffffff01|3c3f(?:70687020|3d60|3d24))/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.apostrophe,
      words: WORD.sqlVerb,
      attacks: [
        "update a set v=X'63706f7369780a73797374656d0a'",
        "values(x'aced00057372')",
        "select 0x3c3f7068702073797374656d into outfile '/x'",
      ],
      benign: ["update a set v=x'00ff'", "x'63706f73", 'select 0x3c3f78'],
    },
  ),
  // Parsers of JSON that take comments, other quotes, or none, and names of arrays and of references.
  pattern(
    'deserialisation/json-class',
    new RegExp(
      `["'{,\\s*/]\\\\?(?:@type|@class|\\$type|__type)\\\\?["']?\\s{0,4}(?:/\\*[^*]{0,24}\\*/\\s{0,4})?:\\s{0,4}(?:/\\*[^*]{0,24}\\*/\\s{0,4})?["']\\s{0,4}\\[{0,2}l{0,3}(?:${JAVA_CLASS}|system\\.(?:data|io|windows|diagnostics|management|configuration|security|web|workflow|activities|resources)\\.)|(?:^|[:,[{])\\s{0,4}\\[\\s{0,4}"\\[{0,2}l{0,2}(?!java\\.(?:util|lang|math|time|sql)\\.\\w{1,24}["<])${JAVA_CLASS};?"\\s{0,4},|<${JAVA_CLASS}>"`,
    ),
    {
      score: 5,
      quotable: true,
      words: WORD.java,
      attacks: [
        '{/*a*/"@type"/*b*/:"java.lang.Class"}',
        '{@type:"com.mchange.v2.c3p0.JndiRefForwardingDataSource"}',
        '{"@type":"LLjava.net.URL;;"}',
        '{"@type":"[br.com.anteros.dbcp.AnterosDBCPConfig"[{',
        '{"a":["br.com.anteros.dbcp.AnterosDBCPConfig",{}]}',
        '["[Lcom.mchange.v2.c3p0.X;",[]]',
      ],
      benign: [
        '{"@type":"Person"}',
        '{"@type":"type.googleapis.com/google.rpc.Status"}',
        '["java.util.HashMap",{}]',
        '["com.example.app","x"]',
        '{"@type":"schema:Organization"}',
      ],
    },
  ),
  // YAML builds what a tag names: by its name, by a handle, by the whole of it (YAML 1.2 section 6.8).
  pattern(
    'deserialisation/yaml-tag',
    /(?:^|[\s[{:,-])!!?(?:ruby\/(?:object|hash|struct|array|class|exception|sym|regexp|string)\b|php\/(?:object|const)\b|perl\/(?:hash|code|array|ref)\b|js\/(?:function|regexp)\b|python%2f|(?<=!!)(?:java\.(?:io|net|lang\.(?:process|runtime|class|thread))|javax|sun|jdk|com\.(?:sun|mchange|zaxxer|mysql|ibatis)|org\.(?:apache|springframework|h2|yaml|hibernate|jboss|codehaus)|ch\.qos|oracle|groovy)[.\w]|system\.(?:diagnostics|io|windows|management|configuration)\.)|%tag\s{1,4}![\w!-]{0,12}\s{1,4}tag:yaml\.org|!<(?:tag:yaml\.org,2002:)?!?(?:python|ruby|js|java|php|perl|system\.)/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.bang,
      words: 0,
      attacks: [
        '!ruby/class X',
        '!!org.h2.jdbc.JdbcConnection {}',
        'a: !!php/object "O:1"',
        '!!js/function "function(){}"',
        '%TAG !p! tag:yaml.org,2002:python/',
        '!<!System.Windows.Data.ObjectDataProvider> {}',
        '!!java.net.URL ["http://a/"]',
      ],
      benign: ['!!binary x', 'wow!!java is fun', '!!set {a}', 'oh!! org.apache', '!Ref x', '!!str 5'],
    },
  ),
  pattern(
    'deserialisation/xml-class',
    new RegExp(
      `<dynamic-proxy>|\\bclass\\s{0,4}=\\s{0,4}["'](?:dynamic-proxy|java\\.(?:beans|io|net|rmi|lang\\.(?:processb|runtime|thread|class)|util\\.(?:scanner|priorityqueue|logging))|javax\\.(?:naming|script|swing|management|imageio|crypto)|com\\.sun\\.|sun\\.|jdk\\.|groovy\\.util)|\\bresolves-to\\s{0,4}=\\s{0,4}["']${JAVA_CLASS}|<void\\s{1,4}method\\s{0,4}=\\s{0,4}["'](?:getruntime|exec|start|forname|invoke)["']|<array\\s{1,4}method\\s{0,4}=|<java>\\s{0,8}<(?:class|void|object)\\b|<field\\s{1,4}class\\s{0,4}=\\s{0,4}["']java\\.`,
    ),
    {
      score: 5,
      quotable: true,
      chars: CHAR.less,
      words: WORD.java,
      attacks: [
        '<dynamic-proxy><interface>x</interface>',
        '<a class="dynamic-proxy">',
        '<entry><a class="java.lang.ProcessBuilder"/>',
        '<java><void method="getRuntime">',
        '<a resolves-to="java.beans.EventHandler">',
      ],
      benign: [
        '<bean id="a" class="com.example.Shop"/>',
        '<p class="java">x</p>',
        '<property class="java.util.HashMap"/>',
        '<div class="oracle-x">',
      ],
    },
  ),
]
