import { pattern, type Rule } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import { WORD } from '../value/words.ts'

/** What a template is made to compute, to set and print, or to open. */
export const interpolatedCallRules: readonly Rule[] = [
  // A name that is given a value and printed at once (Latte, Smarty).
  pattern(
    'template/printed-variable',
    /\{(?:var|assign)\s{1,4}(?:var\s{0,2}=\s{0,2})?["']?\$?(\w{1,24})["']?[^{}\n]{1,80}\}\s{0,4}\{\$\1\b/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.brace,
      attacks: ['{var $X="POC"}{$X}', '{assign var=x value=7} {$x}', '{assign "x" 7}{$x|upper}'],
      benign: ['{$firstname} {$lastname}', '{assign var=title value="x"}', '{var x}{y}'],
    },
  ),
  // A product in the other brackets of FreeMarker and in Latte, and a sum of two numbers by a filter.
  pattern(
    'template/bracket-product',
    /\[=\s{0,2}\d{1,8}\s{0,2}[*/]\s{0,2}\d{1,8}\s{0,2}\]|\{=\s{0,2}\d{1,8}\s{0,2}\*\s{0,2}\d{1,8}\s{0,2}\}|\{\{\s{0,4}\d{1,10}\s{0,4}\|\s{0,4}[a-z]{2,16}\s{0,2}:\s{0,2}["']?\d{1,10}["']?\s{0,4}\}\}/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.bracket | CHAR.brace,
      attacks: ['[=3*3]', '{=7*7}', 'x{{364|add:733}}y', '{{ 7 | times: 7 }}'],
      benign: ['[=5]', '[=a*b]', '{{ price | times: 7 }}', '{{ 5 | money }}', '[3*3]'],
    },
  ),
  // Groovy in a text: a file or an address that is opened and read (Groovy JDK, File and URL).
  pattern(
    'template/opened-file',
    /\$\{\s{0,4}(?:(?:string|def|var|object)\s{1,4}\w{1,24}\s{0,4}=\s{0,4})?(?:new\s{1,4}(?:java\.\w{2,3}\.)?(?:file|url|filereader|filewriter|socket|scanner)\s{0,2}\(\s{0,2}["'][^"'{}\n]{1,120}["']\s{0,2}\)\s{0,2}\.\s{0,2}(?:text|bytes|gettext|getbytes|readlines|withwriter|createnewfile|delete|list|openstream|getcontent|write|append|exists|newreader|eachline)\b|["'](?:https?|ftp|file):[^"'{}\n]{1,120}["']\s{0,2}\.\s{0,2}tour[il]\b)/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.dollar,
      attacks: [
        "${String x = new File('c:/windows/x.exe').text}",
        '${"http://evil.example".toURL().text}',
        '${new URL("http://evil.example").getText()}',
        "${def a=new java.io.File('/etc/x').readLines()}",
      ],
      benign: [
        '${new URL(request.url).pathname}',
        "${new Date('2026-01-01').text}",
        '${url.text}',
        '${"a".text}',
      ],
    },
  ),
  // What a format of Python is made to print, and nothing beside it: `{user.__class__}` (PEP 3101).
  pattern(
    'template/format-internal',
    /^\s{0,4}\{\s{0,2}[\w.[\]]{0,60}\.__(?!(?:name|doc|version|file|module|qualname|typename)__)[a-z]{3,16}__(?!\.__(?:name|qualname)__)(?:[.[][\w.[\]]{0,120})?(?:![rsa])?\}\s{0,4}$/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: CHAR.brace,
      attacks: ['{x.__class__}', '{0.__init__.__globals__[SECRET]}', '{self.__dict__!r}'],
      benign: ['{__typename}', '{x.__y}', '{user.name}', '{self.__class__.__name__}', 'f"{a.__class__}"'],
    },
  ),
  // A program whose end or output another call waits for (PHP, C): `pclose(popen("id", "w"))`.
  pattern(
    'code/piped-call',
    /\w\s{0,2}\(\s{0,2}@?popen\s{0,2}\(\s{0,2}["'][^"'\n]{1,120}["']\s{0,2},\s{0,2}["'][rw]b?["']\s{0,2}\)/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.paren,
      words: WORD.call,
      attacks: [`1/(pclose(popen("id", "wb"))==0)`, "fgets(popen('id','r'))", `pclose(popen("ls","w"))`],
      benign: ['popen("ls", "r")', 'f = popen(cmd, "r")', 'pclose(popen(cmd,"r"))'],
    },
  ),
  // A query in a value, whose last parameter is a call that runs something.
  pattern(
    'code/query-call',
    /[?&][\w.[\]-]{1,40}=(?:\w{1,16}=)?@?(?:system|passthru|shell_exec|exec|popen|assert|eval|phpinfo)\([\w\s"'$./-]{0,80}\)\s{0,2};?\s{0,2}$/,
    {
      score: 5,
      chars: CHAR.ampersand,
      words: WORD.call,
      attacks: ['app=x&id[1]=assert&id[args]=cmd=system(ver)', 'a=b&c=phpinfo()'],
      benign: ['a=1&b=exec(1) and more', 'system(ver)', 'a=b&system=5'],
    },
  ),
]
