import { pattern, type Rule } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import { WORD } from '../value/words.ts'

const PHP_DANGEROUS =
  'system|passthru|shell_exec|popen|proc_open|pcntl_exec|exec|assert|eval|create_function|call_user_func(?:_array)?|preg_replace|base64_decode|gzinflate|gzuncompress|gzdecode|zlib_decode|str_rot13|file_get_contents|file_put_contents|move_uploaded_file|phpinfo|php_uname|readfile|show_source|highlight_file|putenv|ini_set|ini_get|dl|fopen|fputs|fwrite|symlink|chmod|chown|unlink|rmdir|scandir|opendir|parse_ini_file|var_dump|print_r|ob_start|array_map|usort|include(?:_once)?|require(?:_once)?|unserialize|getenv|posix_getpwuid|curl_exec|curl_init|mail|error_log|session_start|extract|parse_str|bzdecompress'
const PHP_COMMON =
  'strip_tags|chr|ord|strrev|implode|explode|md5|printf|sprintf|print|echo|date|time|is_\\w{1,16}|array_\\w{1,16}|str_\\w{1,16}|substr|trim|sleep|define|constant|func_\\w{1,12}|get_\\w{1,24}|set_\\w{1,24}|bzopen|gzopen|gzread|fsockopen|json_\\w{1,8}|preg_\\w{1,16}|mb_\\w{1,16}|openssl_\\w{1,16}|session_\\w{1,16}|shell|stripslashes|addslashes|urldecode|rawurldecode|htmlspecialchars|html_entity_decode|hex2bin|bin2hex|pack|unpack|rand|mt_rand|serialize|setcookie|header|die|exit|phpversion|phpcredits|zend_version|sys_get_temp_dir|disk_free_space|ftp_\\w{1,12}|imap_\\w{1,12}|mysql_\\w{1,16}|mysqli_\\w{1,16}|pg_\\w{1,12}|sqlite_\\w{1,16}|odbc_\\w{1,12}|socket_\\w{1,12}|stream_\\w{1,24}|tempnam|tmpfile|touch|uniqid|usleep|filesize|filetype|fileperms|glob|is_dir|is_file|file_exists|mkdir|rename|copy|link|readlink|realpath|stat|parse_url|runkit_\\w{1,16}|ctype_\\w{1,8}|iterator_apply|ldap_\\w{1,12}'

/** Modules that JavaScript loads, and assertions without anything that PHP would run. */
const OTHER_LANGUAGES =
  '(?:\\w{1,24}\\s{0,2}=\\s{0,2})?require\\s{0,2}\\(\\s{0,2}["\'](?:\\.{0,2}/)?[\\w@/-]{1,60}(?:\\.(?:js|json|cjs))?["\']\\s{0,2}\\)|assert\\s{0,2}\\((?![^\\n]{0,80}(?:phpinfo|system|exec|passthru|eval|print|base64|chr|file_|\\$))'

const ENTRY = String.raw`\$\w{4,8}(?:\[(?:"\w{1,32}"|'\w{1,32}')\]){1,2}`
/** What takes the variable behind it for a value, where code is run. */
const TAKES_VALUE =
  'include|require|include_once|require_once|echo|print|return|exit|die|new|clone|throw|yield|case|do|else|eval|as|global|static|extends'
/** What a sentence is about: `why is $_POST["name"] empty?`. In backticks it would be a command. */
const SPOKEN_ENTRY = new RegExp(
  String.raw`(?!(?=\$_)(?<!\x60[^\x60]{0,99})(?<!\b(?:${TAKES_VALUE})[ \n])(?:(?<=^|[a-z][ \n])${ENTRY},?[ \n][a-z]|(?<=[a-z][ \n])${ENTRY}[,.?!](?:\s|$)|(?<=\b(?:isset|empty)\()${ENTRY}\),?(?: [a-z]|[.?!](?:\s|$))|(?<=<code>)${ENTRY}<\/code>))`,
)

/** Code for the interpreter of the backend: PHP, JavaScript, Python, Ruby, Perl. */
export const codeRules: readonly Rule[] = [
  pattern(
    'code/php-tag',
    /<\?(?:php\b|=|\s(?!extends [a-z]|super (?!(?:and|instanceof|or|xor)\b)[a-z])|$|xml\s{0,12}(?:[:(]|\(\);)|\n)|<%\s{0,4}(?:eval|execute|response|request|=\s{0,4}system)|\[\/?php\]|\{\/?php\}|<script\s{1,4}language\s{0,4}=\s{0,4}["']?php/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.less | CHAR.bracket | CHAR.brace,
      attacks: ['<?php phpinfo(); ?>', '<?= 1 ?>', 'x=test<?', "[php]echo 'x';[/php]", "<?\nsystem('id');?>"],
      benign: ['<?xml version="1.0"?>', 'what<?'.slice(0, 4), 'a List<? extends Number>'],
    },
  ),
  pattern(
    'code/php-call',
    new RegExp(
      `(?:^|[\\s"'\`;:(=@,&|.!{}$%]|\\*/)(?:${PHP_DANGEROUS})(?! \\(\\d{1,3}\\)(?:\\.[a-z\\d]{1,5})?$)\\s{0,8}(?:/\\*[^*]{0,32}\\*/\\s{0,8})?(?:\\(\\s{0,4}(?:["'$\`]|\\d|\\)|\\w{1,24}\\s{0,4}\\()|(?<=\\w)\\(\\w{1,24}\\))`,
    ),
    {
      score: 4,
      quotable: true,
      chars: CHAR.paren,
      words: WORD.call,
      attacks: ["eval($_POST['x'])", "system('id')", 'cmd=system(whoami)', "exec/*comment*/('x')"],
      benign: ['the system (as a whole)', 'include (optional)', 'exec noun', 'Eval (3).docx'],
    },
  ),
  pattern(
    'code/php-start',
    new RegExp(
      `^(?!${OTHER_LANGUAGES})\\s{0,4}(?:[@!({;&.-]{0,4}\\s{0,2})(?:\\w{1,16}\\s{0,2}=\\s{0,2})?(?:["']{0,1})(?:${PHP_DANGEROUS}|${PHP_COMMON})["']?\\)?(?:\\s{2,8}|[\\t\\n\\r]|\\s(?=[/#]))?(?:/\\*[^*]{0,32}\\*/\\s{0,12}|(?:#|//)[^\\n]{0,32}\\n\\s{0,8})?\\(\\s{0,4}[^\\n]{0,120}?(?:\\)\\s{0,4}[);]{0,4}\\s{0,4}$|\\)\\s{0,4};)`,
    ),
    {
      score: 5,
      bare: true,
      atStart: true,
      quotable: true,
      chars: CHAR.paren,
      places: ['query', 'body', 'name', 'cookie', 'path', 'header'],
      attacks: [
        'strip_tags()',
        'chr(123)',
        '(system)(whoami)',
        '("system")("whoami")',
        "@exec('test')",
        '"system"(ls);',
        'phpinfo(foo)',
        'exec #comment\n (blah)',
        'exec  (blah)',
        "eval('runExploit()')",
      ],
      benign: [
        'Mail (urgent) for you',
        'date (2020) and time',
        'Copy (2) of file.txt',
        'Header (top) text',
        'time (and space) travel',
        'glob',
        "assert(typeof body == 'string');",
        "request = require('request');",
      ],
    },
  ),
  // A call that runs a program or code, reads a file or tells of the server, and nothing else.
  pattern(
    'code/run',
    /^[@!({;\s]{0,4}(?:\w{1,16}\s{0,2}=\s{0,2})?["']?(?:(?:phpinfo|php_uname)\s{0,2}\(|(?:system|passthru|shell_exec|popen|proc_open|pcntl_exec|exec|assert|eval|create_function|call_user_func(?:_array)?|readfile|show_source|highlight_file|file_(?:get|put)_contents|scandir|unserialize|base64_decode|posix_getpwuid|var_dump|print_r|require|include(?:_once)?)["']?\)?\s{0,2}\(\s{0,4}(?:["'`$/]|\w{1,24}\s{0,2}\(|(?:id|whoami|ls|uname|pwd)\b))[^\n]{0,160}?\)[);\s]{0,6}$/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      unlessNamed: /^(?:test|main|exports?|import|module|entry|plugin|loader|handler)s?$/,
      chars: CHAR.paren,
      words: WORD.call,
      places: ['body'],
      attacks: ["system('id')", 'phpinfo()', "eval(compile('import os','','exec'))", '(system)(whoami)'],
      benign: ['system (as a whole)', 'include (optional)', "print('x')", 'date(2020)', 'eval() is evil'],
    },
  ),
  pattern(
    'code/php-output',
    /^\s{0,4}(?:echo|print|die|exit|return)\s{1,4}\(?\s{0,2}(?:md5|sha1|phpversion|phpinfo|php_uname|getcwd|get_current_user|shell_exec|system|exec|passthru|file_get_contents|base64_decode|str_rot13|chr|implode|scandir)\(|^\s{0,4}(?:echo|print|die|exit)\s{0,4}\(?\s{0,2}`[a-z]/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: CHAR.paren | CHAR.backtick,
      attacks: ['echo md5("x");', 'print md5(123);', 'echo `id`'],
      benign: ['print (2nd edition)', 'echo chamber (loud)'],
    },
  ),
  pattern(
    'code/php-buried-call',
    /\b(?:gzuncompress|gzinflate|zlib_decode|shell_exec|proc_open|pcntl_exec|create_function|call_user_func|str_rot13|base64_decode|php_uname|phpinfo|passthru|move_uploaded_file)\s{0,8}(?:\/\*[^*]{0,32}\*\/\s{0,8})?(?:\(|=\s{0,4}\()/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.paren,
      words: WORD.php,
      attacks: ["I don't like gzuncompress/*comment*/()", 'Shell_exec=(bla)', 'eval(gzinflate(str_rot13('],
      benign: ['base64 decode (online)', 'passthrough (yes)'],
    },
  ),
  pattern(
    'code/php-variable',
    new RegExp(
      `${SPOKEN_ENTRY.source}${String.raw`(?!(?<=\x60)\$\w{4,8}\x60)(?!(?<=^|[a-z,][ \n])\$\w{4,8}(?:[,.;:?!]?[ \n][a-z]|[,.?!](?:\s|$)))(?!(?<=\b(?:and|by|from|in|not|of|or|than|the|to|use|using|via|vs|with)[ \n])\$\w{4,8}$)(?:\$_(?:get|post|request|server|cookie|files|session|env)\b|\$globals\b)|\$http_(?:raw_post|get|post|cookie|server)_|\bphp_self\b`}`,
    ),
    {
      score: 5,
      quotable: true,
      chars: CHAR.dollar,
      words: WORD.php,
      attacks: [
        "$_SERVER['test'];",
        '$_GET[c]',
        '$GLOBALS["x"]',
        'extract( $_GET )',
        '$_POST',
        'a $_GET[0]',
        'include $_GET["c"] or 1',
      ],
      benign: [
        'why is $_POST["name"] empty?',
        '$server',
        '_get',
        'kept in `$_SESSION`',
        'the $_SERVER array',
        'from $_GET, $_POST and $_FILES.',
        '$_SERVER is empty',
        'use $_GET or $_POST',
        'why not $_SESSION?',
      ],
    },
  ),
  pattern(
    'code/php-variable-call',
    /(?:^|[\s=;.&|!(:])@?\${1,3}(?:\{\s{0,4}[@$]?\w{1,24}(?:->\w{1,24})?\s{0,4}\}|[a-z_]\w{0,24})(?:\s{0,4}(?:\[[^\]\n]{0,32}\]|\{[^}\n]{0,16}\}|->\$?\w{1,24})\]?){0,4}\s{0,4}(?:\/\*[^*]{0,16}\*\/|(?:#|\/\/)[^\n]{0,16}\n)?(?:\[[^\]\n]{0,16}\])?(?:\((?:\s{0,2}["'$][^)\n]{0,64}|(?!\s{0,2}[+-]?\d{1,6}\s{1,2}[a-z]{3,12}\))[^)\n$]{0,32})\)|\s{1,4}\((?:["'$][^)\n]{0,64}|\d{1,6}|)\))/,
    {
      score: 5,
      bare: true,
      quotable: true,
      chars: CHAR.dollar,
      places: ['query', 'path', 'name', 'cookie', 'header', 'body'],
      attacks: [
        '$a(1)',
        '@$__[o](4)',
        '${@a}(10)',
        '$foo->$funcname()',
        '$OOO000000{0}(15)',
        "$_aB_4c[5]['d'] /*lol*/ (17)",
      ],
      benign: ['$5 (five)', 'US$ (dollars)', '$ (dollar)'],
    },
  ),
  pattern(
    'code/php-indirect-call',
    /\(\s{0,4}(?:\$\w{1,24}|string\s{0,4}\)\s{0,4}["'{][^)\n]{0,40})\s{0,4}\)?\s{0,4}\(\s{0,4}["']|^\s{0,4}\(\(?\w{1,12}\)?(?:\.\(?\w{1,12}\)?){1,8}\)\s{0,2}\(|["'][a-z\\]{1,8}["'](?:\s{0,2}\.\s{0,2}["'][a-z]{1,8}["']){1,8}\s{0,4}(?:\)?\s{0,4}\(|;)/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.paren,
      attacks: [
        '(string)"sys"."t"."em"(\'uname\');',
        "$y='sys'.'tem';($y)('uname');",
        '(sy.(st).em)(whoami);',
      ],
      benign: ["'a'.'b'", '(string) "x"'],
    },
  ),
  pattern(
    'code/break-out',
    /^[^\n]{0,60}?["'][ \t]{0,4}[;)}.]{1,4}[ \t]{0,4}(?:system|(?<!\.)exec|passthru|shell_exec|popen|phpinfo|print|echo|eval|assert|require|process\.\w{1,12}|__import__)\s{0,2}\(|^[^\n[]{0,60}?["'][ \t]{0,4}\][\])]{0,2}[ \t]{0,4};[ \t]{0,4}(?:system|exec|print|echo|eval|assert|die|exit|print_r|var_dump)\s{0,2}[("']/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: CHAR.paren,
      words: WORD.php | WORD.runtime | WORD.shell,
      attacks: ["';system('id');'", "');exec('x')//", "'];print('x');$x='"],
      benign: ["it's done; system (as a whole)", "a['b'];print('x')", "'a'; print it"],
    },
  ),
  // Out of a call of PHP, into a statement of one's own, and the rest of the line commented out.
  pattern(
    'code/statement-break-out',
    /["'][ \t]{0,4}\)[ \t]{0,4};[ \t]{0,4}(?:echo|print|die|exit|return)[ \t]{0,4}["'$(`][^\n]{0,200};[ \t]{0,4}(?:\/\/|#|\/\*)/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.semicolon,
      attacks: ['\',0,"",1,"0");echo "x";//', "x');print $y;#"],
      benign: ["('a'); echo 'b';", "f('a'); return 'b'; then // it"],
    },
  ),
  // Chains of calls in JavaScript end so as well.
  pattern('code/method-break-out', /^[^\n]{0,60}?["'][ \t]{0,4}\)[ \t]{0,4}\.[ \t]{0,4}exec\s{0,2}\(/, {
    score: 5,
    quotable: true,
    bare: true,
    atStart: true,
    chars: CHAR.paren,
    words: WORD.runtime,
    attacks: ["').exec('x')//"],
    benign: ['a.exec(b)'],
  }),
  pattern(
    'code/php-config',
    /^\s{0,4}(?:\w{1,16}\s{0,2}=\s{0,2})?(?:allow_url_(?:include|fopen)|auto_(?:prepend|append)_file|disable_functions|open_basedir|memory_limit|extension|precision|max_execution_time|display_errors|safe_mode|error_log|error_reporting|include_path|short_open_tag|upload_tmp_dir|zend_extension|opcache\.\w{1,40}|session\.(?:save_path|upload_progress|auto_start)\w{0,24}|mbstring\.\w{1,24}|suhosin\.\w{1,24}|cgi\.\w{1,24}|date\.timezone|sendmail_path|user_ini\.\w{1,12}|variables_order|register_globals|magic_quotes_gpc|file_uploads|post_max_size|soap\.\w{1,24}|assert\.\w{1,16}|mail\.\w{1,24}|zlib\.\w{1,24}|pcre\.\w{1,24}|enable_dl|engine|expose_php|doc_root|output_buffering|output_handler|unserialize_callback_func|xbithack|html_errors|log_errors)\s{0,4}=\s{0,4}\S/,
    {
      score: 5,
      bare: true,
      atStart: true,
      chars: CHAR.equals,
      attacks: [
        'memory_limit = 512M',
        'opcache.jit_max_polymorphic_calls=50',
        'auto_prepend_file=php://input',
      ],
      benign: ['memory limit', 'precision', 'extension'],
    },
  ),
  pattern(
    'code/node',
    /\{\s{0,2}(exec\w{0,8}|spawn\w{0,4}|fork)\s{0,2}\}\s{0,2}=\s{0,2}require\s{0,2}\(\s{0,2}["'](?:node:)?child_process["']\s{0,2}\)[^()]{0,40}\b\1\(|\brequire\s{0,4}\(\s{0,4}["'`](?:node:)?(?:child_process|fs|vm|net|http|os|cluster)["'`]\s{0,4}\)\s{0,4}[.[]|\bprocess\.(?:mainmodule|binding\s{0,2}\()|child_process["'`]\s{0,4}\)?\s{0,4}\.\s{0,4}\w{0,12}(?:exec|spawn|fork)|child_process\s{0,4}\)?\s{0,4}\.\s{0,4}(?:exec|spawn|fork)\w{0,12}\s{0,4}\(\s{0,4}[^\s)]|_\$\$nd_func\$\$_|mainmodule\s{0,4}\.|require\.main\.(?:require|constructor|children|paths)\b|(?:global|root)\.process\b|\.(?:exec|spawn)sync\s{0,4}\(\s{0,4}["'`]|this\.constructor\.constructor|constructor\s{0,2}(?:\.\s{0,2}|\[\s{0,2}["'`])_load\b|constructor:constructor|\$\d:(?:constructor|_response|__proto__)|res\.end\s{0,4}\(\s{0,4}require|\bfunction\(\s{0,2}["'`]|\breturn\s{1,4}process(?:\s{0,2}["'`}]|\.\w|;\s{0,2}["'`}])|\bimport\s{0,4}\(\s{0,4}["'`](?:node:)?(?:child_process|fs|vm|net)["'`]/,
    {
      score: 5,
      quotable: true,
      words: WORD.runtime | WORD.prototype | WORD.script,
      attacks: [
        "require('child_process').exec('id')",
        'global.process.mainModule.require',
        '_$$ND_FUNC$$_function()',
        "constructor['_load']",
        "Function('return process')()",
        "import('node:child_process').then(c=>c)",
        "const {execSync}=require('child_process');return execSync('id')",
      ],
      benign: [
        'require permission',
        'the process. env',
        'module exports',
        'start the return process. Then wait',
      ],
    },
  ),
  // The whole value is a piece of a program.
  pattern(
    'code/node-module',
    /^[\s(]{0,4}process\.(?:env|exit|kill)\b|^\s{0,4}module\.exports\s{0,4}=[^\n]{0,24}$/,
    {
      score: 5,
      bare: true,
      atStart: true,
      quotable: true,
      words: WORD.runtime,
      attacks: ['module.exports=', 'process.env', '(process.exit(1))'],
      benign: ['the process. env', 'module exports'],
    },
  ),
  pattern(
    'code/loop',
    /\bfor\s{0,4}\(\s{0,4};\s{0,4};\s{0,4}\)\s{0,4}(?:\{\s{0,4}\}|;|$)|\bwhile\s{0,4}\(\s{0,4}(?:[!+-]{1,3}\s{0,2}(?:\d|``|""|''|\[\]|false|new\b)|\(true\b|true\s{0,4}\)\s{0,4}[;{]|\+?infinity\b|string\s{0,2}\)|1\s{0,4}\)|new\s{1,4}date|"[^"]{0,8}"\s{0,2}\)|'[^']{0,8}'\s{0,2}\)|\[\]|\{\})|\bdo\s{0,4}\{[^}]{0,80}\}\s{0,4}while\s{0,4}\(|;\s{0,4}var\s{1,4}\w{1,16}\s{0,4}=\s{0,4}new\s{1,4}date/,
    {
      score: 5,
      quotable: true,
      words: WORD.runtime,
      attacks: [
        'while(true);',
        'while(!``);',
        'for(;;){}',
        ';var date = new Date(); do{curDate = new Date();}while(curDate-date',
      ],
      benign: ['while (true)', 'while (most people agree)', 'do it while you can'],
    },
  ),
  pattern(
    'code/python',
    /__import__\s{0,2}\(\s{0,2}["'](?:os|sys|subprocess|socket|pty|posix|commands|builtins|importlib|platform|shutil|base64|urllib)\b|__(?:globals|builtins|subclasses)__\s{0,2}[.([]|__class__\s{0,2}[.[][^\n]{0,24}__(?:base|bases|mro|subclasses|init)__|\bos\.(?:system|popen|exec[lv]p?e?)\s{0,4}[([]|\bsubprocess\.(?:popen|call|run|check_output|getoutput)\s{0,4}\([^\n]{0,24}["']|exec\s{0,4}\(\s{0,4}(?:compile|base64|__import__)|pickle\.loads?\s{0,4}\(\s{0,2}(?:b?[\x22']|base64|bytes|zlib|requests?\b|urllib)/,
    {
      score: 5,
      quotable: true,
      words: WORD.runtime,
      attacks: ["__import__('os').system('id')", "os.system('id')", 'subprocess.Popen(["id"])'],
      benign: ['my os is slow', 'the class of 1999', '__init'],
    },
  ),
  // What people write in programs too: data in a document.
  pattern(
    'code/python-internal',
    /__(?:import__\s{0,2}\(|(?:class|mro|bases)__\s{0,2}[.([])|\bsubprocess\.(?:popen|call|run|check_output|getoutput)\s{0,4}\(|\bcompile\s{0,4}\([^)]{0,80},\s{0,4}["'](?:exec|single|eval)|\bglobals\s{0,2}\(\s{0,2}\)\s{0,2}[[.]/,
    {
      score: 5,
      quotable: true,
      words: WORD.runtime,
      attacks: ['__import__(x)', 'x.__class__.y', 'globals()["x"]', 'subprocess.run(x)'],
      benign: ['the class of 1999', '__init', 'subprocess'],
    },
  ),
  pattern(
    'code/ruby-perl',
    /\b(?!io\.read\s?\([\x22']\*?(?:a|all|l|line|n|number)[\x22']\))(?:kernel|io|process|open3)\.(?:exec|system|popen|spawn|capture\w{0,4}|read)\s{0,4}[("']|\bfile\.read\s{0,4}\(\s{0,4}[\x22'/]|\bperl\s{1,4}-e\b|@\{\[\s{0,4}system|use\s{1,4}(?:socket|posix)\s{0,4};|(?<!\b(?:a|the|this|another|every|adds?|added|introduce[ds]?) )\bnew\s{1,4}(?:function|processbuilder)\s{0,4}\((?!\s{0,4}\)|s\))|\bfunction\s{0,4}\(\)\s{0,4}\{\s{0,4}\}\s{0,4}\)?\s{0,4}\(\)|erb\.new\s{0,4}\(|\bopen\s{0,2}\(\s{0,2}["']\s{0,2}\||\binstance_eval\s{0,2}\(|\bdir\.(?:entries|glob)\s{0,2}\(|\brequire\s{1,4}["']open3|\buse\s{1,4}io::/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.paren | CHAR.apostrophe | CHAR.quote | CHAR.space | CHAR.brace,
      words: WORD.process,
      attacks: [
        "open('|id')",
        "Dir.entries('/')",
        "IO.popen('id')",
        'perl -e 1',
        'File.read("/x")',
        'new Function("x")',
      ],
      benign: [
        'the system is down',
        'new functions (3)',
        'the new function(s)',
        'Added a new function (`f()`)',
      ],
    },
  ),
  // A capital is a sentence: `System "Pump 3" is offline`.
  pattern(
    'code/ruby-shell',
    /(?:^|[;|&\n])\s{0,4}system\s{1,4}["'`]|^\s{0,4}exec\s{1,4}(?!"\$@"(?:\s|$))["'`]/,
    {
      score: 5,
      quotable: true,
      exactCase: true,
      chars: CHAR.apostrophe | CHAR.quote | CHAR.backtick,
      words: WORD.process,
      attacks: ['system "id"', "x;system 'id'", "exec 'id'"],
      benign: ['exec "$@"', 'System "Pump 3" is offline', "Exec 'Jane Doe' resigned", 'the system "x"'],
    },
  ),
  // A text that is put together from its characters, of which a line end is the only one people write so.
  pattern(
    'code/joined-characters',
    /\bchr\(\s?(?!(?:9|10|13)\s?\))\d{1,3}\s?\)\s{0,2}[.+]\s{0,2}chr\(\s?(?!(?:9|10|13)\s?\))\d{1,3}\s?\)/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.paren,
      attacks: [',chr(97)) or 1: print chr(121)+chr(101)', '$f=chr(115).chr(121);'],
      benign: ['chr(13)+chr(10)', 'chr(65) + x', 'chr(9).chr(65)'],
    },
  ),
  // Perl tells capitals apart; `849VCWC8+QX` is a place on a map, whose plus may stand for a space.
  pattern('code/perl-quoted', /(?:^|[\s=;,(])qx\s?[({/|]/, {
    score: 5,
    quotable: true,
    exactCase: true,
    chars: CHAR.paren | CHAR.brace | CHAR.slash | CHAR.pipe,
    words: WORD.process,
    attacks: ['qx(id)', 'x = qx{id}', ' qx/id/'],
    benign: ['4G3Q33C9 QX/photos', 'a qx model (2)'],
  }),
  pattern('code/ruby-command', /%x(?:[({[`]|([|/!])\w[^|/!>\n]{0,40}\1)/, {
    score: 5,
    quotable: true,
    chars: CHAR.percent,
    attacks: ['%x(id)', 'x=%x[ls]'],
    benign: ['100%x', '%xyz'],
  }),
]
