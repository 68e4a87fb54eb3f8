import { foundWithin } from '../lex/found-within.ts'
import { pattern, type Rule, type Span } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import type { Reading } from '../value/reading.ts'
import { WORD } from '../value/words.ts'

/** Where a template names what it reaches by a text: in brackets, and behind what takes a name. */
const KEY = '(?:\\[|\\battr(?:ibute)?\\s{0,4}(?:\\(|=)|\\battribute\\s{0,2}\\([^,()\\n]{1,24},)\\s{0,4}'
/** A text of one piece, as short as names are. */
const PIECE = '(?:"[^"\\n]{0,40}"|\'[^\'\\n]{0,40}\'|`[^`\\n]{0,40}`)'
const FILTER =
  '(?:join|format|reverse|lower|upper|replace|trim|string|first|last|list|b64decode|urldecode|concat|strrev)\\b'
const METHOD = '(?:join|format|concat|replace|lower|upper|split|slice|tolowercase|touppercase)\\s{0,2}\\('

/**
 * A name that is put together where one piece would do, out of pieces, numbers, filters, or what the request
 * says besides: it hides what is named.
 */
const HIDDEN_NAME = [
  `${KEY}[([]{0,3}\\s{0,4}(?:\\w{1,12}\\s{1,4}or\\s{1,4})?${PIECE}\\s{0,4}(?:[~+%*.]\\s{0,4}[("'\\x60\\d]|["'\\x60])`,
  // What stands around a piece is inside the brackets too.
  `${KEY}[([]{0,2}\\s{0,4}${PIECE}\\s{0,4}\\|\\s{0,4}${FILTER}`,
  `${KEY}[([]{1,2}\\s{0,4}${PIECE}(?:\\s{0,4},\\s{0,4}${PIECE}){0,24}\\s{0,4}[\\])]{1,2}\\s{0,4}(?:\\|\\s{0,4}${FILTER}|\\.\\s{0,2}${METHOD}|%\\s{0,4}[(\\d])`,
  `${KEY}${PIECE}\\s{0,4}\\.\\s{0,2}${METHOD}`,
  `${KEY}[([]{0,2}\\s{0,4}["'\\x60][^"'\\x60\\]\\n]{0,40}?\\\\(?:[0-7]{2,3}|n\\{|u[\\da-f{]|x[\\da-f])`,
  `${KEY}\\(?\\s{0,2}(?:request|req|app\\.request|params|cookies)\\s{0,2}(?:\\.\\s{0,2}(?:args|values|form|cookies|headers|query\\w{0,10}|body|params|get)\\b|\\[)`,
  '\\bdict\\s{0,2}\\([^()\\n]{1,80}\\)\\s{0,4}\\|\\s{0,4}(?:join|list|first|string)\\b',
  '\\bnamespace\\s{0,2}\\(\\s{0,2}\\w{1,12}\\s{0,2}=\\s{0,2}dict\\b',
  '\\(\\s{0,2}lipsum\\b',
].join('|')

const inMarks = foundWithin({
  opening: /\{\{|\{%|\$\{|#\{|<%|\*\{|\{\$|@\{/,
  inside: new RegExp(HIDDEN_NAME),
  reach: 240,
  barriers: '}\\u0000-\\u0008\\u000e-\\u001f\\u007f-\\u009f',
})

/** Expressions of templates in disguise: names put together, filters that run programs. */
export const templateNameRules: readonly Rule[] = [
  {
    id: 'template/hidden-name',
    family: 'template',
    needs: [/(?:\{[{%$]|[$#*@]\{|<%)/],
    find: ({ lower }: Reading): Span | undefined => inMarks(lower),
    score: 5,
    quotable: true,
    chars: CHAR.brace | CHAR.bracket,
    words: 0,
    attacks: [
      "{{()['__cla'~'ss__']}}",
      '{{x["__cla" \'ss__\']}}',
      "{{x['ssalc'|reverse]}}",
      "{{x[['cla','ss']|join]}}",
      "{{x['%sclass%s'|format('__','__')]}}",
      "{{x['\\137\\137class\\137\\137']}}",
      '{{x[request.args.a]}}',
      '{%print dict(cla=1,ss=2)|join%}',
      "{{[x]|map(attribute='__cla'+'ss__')|list}}",
      "<%= []['con'+'structor'] %>",
      "${x['cla'.concat('ss')]}",
    ],
    benign: [
      "{{ items['a'] | join(', ') }}",
      "{{ hostvars['ansible_' + name] }}",
      "{{ rows[index + 1]['name'] }}",
      "{{ x[['a','b']] }}",
      '{{ data[site.locale].title | upper }}',
      "{{ names | map(attribute='name') | join(', ') }}",
      "{% set x = ['a', 'b'] %}",
      "${labels['a']}",
    ],
  },
  // An element or a tag of a template that names the function to call.
  pattern(
    'template/callback',
    /[<{][\w:.-]{1,24}\s[^<>{}\n]{0,120}\b(?:method|function|callback|func|filter|modifier|handler|runphp)\s{0,2}=\s{0,2}["']?(?:system|exec|passthru|shell_exec|popen|proc_open|pcntl_exec|assert|eval|phpinfo|call_user_func(?:_array)?|file_put_contents|create_function)(?:["'\s/>}]|$)/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.less | CHAR.brace,
      words: WORD.call,
      attacks: [
        '<xf:callback class="XF\\Util\\Php" method="system" params="id">',
        '{include_php file="x" function="passthru"}',
        '<x:call func=exec>',
      ],
      benign: ['<form method="post">', '<a filter="system-wide">', '{x method="list"}', '<p> method="exec"'],
    },
  ),
  // What holds the whole application, or its database, asked for by a template.
  pattern(
    'template/container',
    /\{[{%$][^{}\n]{0,120}?[.>]\s{0,2}get(?:connection|container|kernel|entitymanager|doctrine|servicemanager|databaseconnection|driverconnection)\s{0,2}\([^()\n]{0,60}\)\s{0,2}(?:\.|->)\s{0,2}\w/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.brace,
      attacks: [
        "{{ $xf.app.db.getConnection().query('x') }}",
        "{{ app.getKernel().getContainer().get('x') }}",
      ],
      benign: ['{{ user.getName() }}', '{{ connection }}', '{{ x.getContainer() }}'],
    },
  ),
  // Smarty and Twig: what stands before the bar is given to a function of PHP.
  pattern(
    'template/filter',
    /\{[^{}\n]{0,120}[^{}\n|]\|\s{0,4}(?:system|exec|passthru|shell_exec|popen|proc_open|assert|unserialize|file_get_contents|readfile)\s{0,4}(?:[}|:]|$)|\{%\s{0,4}apply\s{1,4}(?:filter\s{0,2}\(\s{0,2}["'](?:system|exec|passthru|shell_exec|assert)|eval|exec|open)\b|\battribute\s{0,2}\(\s{0,2}_self\b/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.brace,
      words: 0,
      attacks: [
        "{'id'|system}",
        "{assign var=x value='id'|passthru}",
        "{% apply filter('system') %}id{% endapply %}",
        "{{attribute(_self,'env')}}",
        '{% apply exec %}x{% end %}',
      ],
      benign: ['{a|b}', '{x | system-wide}', '{% apply upper %}x{% endapply %}', '{ a || exec }'],
    },
  ),
]
