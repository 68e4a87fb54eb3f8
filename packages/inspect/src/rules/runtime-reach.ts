import { pattern, type Rule } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import { WORD } from '../value/words.ts'
import { LOOK } from './remote-commands.ts'

/** What reaches the program that evaluates a value, in one language or another. */
export const runtimeReachRules: readonly Rule[] = [
  // Where Rails keeps its secrets, in a template.
  pattern(
    'template/rails-secret',
    /(?:<%[=-]?|[#$]\{)[^%{}\n]{0,60}\brails\.(?:application\.(?:credentials|secrets|secret_key_base|config\.secret|key_generator)|root\.join|configuration\b)/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.less | CHAR.brace,
      attacks: ['<%= Rails.application.credentials.x %>', '#{Rails.application.secrets}'],
      benign: ['Rails.application.credentials', '<%= @user.name %>', '<%= Rails.env %>'],
    },
  ),
  // A type in an expression of Spring (SpEL, section "Types"), and what is called of it.
  pattern(
    'java/spring-type',
    /[$#*~@]\{[^{}\n]{0,40}\bt\s{0,2}\(\s{0,2}(?:java|javax|jakarta|org|com|io|sun)\.[\w.$]{3,100}\s{0,2}\)\s{0,2}\./,
    {
      score: 5,
      quotable: true,
      chars: CHAR.brace,
      attacks: ['*{T(org.springframework.util.StreamUtils).copy(null)}', '#{T(com.example.A).b}'],
      benign: ['${t("org.title")}', '{T(a)}', '#{t(com.x)}'],
    },
  ),
  // A block of Tornado's whose function starts a program, and expressions of Zope that bring in a module.
  pattern(
    'template/applied-program',
    /\{%\s{0,4}apply\s{1,4}(?:os\.)?(?:system|popen|__import__)\b|\bpython:\s{0,4}[^"'<>\n]{0,24}(?:modules\s{0,2}\[\s{0,2}["']|__import__\s{0,2}\()/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.brace | CHAR.bracket | CHAR.paren,
      attacks: [
        '{% apply system %}id',
        'python:modules["os"]',
        'python:__import__("os")',
        `<p tal:define="x python:modules['os'].system('id')">`,
      ],
      benign: ['{% apply linkify %}', 'python: modules', 'python:view.title()'],
    },
  ),
  // Types of a program of .NET by way of any object in it.
  pattern(
    'code/dotnet-types',
    /\.gettype\(\s{0,2}\)\s{0,2}\.\s{0,2}assembly\s{0,2}\.\s{0,2}(?:definedtypes|gettypes?\b|createinstance|entrypoint|load\w{0,8}\s{0,2}\()|\btypeof\s{0,2}\(\s{0,2}system\.(?:io\.(?:file|directory)|diagnostics\.process|reflection\.assembly|activator|appdomain)\s{0,2}\)\s{0,2}\./,
    {
      score: 5,
      quotable: true,
      chars: CHAR.paren,
      attacks: [
        'it.GetType().Assembly.DefinedTypes.First(it.Name=="AppDomain")',
        'typeof(System.IO.File).GetMethod("ReadAllText")',
      ],
      benign: ['x.GetType().Assembly.Location', 'typeof(string)', 'typeof(System.IO.File)'],
    },
  ),
  // The machine under Erlang and Elixir.
  pattern(
    'code/erlang-machine',
    /:erlang\.(?:halt|open_port|apply|spawn|binary_to_term)\s?\(|\berlang:(?:apply|spawn)\s?\(\s?os\b|\bapply\s?\(\s?(?::os|os)\s?,\s?:?cmd\b/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.paren,
      attacks: [':erlang.halt()', ':erlang.binary_to_term(x)', 'erlang:apply(os,cmd,["id"])'],
      benign: [':erlang.now()', 'erlang:length(x)', 'apply(os)'],
    },
  ),
  // What Lisp evaluates as it reads, and Haskell where no action belongs.
  pattern(
    'code/read-time',
    /#\.\(\s{0,2}(?:run-program|run-shell-command|uiop:|sb-ext:|ext:|cl:|eval|load|delete-file|open)\b|\bunsafeperformio\s{0,2}[($]{1,2}\s{0,2}(?:system|readfile|readprocess|callcommand)\b/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.paren | CHAR.dollar,
      attacks: ['#.(run-program "id")', 'unsafePerformIO (system "id")', 'unsafePerformIO $ readFile "x"'],
      benign: ['#.(x)', 'unsafePerformIO', '# (eval)'],
    },
  ),
  // Parts of Node that load code or write files, and how a sandbox is left.
  pattern(
    'code/node-runtime',
    /\bprocess\.(?:dlopen|report\.writereport|_linkedbinding)\s{0,2}\(|\bvm\.(?:runin\w{3,4}context|compilefunction)\s{0,2}\(\s{0,2}["'`]|\berror\.preparestacktrace\s{0,2}=\s{0,2}(?:\(|function\b|\w{1,8}\s{0,2}=>)/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.paren,
      attacks: [
        "process.dlopen({},'/tmp/x.node')",
        "vm.runInNewContext('x')",
        'Error.prepareStackTrace=(e,s)=>s[0].getThis().process',
      ],
      benign: ['process.report', 'vm.runInContext(code)', 'error.stack = x'],
    },
  ),
  // A method of Ruby by its name, and objects of it.
  pattern(
    'code/ruby-send',
    /\b(?:__send__|public_send|(?:kernel|self|object)\.(?:send|method))\s{0,2}\(?\s{0,2}[:"'](?:eval|system|exec|spawn|fork|open|syscall|load|require|instance_eval|class_eval|`)|\bmarshal\.load\s{0,2}\(\s{0,2}(?:base64|["'[]|params)/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.paren,
      attacks: ["__send__(:eval,'x')", 'Kernel.send(:system, "id")', 'Marshal.load(Base64.decode64(x))'],
      benign: ['public_send(:name)', 'Marshal.load(x)', 'send(:mail)'],
    },
  ),
  // How Python takes an object apart.
  pattern('code/python-reduce', /[)\]}"'\w]\.__reduce(?:_ex)?__\s{0,2}\(/, {
    score: 5,
    quotable: true,
    words: WORD.runtime,
    attacks: ['().__reduce_ex__(2)', "''.__reduce__()"],
    benign: ['def __reduce__(self)', '__reduce__'],
  }),
  // The shell of SQLite, and one for scripts of Node.
  pattern(
    'rce/shell-call',
    new RegExp(
      `^\\s{0,4}\\.(?:shell|system)\\s{1,4}${LOOK}|\\b(?:sh|shell|shelljs)\\.exec\\s?\\(\\s?["']${LOOK}["']`,
    ),
    {
      score: 5,
      quotable: true,
      words: WORD.process,
      attacks: ['.shell id', "sh.exec('id')"],
      benign: ['.shell p', 'sh.exec(x)', '.system'],
    },
  ),
  // Comparisons that hold for nothing as well.
  pattern(
    'sqli/distinct',
    /["'\d)]\s{0,4}(?:or|and|\|\||&&)\s{1,4}["']?\w{1,16}["']?\s{1,4}is\s{1,4}(?:not\s{1,4})?distinct\s{1,4}from\b/,
    {
      score: 5,
      quotable: true,
      words: WORD.sqlLogic,
      attacks: ["' or 1 is not distinct from 1--", "1) and 'a' is distinct from 'b'"],
      benign: ['A and B is not distinct from C', 'are distinct from'],
    },
  ),
]
