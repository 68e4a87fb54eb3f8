import { pattern, type Rule } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import { WORD } from '../value/words.ts'

/** Folders in which anybody may leave a file, and what is a file to its own process. */
const LEFT =
  '(?:\\/(?:tmp|var\\/tmp|dev\\/shm|proc\\/self|proc\\/\\d{1,6})\\/|data:|https?:\\/\\/|\\\\\\\\[\\w.])'
/** Programs that an intruder has run in place of one that was meant. */
const RUN =
  '["\'\\\\]{0,3}(?:(?:\\/usr)?\\/bin\\/)?(?:touch|id|whoami|curl|wget|nc|ncat|bash|sh|cmd|calc|ping|nslookup|python\\d?|perl|echo|powershell)\\b'

/**
 * Settings and options with which a program that is started loads or runs something else: what a request
 * puts into its environment, or between its arguments.
 */
export const programOptionRules: readonly Rule[] = [
  // Variables that a loader, an interpreter or a client reads (ld.so(8), bash(1), git(1), java(1), node(1)).
  pattern(
    'rce/loader-setting',
    new RegExp(
      `(?:^|[\\s;&|"'\`(\\0])(?:(?:ld_preload|ld_audit|ld_library_path|dyld_insert_libraries|gconv_path|bash_env|pythonstartup|pythonpath|perl5lib|rubylib|phprc|php_ini_scan_dir)\\s{0,2}=\\s{0,2}["']?(?:\\$\\(|\`|${LEFT})|(?:git_ssh_command|git_proxy_command|git_external_diff|git_askpass)\\s{0,2}=\\s{0,2}${RUN}|node_options\\s{0,2}=\\s{0,2}["']?[^\\n]{0,60}--(?:require|import|loader)[= ]${LEFT}|(?:java_tool_options|_java_options|perl5opt|rubyopt)\\s{0,2}=\\s{0,2}["']?[^\\n]{0,60}?${LEFT})|-javaagent:${LEFT}`,
    ),
    {
      score: 5,
      quotable: true,
      words: WORD.probe,
      attacks: [
        'LD_PRELOAD=/tmp/x.so',
        'x LD_LIBRARY_PATH=/dev/shm/ id',
        'GIT_SSH_COMMAND=touch /tmp/x',
        'NODE_OPTIONS=--require /proc/self/environ',
        'JAVA_TOOL_OPTIONS=-javaagent:/tmp/x.jar',
        'BASH_ENV=$(id)',
        '-Xmx9m -javaagent:/tmp/x.jar',
      ],
      benign: [
        'LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libjemalloc.so.2',
        'GIT_SSH_COMMAND=ssh -i deploy.key',
        'NODE_OPTIONS=--max-old-space-size=4096 --require ./tracing.js',
        'JAVA_TOOL_OPTIONS=-Xmx512m -javaagent:/opt/otel.jar',
        'PYTHONPATH=src',
        '-javaagent:/opt/newrelic/newrelic.jar',
        'LD_LIBRARY_PATH=$HOME/lib',
      ],
    },
  ),
  // Options of one program or another behind which stands what is to be run or loaded.
  pattern(
    'rce/tool-option',
    new RegExp(
      `-xx:on(?:outofmemory)?error=\\s{0,2}${RUN}|(?:^|\\s)--(?:require|loader|rcfile|config)[= ]${LEFT}|\\s--use-askpass[= ]\\/|\\s-oproxycommand\\s{0,2}=\\s{0,2}${RUN}|(?:^|\\s)-d\\s{0,2}(?:auto_prepend_file|auto_append_file|allow_url_include|disable_functions|open_basedir)=|\\s-[en]{1,2}\\s{1,4}["']\\s{0,2}(?:system|exec)\\s{0,2}\\(?\\s{0,2}[@$(]`,
    ),
    {
      score: 5,
      quotable: true,
      chars: CHAR.dashes | CHAR.equals | CHAR.paren,
      words: WORD.probe | WORD.process,
      attacks: [
        '-J-XX:OnOutOfMemoryError=calc',
        '-XX:OnError="sh -c id"',
        '--require /tmp/x.js',
        'x --use-askpass=/tmp/x',
        'x -oProxyCommand=id',
        '-d auto_prepend_file=/tmp/x',
        `whatever -n '("ls",qw(/data))' -e 'system(@ARGV)'`,
      ],
      benign: [
        '-XX:OnOutOfMemoryError="kill -9 %p"',
        '--require ./test/setup.js',
        '--config=/etc/app.yaml',
        'ssh -oProxyCommand="ssh -W %h:%p bastion" host',
        "perl -e 'print 1'",
        '-d memory_limit=512M',
      ],
    },
  ),
]
