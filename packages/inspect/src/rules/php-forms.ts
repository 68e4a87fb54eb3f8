import { pattern, type Rule } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import { WORD } from '../value/words.ts'

/** Functions that run what they are given, or print so that an intruder sees that his code ran. */
const RUNNING =
  'system|passthru|shell_exec|popen|proc_open|pcntl_exec|exec|assert|eval|call_user_func(?:_array)?|file_put_contents|phpinfo|var_dump|print_r|printf?|die|exit|md5'

/** Code of PHP that leaves the string or the call in which a program writes a value, and goes on alone. */
export const phpFormRules: readonly Rule[] = [
  pattern(
    'code/php-break-out',
    new RegExp(
      `(?:['"]\\s{0,2}\\)|\\(\\))\\s{0,2}(?:\\|\\||&&|[.;])\\s{0,2}@?(?:${RUNNING})\\s{0,2}\\([^\\n]{0,120}\\)\\s{0,2};?\\s{0,2}(?:\\/\\/|#|\\/\\*)`,
    ),
    {
      score: 5,
      quotable: true,
      chars: CHAR.paren,
      attacks: [`a')||printf("x");//`, 'Factory();print(12+34);//../', `x");system('id');#`],
      benign: ["a') || print", 'show();draw(1);//', 'print(1);// once'],
    },
  ),
  pattern(
    'code/php-echo',
    /^\s{0,2}[\w'")\]]{0,24}\s{0,2};\s{0,2}(?:echo|print)\s{0,2}\(?\s{0,2}(['"])[^'"\n]{0,80}\1\s{0,2}\)?\s{0,2};\s{0,2}(?:exit|die|\/\/|#|\/\*|\?>)/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: CHAR.semicolon,
      attacks: [`1;echo 'q8x2';exit`, `x';print("q");//`],
      benign: ["ls; echo 'done'; cd", 'a; print; exit'],
    },
  ),
  // A call in a string: `"{${phpinfo()}}"`. Other languages nest braces so too, but call functions of theirs.
  pattern(
    'code/php-braced-call',
    /\{\$\{\s{0,2}@?(?:u?sleep|system|exec|passthru|shell_exec|eval|assert|print|print_r|var_dump|php(?:info|version|_uname)|die|exit|file_get_contents|readfile|popen|getenv)\s{0,2}\(/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.dollar,
      attacks: ['{${sleep(10)}}', ' {${sleep(hexdec(dechex(20)))}} ', 'x{${@print(1)}}'],
      benign: ['{${name}}', '"{${join(",", list)}}"', '${sleep(5)}', '{$ {sleep(10)}}'],
    },
  ),
  // PHP calls a string that is the name of a function: `"system"("id")`.
  pattern(
    'code/php-string-call',
    new RegExp(`(\\\\?['"])(?:${RUNNING})\\1\\)?\\s{0,2}\\(\\s{0,2}\\\\?(?:['"$\\d)]|\\w{1,24}\\()`),
    {
      score: 5,
      quotable: true,
      chars: CHAR.paren,
      attacks: [
        `<vb:if condition='"var_dump"("x")'></vb:if>`,
        `'system'('id')`,
        '("exec")("id")',
        '(\\"system\\")(\\"id\\")',
      ],
      benign: ['"system" (the old one)', "'eval' is bad", '"exec"(s)'],
    },
  ),
  // Variables of PHP that a program does not take from a request, as the name of a parameter.
  pattern('code/php-variable-name', /^(?:GLOBALS|_(?:SESSION|SERVER|ENV|COOKIE|FILES|REQUEST|GET|POST))\[/, {
    score: 5,
    exactCase: true,
    atStart: true,
    places: ['name'],
    words: WORD.php,
    attacks: ['GLOBALS[admin]', '_SESSION[user]', '_SERVER[DOCUMENT_ROOT]'],
    benign: ['globals[a]', '_session', 'my_GET[a]', 'GLOBALS'],
  }),
  // What prints a digest that nobody else knows.
  pattern('code/php-digest', /\(\s{0,2}md5\(\s{0,2}['"]?\w{2,32}['"]?\s{0,2}\)\s{0,2}\)\s{0,2};\s{0,2}$/, {
    score: 5,
    quotable: true,
    chars: CHAR.paren,
    attacks: ['tf(md5(23333));', 'print(md5("acunetix"));', 'die(md5(31337));'],
    benign: ['md5(1)', 'sum(md5(name))'],
  }),
  // What a command printed comes back as the text of an error, or out of a buffer.
  pattern(
    'code/php-captured',
    /\bob_start\(\)\s{0,2};\s{0,4}(?:echo\s{0,2}`|(?:echo\s{1,4})?@?(?:system|passthru|shell_exec|exec|eval)\s{0,2}\()|\bthrow\s{1,4}new\s{1,4}\\?exception\s{0,2}\(\s{0,2}(?:`|shell_exec\s{0,2}\()/,
    {
      score: 5,
      chars: CHAR.paren,
      attacks: [
        'ob_start();echo `id`;$o=ob_get_contents();throw new Exception($o);',
        'throw new Exception(`id`);',
      ],
      benign: ['ob_start(); include "a.php";', 'throw new Exception($message);'],
    },
  ),
  // A string is left, and a program follows that keeps what it fetched in a variable.
  pattern(
    'code/php-broken-out',
    /^[^\n'"]{0,64}['"]\)?\s{0,2};\s{0,4}\$\w{1,24}\s{0,2}=[^\n]{0,240}?\b(?:file_put_contents|fwrite|include|require|include_once|require_once|eval|assert|system|exec|shell_exec|passthru|call_user_func)\s{0,2}\(/,
    {
      score: 6,
      atStart: true,
      chars: CHAR.paren,
      attacks: [`x'; $f='/tmp/a.php'; file_put_contents($f, $_GET['a']); include($f); //`],
      benign: ["$a = 'x'; $b = file_put_contents($c);", `it's; $5 = system (a)`],
    },
  ),
]
